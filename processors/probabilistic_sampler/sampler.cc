#include "processors/probabilistic_sampler/sampler.h"

#include <algorithm>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/sampling/threshold.h"

namespace sluice::probabilistic_sampler {
namespace {

using sampling::SamplingState;
using sampling::threshold_end;

constexpr std::uint32_t fnv_start = 0x811c9dc5;
constexpr std::uint32_t fnv_prime = 0x01000193;
constexpr int bucket_bits = 14;
constexpr std::uint32_t buckets = 1U << bucket_bits;
constexpr int bits_below_bucket = 56 - bucket_bits;

/// One step of FNV-1a.
std::uint32_t mixed(std::uint32_t hash, std::uint32_t byte) { return (hash ^ byte) * fnv_prime; }

/// FNV-1a of a trace id's 16 bytes, going on from `hash`. Without a loop, whose end is guessed
/// wrong after a walk over fields that each differ.
std::uint32_t hash_of_id(std::uint32_t hash, std::string_view trace_id) {
  ensure(trace_id.size() == 16, "spans have a trace id of 16 bytes");
  const auto mix = [&]<std::size_t... index>(std::index_sequence<index...>) {
    ((hash = mixed(hash, static_cast<unsigned char>(trace_id[index]))), ...);
  };
  mix(std::make_index_sequence<16>());
  return hash;
}

std::uint32_t hash_of_seed(std::uint32_t seed) {
  std::uint32_t hash = fnv_start;
  for (int shift = 0; shift < 32; shift += 8) hash = mixed(hash, seed >> shift & 0xff);
  return hash;
}

/// Which of the buckets are kept, the first so many; in the collector's 32 bits, and not rounded.
std::uint32_t buckets_kept(float percentage) {
  return static_cast<std::uint32_t>(percentage * (static_cast<float>(buckets / 100.0)));
}

/// A hash as random bits, the bucket upside down at their front: so "not below a threshold" says
/// what "one of the first buckets" did. The rest is what is left of the hash, mixed.
std::uint64_t randomness_of_hash(std::uint32_t hash) {
  const std::uint64_t bucket = hash % buckets;
  const std::uint64_t rest = hash >> (32 - bucket_bits);
  return (buckets - 1 - bucket) << bits_below_bucket | (rest ^ rest << 10) << bucket_bits | bucket;
}

}  // namespace

Sampler::Sampler(const Options& options)
    : source_(options.mode == Mode::hash_seed ? Source::hash : Source::trace),
      is_proportional_(options.mode == Mode::proportional),
      fail_closed_(options.fail_closed),
      precision_(options.precision),
      probability_(static_cast<double>(options.percentage) / 100),
      threshold_(sampling::threshold_of(probability_, precision_)),
      seeded_hash_(hash_of_seed(options.hash_seed)) {
  if (source_ == Source::hash) {
    const std::uint64_t left_out = buckets - buckets_kept(options.percentage);
    threshold_ = left_out << bits_below_bucket;
  }
  if (threshold_ == threshold_end) source_ = Source::nothing;
}

Sampler::Draw Sampler::draw_hash(const SampledSpan& span) const {
  Draw out{randomness_of_hash(hash_of_id(seeded_hash_, span.trace_id)), Policy::trace_id_hash,
           Mistake::none, sampling::read_sampling(span.trace_state.content)};
  if (!out.state) {
    out.mistake = Mistake::malformed_trace_state;
    return out;
  }
  if (out.state->randomness)
    out.mistake = Mistake::randomness_in_use;
  else if (out.state->threshold)
    out.mistake = Mistake::threshold_in_use;
  if (out.mistake == Mistake::none)
    out.state->randomness = out.randomness;
  else
    out.state.reset();
  return out;
}

Sampler::Draw Sampler::draw_bits_of_trace(const SampledSpan& span) {
  Draw out{threshold_end - 1, Policy::missing_randomness, Mistake::none,
           sampling::read_sampling(span.trace_state.content)};
  if (!out.state) {
    out.mistake = Mistake::malformed_trace_state;
    return out;
  }
  out.policy = out.state->randomness ? Policy::sampling_randomness : Policy::trace_id_w3c;
  out.randomness =
      out.state->randomness ? *out.state->randomness : sampling::randomness_of(span.trace_id);
  if (out.state->threshold.value_or(0) > out.randomness) {
    out.mistake = Mistake::inconsistent_threshold;
    out.state->threshold.reset();
  }
  return out;
}

Sampler::Draw Sampler::draw(const SampledSpan& span) const {
  if (source_ == Source::hash) return draw_hash(span);
  if (source_ == Source::trace) return draw_bits_of_trace(span);
  auto state = sampling::read_sampling(span.trace_state.content);
  const Mistake mistake = state ? Mistake::none : Mistake::malformed_trace_state;
  return {threshold_end - 1, Policy::sampling_priority, mistake, std::move(state)};
}

std::uint64_t Sampler::threshold_after(const SamplingState& state) const {
  const std::uint64_t before = state.threshold.value_or(0);
  if (source_ != Source::trace) return threshold_;
  if (!is_proportional_) return std::max(before, threshold_);
  return sampling::threshold_of(sampling::probability_of(before) * probability_, precision_);
}

Decision Sampler::decide(const SampledSpan& span) const {
  Draw drawn = draw(span);
  std::uint64_t threshold = fail_closed_ ? threshold_end : 0;
  if (drawn.mistake == Mistake::none) threshold = threshold_after(*drawn.state);
  if (span.priority != Priority::defers) {
    threshold = span.priority == Priority::keeps ? 0 : threshold_end;
    drawn.policy = Policy::sampling_priority;
  }
  const bool is_kept = threshold <= drawn.randomness;
  if (!is_kept) return {false, drawn.policy, drawn.mistake};
  // What it had passed before stands: a chance falls from sampler to sampler, and never rises.
  if (drawn.state) drawn.state->threshold = std::max(drawn.state->threshold.value_or(0), threshold);
  return {true, drawn.policy, drawn.mistake, std::move(drawn.state)};
}

}  // namespace sluice::probabilistic_sampler
