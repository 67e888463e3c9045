// A trace state that is read, and written with something else to say of sampling: what is written
// reads back as that, other members stay in their order, as many as there is room for, and to write
// it again changes nothing. Input: a byte that says which of the two there are (1: random bits, 2:
// threshold, 0: what was there), seven bytes of each, then the trace state.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/sampling/threshold.h"
#include "pipeline/sampling/trace_state.h"

namespace {

using namespace sluice::sampling;

constexpr std::size_t head_size = 15;

bool same(const SamplingState& a, const SamplingState& b) {
  return a.randomness == b.randomness && a.threshold == b.threshold;
}

std::string written(std::string_view trace_state, const SamplingState& state) {
  std::string out;
  append_with_sampling(out, trace_state, state);
  return out;
}

std::vector<std::pair<std::string_view, std::string_view>> others(std::string_view trace_state) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  TraceStateReader reader(trace_state);
  while (const auto member = reader.next())
    if (member->key != "ot") out.emplace_back(member->key, member->value);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < head_size) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view before = bytes.substr(head_size);
  std::optional<SamplingState> state = read_sampling(before);
  if (!state) return 0;
  if ((data[0] & 1) != 0) state->randomness = randomness_of(bytes.substr(1, 7));
  if ((data[0] & 2) != 0) state->threshold = randomness_of(bytes.substr(8, 7));

  const std::string after = written(before, *state);
  const std::optional<SamplingState> read = read_sampling(after);
  sluice::ensure(read && same(*read, *state), "what is written reads back");
  sluice::ensure(written(after, *state) == after, "to write it again changes nothing");
  auto there = others(before);
  const auto left = others(after);
  sluice::ensure(left.size() <= there.size(), "nothing is added");
  const bool is_full = left.size() + 1 >= TraceStateReader::members_max || after.size() > 500;
  sluice::ensure(left.size() == there.size() || is_full, "what there is room for stays");
  there.resize(left.size());
  sluice::ensure(left == there, "other members keep their order");
  return 0;
}
