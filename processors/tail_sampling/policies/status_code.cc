#include <array>
#include <string>
#include <vector>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

class HasStatus final : public SpanCondition {
 public:
  explicit HasStatus(std::array<bool, 3> wanted) : wanted_(wanted) {}
  bool holds(const SpanView& span) const override {
    const auto code = static_cast<std::size_t>(span.status_code());
    return code < wanted_.size() && wanted_[code];
  }

 private:
  std::array<bool, 3> wanted_;  ///< by code
};

}  // namespace

std::unique_ptr<Policy> decode_status_code(const config::Node& options, Conditions& conditions) {
  constexpr std::array<std::string_view, 3> words = {"UNSET", "OK", "ERROR"};
  std::array<bool, 3> wanted{};
  const std::vector<config::Node> codes = options.child("status_codes").list();
  for (const config::Node& code : codes) {
    const std::string word = code.as_string();
    bool known = false;
    for (std::size_t index = 0; index < words.size(); ++index) {
      if (word != words[index]) continue;
      known = wanted[index] = true;
    }
    if (!known) code.unexpected("", "\"OK\", \"ERROR\" or \"UNSET\"");
  }
  if (codes.empty()) options.error("status_codes", "at least one status code is required");
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasStatus>(wanted));
}

}  // namespace sluice::tail_sampling
