#include <cstdint>
#include <string>

#include "processors/tail_sampling/policies/attribute_condition.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// An integer within bounds, of which 0 is none. A value of another type reads as 0, as in the
/// collector.
class HasInteger final : public AttributeCondition {
 public:
  HasInteger(std::string key, std::int64_t least, std::int64_t most)
      : AttributeCondition(std::move(key)), least_(least), most_(most) {}

 private:
  bool meets(const AnyValueView& view) const override {
    const std::int64_t value = view.type() == AnyValueView::Type::integer ? view.integer() : 0;
    return (least_ == 0 || value >= least_) && (most_ == 0 || value <= most_);
  }
  std::int64_t least_, most_;
};

}  // namespace

std::unique_ptr<Policy> decode_numeric_attribute(const config::Node& options,
                                                 Conditions& conditions) {
  std::string key;
  std::int64_t least = 0, most = 0;
  bool inverted = false;
  options.required("key", key);
  options.optional("min_value", least);
  options.optional("max_value", most);
  options.expect(least == 0 || most == 0 || least <= most, "max_value",
                 "must be at least min_value, or 0 for no limit");
  options.optional("invert_match", inverted);
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasInteger>(std::move(key), least, most), inverted);
}

}  // namespace sluice::tail_sampling
