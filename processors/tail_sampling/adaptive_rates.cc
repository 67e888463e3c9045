#include "processors/tail_sampling/adaptive_rates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "pipeline/sampling/threshold.h"

namespace sluice::tail_sampling {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

std::int64_t ns_of(Executor::TimePoint at) { return at.time_since_epoch().count(); }

double seconds_of(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

/// To one part in 65,536 and better, so that what is written stays short.
std::uint64_t threshold_of(double probability) {
  constexpr int digits = 5;
  return std::min(sampling::threshold_of(probability, digits), sampling::threshold_end - 1);
}

/// Spans of the traces behind the first.
double spans_behind(const AdaptiveRates::Demand& demand) {
  return demand.spans - demand.spans / demand.traces;
}

/// What there is for them.
double left_of(std::span<const AdaptiveRates::Demand> demands, double goal) {
  double first = 0;
  for (const AdaptiveRates::Demand& each : demands) first += each.spans / each.traces;
  return std::max(goal - first, goal / 2);
}

}  // namespace

AdaptiveRates::Table::Table(std::size_t keys_max) : slots(std::bit_ceil(2 * keys_max) + 1) {}

void AdaptiveRates::Table::clear(std::uint64_t threshold) {
  for (Slot& slot : slots) {
    slot.key.store(0, std::memory_order_relaxed);
    slot.traces.store(0, std::memory_order_relaxed);
    slot.spans.store(0, std::memory_order_relaxed);
    slot.threshold.store(threshold, std::memory_order_relaxed);
  }
  keys.store(0, std::memory_order_relaxed);
}

/// That of the key, a free one that is the key's from now on, or the one of those beyond.
AdaptiveRates::Slot& AdaptiveRates::Table::find(std::uint64_t key, std::size_t keys_max) {
  const std::size_t mask = slots.size() - 2;
  for (std::size_t at = key & mask;; at = (at + 1) & mask) {
    Slot& slot = slots[at];
    std::uint64_t there = slot.key.load(std::memory_order_relaxed);
    if (there == key) return slot;
    if (there != 0) continue;
    if (keys.fetch_add(1, std::memory_order_relaxed) >= keys_max) {
      keys.fetch_sub(1, std::memory_order_relaxed);
      return slots.back();
    }
    if (slot.key.compare_exchange_strong(there, key, std::memory_order_relaxed)) return slot;
    keys.fetch_sub(1, std::memory_order_relaxed);
    if (there == key) return slot;
  }
}

AdaptiveRates::AdaptiveRates(const Goal& goal)
    : goal_(goal), tables_{Table(goal.keys_max), Table(goal.keys_max)}, began_(never) {
  tables_[0].clear(threshold_of(goal.initial));
}

AdaptiveRates::Rate AdaptiveRates::rate(std::uint64_t key, std::uint64_t spans, TimePoint now) {
  if (is_over(now) && !is_changing_.test_and_set(std::memory_order_acquire)) {
    if (is_over(now)) begin(now);
    is_changing_.clear(std::memory_order_release);
  }
  Table& table = tables_[current_.load(std::memory_order_acquire)];
  Slot& slot = table.find(std::max<std::uint64_t>(key, 1), goal_.keys_max);
  const std::uint64_t threshold = slot.threshold.load(std::memory_order_relaxed);
  const bool is_first = slot.traces.fetch_add(1, std::memory_order_relaxed) == 0;
  slot.spans.fetch_add(spans, std::memory_order_relaxed);
  return {is_first ? 0 : threshold, is_first};
}

bool AdaptiveRates::is_over(TimePoint now) const {
  const std::int64_t began = began_.load(std::memory_order_relaxed);
  if (began == never) return true;
  const std::int64_t elapsed = ns_of(now) - began;
  if (elapsed >= goal_.interval.count()) return true;
  const auto kept = static_cast<double>(kept_.load(std::memory_order_relaxed));
  return goal_.spans_per_second > 0 && elapsed >= goal_.interval.count() / 10 &&
         kept > 2 * goal_.spans_per_second * seconds_of(goal_.interval.count());
}

void AdaptiveRates::begin(TimePoint now) {
  const std::int64_t began = began_.exchange(ns_of(now), std::memory_order_relaxed);
  kept_.store(0, std::memory_order_relaxed);
  if (began == never) return;
  const std::size_t last = current_.load(std::memory_order_relaxed);
  const double scale = seconds_of(goal_.interval.count()) / seconds_of(ns_of(now) - began);
  fill(tables_[1 - last], tables_[last], scale);
  current_.store(1 - last, std::memory_order_release);
}

/// `scale`: from what was counted to what comes in an interval.
void AdaptiveRates::fill(Table& next, const Table& last, double scale) {
  std::vector<const Slot*> slots;
  std::vector<Demand> demands;
  double spans = 0;
  for (const Slot& slot : last.slots) {
    const auto traces = static_cast<double>(slot.traces.load(std::memory_order_relaxed));
    if (traces == 0) continue;
    const auto had = static_cast<double>(slot.spans.load(std::memory_order_relaxed));
    // No less than the one trace that may come.
    const double factor = std::max(scale, 1 / traces);
    slots.push_back(&slot);
    demands.push_back({traces * factor, had * factor});
    spans += demands.back().spans;
  }
  const double goal = goal_.spans_per_second > 0
                          ? goal_.spans_per_second * seconds_of(goal_.interval.count())
                          : goal_.share * spans;
  next.clear(threshold_of(divide_evenly(demands, goal)));
  const std::vector<double> probabilities = divide(demands, goal);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint64_t key = slots[i]->key.load(std::memory_order_relaxed);
    Slot& slot = key == 0 ? rest(next) : next.find(key, goal_.keys_max);
    slot.threshold.store(threshold_of(probabilities[i]), std::memory_order_relaxed);
  }
}

std::vector<double> AdaptiveRates::divide(std::span<const Demand> demands, double goal) {
  const auto weight = [&](std::size_t key) { return std::log1p(demands[key].spans); };
  std::vector<std::size_t> order(demands.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Those first that need the least of their share.
  std::ranges::sort(order, {},
                    [&](std::size_t key) { return spans_behind(demands[key]) / weight(key); });
  double left = left_of(demands, goal), weights = 0;
  for (const std::size_t key : order) weights += weight(key);
  std::vector<double> out(demands.size(), 1);
  for (const std::size_t key : order) {
    const double share = left * weight(key) / weights;
    const double wanted = spans_behind(demands[key]);
    if (wanted > share) out[key] = share / wanted;
    left -= std::min(wanted, share);
    weights -= weight(key);
  }
  return out;
}

double AdaptiveRates::divide_evenly(std::span<const Demand> demands, double goal) {
  double wanted = 0;
  for (const Demand& each : demands) wanted += spans_behind(each);
  const double left = left_of(demands, goal);
  return wanted > left ? left / wanted : 1;
}

}  // namespace sluice::tail_sampling
