#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::ottl {

/// Failures of one component's statements on spans: each is counted by statement
/// (`sluice_ottl_failures`), and said at most once a minute. One an instance.
class Failures {
 public:
  explicit Failures(const ComponentContext& context)
      : component_(context.id), metrics_(context.metrics) {}

  /// A statement or condition; its number.
  std::size_t add(std::string_view text, ErrorMode mode);
  /// True where the request is to be refused for it; `refusal` says why.
  bool report(std::size_t number, const Evaluation& in);
  const std::string& refusal() const { return refusal_; }

 private:
  struct Entry {
    ErrorMode mode;
    Counter& counter;
    std::string message;
  };
  const std::string component_;
  Metrics& metrics_;
  std::vector<Entry> entries_;
  std::string refusal_;
};

}  // namespace sluice::ottl
