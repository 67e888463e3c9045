#include <string>

#include "processors/tail_sampling/policies/attribute_condition.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// A value of another type reads as false, as in the collector.
class HasBoolean final : public AttributeCondition {
 public:
  HasBoolean(std::string key, bool wanted) : AttributeCondition(std::move(key)), wanted_(wanted) {}

 private:
  bool meets(const AnyValueView& value) const override {
    return (value.type() == AnyValueView::Type::boolean && value.boolean()) == wanted_;
  }
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
