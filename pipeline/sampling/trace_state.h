#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::sampling {

/// One list-member of a trace state.
struct TraceStateMember {
  std::string_view key, value;
};

/// Reads the members of a trace state (W3C Trace Context, section 3.3) one after the other; empty
/// ones are passed over.
class TraceStateReader {
 public:
  static constexpr std::size_t members_max = 32;

  /// Members of nothing but blanks are allowed by the specification, but not by all readers.
  enum class BlankMembers : bool { allowed, mistakes };

  explicit TraceStateReader(std::string_view text, BlankMembers blanks = BlankMembers::allowed)
      : rest_(text), blanks_(blanks) {}
  /// Nothing at the end, and at the first mistake.
  std::optional<TraceStateMember> next();
  bool is_malformed() const { return is_malformed_; }

 private:
  std::string_view rest_;
  BlankMembers blanks_;
  bool is_malformed_ = false;
};

/// All members, none of which has the key of another.
class TraceStateMembers {
 public:
  using BlankMembers = TraceStateReader::BlankMembers;
  /// Nothing where there is a mistake anywhere in it, or there are more than `members_max`.
  static std::optional<TraceStateMembers> read(std::string_view text, BlankMembers blanks);
  std::span<const TraceStateMember> all() const { return {members_.data(), count_}; }
  /// The value under the key; empty where it is not there.
  std::string_view find(std::string_view key) const;

 private:
  std::array<TraceStateMember, TraceStateReader::members_max> members_;
  std::size_t count_ = 0;
};

/// Whether a member may have it as its key, or value.
bool is_trace_state_key(std::string_view text);
bool is_trace_state_value(std::string_view text);

/// What a trace state says of sampling, under its key `ot` (OpenTelemetry specification,
/// "TraceState Handling").
struct SamplingState {
  std::optional<std::uint64_t> randomness;  ///< rv
  std::optional<std::uint64_t> threshold;   ///< th
};

/// Nothing where there is a mistake anywhere in it, or it is longer than 1024 characters: then
/// nobody can tell what it says. Of several members `ot` the last counts.
std::optional<SamplingState> read_sampling(std::string_view trace_state);

/// Appends the same trace state with this to say instead: `ot` comes first, as whoever changes a
/// member puts it there, and what else stood in it stays. What there is no room for is left out,
/// from its end: of `ot` past 256 characters, of the whole past 32 members or 1024 characters. So
/// what is written can be read. `trace_state` has been read without a mistake, and is not in `out`.
void append_with_sampling(std::string& out, std::string_view trace_state,
                          const SamplingState& state);

}  // namespace sluice::sampling
