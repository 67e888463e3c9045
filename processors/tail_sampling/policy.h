#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/executor.h"
#include "pipeline/traces/held_traces.h"
#include "pipeline/traces/trace_facts.h"
#include "processors/tail_sampling/condition.h"

namespace sluice::tail_sampling {

enum class Vote : std::uint8_t {
  not_asked,
  not_sampled,
  sampled,
  dropped,  ///< beats every other policy
};

/// What a policy says, and under which threshold (pipeline/sampling) it says so of traces like this
/// one: 0 where chance has no part in it.
struct Opinion {
  static constexpr std::uint64_t unknown = UINT64_MAX;  ///< there is chance in it, of another kind

  // NOLINTNEXTLINE(google-explicit-constructor): most policies have nothing else to say.
  Opinion(Vote said, std::uint64_t under = 0) : vote(said), threshold(under) {}
  Vote vote;
  std::uint64_t threshold;
};

/// How chance comes into what a policy says.
enum class Chance : std::uint8_t {
  none,
  own,        ///< by a hash of its own, or by what other traces took
  threshold,  ///< by the trace's random bits: the threshold is written into what is kept
};

/// What is there to go by when a trace is to be decided.
struct Case {
  const TraceFacts& facts;
  Executor::TimePoint now;
  Notes notes;
  /// For who has to read the spans once more.
  const HeldTraces* held = nullptr;
  TraceHandle trace{};
};

/// One opinion on a trace. All shards ask the same one, at any time; what it remembers (a rate) is
/// atomic.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual Opinion vote(const Case& trace) const = 0;
  /// The numbers that it went by, in a few words for a person: of the facts, or of its notes.
  virtual std::string saw(const TraceFacts& facts, ConstNotes notes) const = 0;
  virtual Chance chance() const { return Chance::none; }
  /// Whether its opinion depends on other traces, or may turn to "no" as the trace grows: then it
  /// cannot judge the parts of a trace one by one.
  virtual bool needs_whole_trace() const { return false; }
};

struct NamedPolicy {
  std::string name;
  std::string type;
  std::unique_ptr<Policy> policy;  ///< null after a mistake, which the node has
  bool is_shadow = false;          ///< counted only
};

/// Where a policy stands: some types, and `shadow`, are for the list of the processor alone.
enum class Place : std::uint8_t { top, part };

/// Reads one policy: its name, its type, and the options in the block that is called like the type.
NamedPolicy decode_policy(const config::Node& node, Place place, Conditions& conditions);

/// The list under `key`, in which names must differ. At least one is required.
std::vector<NamedPolicy> decode_policies(const config::Node& node, std::string_view key,
                                         Place place, Conditions& conditions);

/// A policy that samples a trace in which some span meets the condition; with `inverted`, one in
/// which none does.
std::unique_ptr<Policy> any_span(Conditions& conditions, std::unique_ptr<SpanCondition> condition,
                                 bool inverted = false);

/// `saw` of a policy that is made of others: what each of them goes by.
template <typename Parts>
std::string saw_of_all(const Parts& parts, const TraceFacts& facts, ConstNotes notes) {
  std::string out;
  for (const NamedPolicy& part : parts)
    out += (out.empty() ? "" : "; ") + part.name + ": " + part.policy->saw(facts, notes);
  return out;
}

/// `saw` of a policy that goes by the trace's random bits.
std::string saw_of_threshold(const TraceFacts& facts, std::uint64_t threshold);

/// Refuses a part of a policy, `node`, that could not have its threshold written down: since it is
/// to sample when the part does not, or when there is room.
void refuse_threshold(const config::Node& node, const Policy& part);

}  // namespace sluice::tail_sampling
