#pragma once

#include <string>
#include <utility>

#include "processors/tail_sampling/condition.h"

namespace sluice::tail_sampling {

/// What an attribute of a span, or of its resource, has to be.
class AttributeCondition : public SpanCondition {
 public:
  explicit AttributeCondition(std::string key) : key_(std::move(key)) {}
  bool holds(const SpanView& span) const final {
    const auto attribute = span.attribute(key_);
    return attribute && meets_of_span(attribute->value());
  }
  bool holds(const ResourceView& resource) const final {
    const auto attribute = resource.attribute(key_);
    return attribute && meets(attribute->value());
  }

 private:
  virtual bool meets(const AnyValueView& value) const = 0;
  virtual bool meets_of_span(const AnyValueView& value) const { return meets(value); }
  std::string key_;
};

}  // namespace sluice::tail_sampling
