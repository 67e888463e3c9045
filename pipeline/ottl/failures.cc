#include "pipeline/ottl/failures.h"

#include "config/error.h"
#include "pipeline/log.h"

namespace sluice::ottl {

std::size_t Failures::add(std::string_view text, ErrorMode mode) {
  const std::string statement = config::in_quotes(text);
  Counter& counter = metrics_.counter(
      "sluice_ottl_failures", "How often a statement or condition failed on a span.",
      {{"component", component_}, {"statement", statement.substr(1, statement.size() - 2)}});
  entries_.push_back({mode, counter, component_ + ": failed on a span: " + statement});
  return entries_.size() - 1;
}

bool Failures::report(std::size_t number, const Evaluation& in) {
  const Entry& entry = entries_[number];
  entry.counter.add(1);
  if (entry.mode == ErrorMode::silent) return false;
  if (entry.mode == ErrorMode::ignore) {
    log::limited(log::Level::warn, entry.message, {{"error", in.error}});
    return false;
  }
  refusal_ = entry.message + ": " + in.error;
  return true;
}

}  // namespace sluice::ottl
