#include "processors/tail_sampling/decision_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pipeline/codec/hex.h"

namespace sluice::tail_sampling {
namespace {

constexpr std::array<std::string_view, 4> vote_words = {"not asked", "not sampled", "sampled",
                                                        "dropped"};

std::string digits_of(const TraceId& id) {
  std::string out(2 * id.size(), '0');
  hex::encode({id.data(), id.size()}, out.data());
  return out;
}

std::string rfc3339(DecisionLog::WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), millis);
}

/// The numbers of one record into those of all.
template <typename Number>
void put(const std::vector<Number>& one, std::size_t place, std::vector<Number>& all) {
  const std::size_t at = place * one.size();
  if (at == all.size()) all.resize(at + one.size());
  std::ranges::copy(one, all.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

void DecisionLog::add(const TraceFacts& facts, const Decision& decision, const Said& said,
                      DueReason reason, WallTime at) {
  if (size_ == 0) return;
  if (records_.size() < size_) {
    records_.emplace_back(Record{facts, at, decision, reason});
    put(said.votes, records_.size() - 1, said_.votes);
    put(said.notes, records_.size() - 1, said_.notes);
    return;
  }
  records_[next_] = {facts, at, decision, reason};
  put(said.votes, next_, said_.votes);
  put(said.notes, next_, said_.notes);
  next_ = (next_ + 1) % size_;
}

std::string DecisionLog::describe(const std::optional<TraceId>& trace, std::size_t limit) const {
  std::string out;
  for (std::size_t back = 1; back <= records_.size() && limit > 0; ++back) {
    const std::size_t place = (next_ + records_.size() - back) % records_.size();
    if (trace && records_[place].facts.trace_id != *trace) continue;
    out += (out.empty() ? "" : ",\n") + describe(place);
    --limit;
  }
  return out;
}

std::string DecisionLog::describe(std::size_t place) const {
  const Record& record = records_[place];
  const TraceFacts& facts = record.facts;
  const bool is_dropped = !record.decision.is_kept && record.decision.policy != Decision::nobody;
  nlohmann::ordered_json out;
  out["trace_id"] = digits_of(facts.trace_id);
  out["decision"] = record.decision.is_kept ? "kept" : is_dropped ? "dropped" : "not sampled";
  const auto& policies = judge_.policies();
  const std::size_t notes = said_.notes.size() / records_.size();
  if (record.decision.policy != Decision::nobody)
    out["policy"] = policies[record.decision.policy].name;
  if (record.decision.is_kept && judge_.has_thresholds() &&
      record.decision.threshold != Opinion::unknown)
    out["stands_for"] = 1 / sampling::probability_of(record.decision.threshold);
  out["decided_at"] = rfc3339(record.at);
  out["because"] = due_reason_words[static_cast<std::size_t>(record.reason)];
  out["spans"] = facts.spans;
  out["bytes"] = facts.bytes;
  out["duration_ms"] = facts.duration_ms();
  out["has_root"] = facts.has_root;
  for (std::size_t number = 0; number < policies.size(); ++number) {
    const Vote vote = said_.votes[place * policies.size() + number];
    nlohmann::ordered_json each;
    each["name"] = policies[number].name;
    each["type"] = policies[number].type;
    each["said"] = vote_words[static_cast<std::size_t>(vote)];
    if (policies[number].is_shadow) each["shadow"] = true;
    if (vote != Vote::not_asked)
      each["saw"] = policies[number].policy->saw(
          facts, ConstNotes(said_.notes).subspan(place * notes, notes));
    out["policies"].push_back(std::move(each));
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::optional<TraceId> parse_trace_id(std::string_view text) {
  TraceId id{};
  if (text.size() != 2 * id.size() || !hex::decode(text, id.data())) return std::nullopt;
  return id;
}

}  // namespace sluice::tail_sampling
