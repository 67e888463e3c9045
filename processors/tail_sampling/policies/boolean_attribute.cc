#include <string>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// Of a span or its resource. A value of another type reads as false, as in the collector.
class HasBoolean final : public SpanCondition {
 public:
  HasBoolean(std::string key, bool wanted) : key_(std::move(key)), wanted_(wanted) {}
  bool holds(const SpanView& span) const override { return meets(span.attribute(key_)); }
  bool holds(const ResourceView& resource) const override {
    return meets(resource.attribute(key_));
  }

 private:
  bool meets(const std::optional<KeyValueView>& attribute) const {
    if (!attribute) return false;
    const AnyValueView value = attribute->value();
    return (value.type() == AnyValueView::Type::boolean && value.boolean()) == wanted_;
  }
  std::string key_;
  bool wanted_;
};

}  // namespace

std::unique_ptr<Policy> decode_boolean_attribute(const config::Node& options,
                                                 Conditions& conditions) {
  std::string key;
  bool wanted = false, inverted = false;
  options.required("key", key);
  options.required("value", wanted);
  options.optional("invert_match", inverted);
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasBoolean>(std::move(key), wanted), inverted);
}

}  // namespace sluice::tail_sampling
