#include "processors/tail_sampling/questions.h"

#include <algorithm>

#include "pipeline/sampling/trace_state.h"

namespace sluice::tail_sampling {
namespace {

/// Those of a trace state with a mistake are as good as absent.
std::uint64_t random_bits_of(const SpanView& span) {
  if (span.trace_state().empty()) return TraceFacts::no_random_bits;
  const auto state = sampling::read_sampling(span.trace_state());
  return state && state->randomness ? *state->randomness : TraceFacts::no_random_bits;
}

}  // namespace

void Questions::begin(const SpanBatch& batch) {
  if (!ottl_.empty()) ottl_.begin(batch);
}

void Questions::ask(const ResourceView& resource, Matches& matched) {
  conditions_.ask(resource, matched);
}

void Questions::ask(const SpanBatch& batch, const SpanEntry& entry, const SpanView& span,
                    TraceFacts& facts) {
  conditions_.ask(span, facts.matched);
  if (!ottl_.empty()) ottl_.ask(batch, entry, facts.matched);
  if (conditions_.wants_randomness())
    facts.random_bits = std::min(facts.random_bits, random_bits_of(span));
}

}  // namespace sluice::tail_sampling
