#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/executor.h"

namespace sluice::tail_sampling {

/// With which probability each kind of traffic (a key) is sampled, so that all together come to a
/// goal and rare ones keep more of theirs.
///
/// Time goes by intervals. In each, a key's first trace is kept for certain. What the goal leaves
/// beyond these (but half of it at least) is divided by the logarithm of the spans that each key
/// had in the interval before; a key that needs less than its share leaves the rest to the others,
/// as in Refinery's dynamic samplers. So the probability of a trace is settled before its random
/// bits are looked at, and never zero: what is kept, weighted by it, is an unbiased estimate of
/// what came. A key that was not there before is sampled as all traffic is on the whole. An
/// interval ends early when twice its goal has been kept, after a tenth of it: that is what a burst
/// can cost.
///
/// Shared by all shards without a lock: a table of counters for the interval that goes on, one that
/// is made for the next. Who still writes into the other when they change places loses a count.
class AdaptiveRates {
 public:
  using TimePoint = Executor::TimePoint;
  struct Goal {
    double spans_per_second = 0;  ///< or, where this is 0:
    double share = 0;             ///< of all spans
    double initial = 1;           ///< the probability until the end of the first interval
    std::chrono::nanoseconds interval = std::chrono::seconds(15);
    std::size_t keys_max = 500;  ///< all others together are one more
  };
  explicit AdaptiveRates(const Goal& goal);

  struct Rate {
    std::uint64_t threshold;
    bool is_new;  ///< the key was not seen in this interval before
  };
  /// For a trace of this key, which is counted. Any thread.
  Rate rate(std::uint64_t key, std::uint64_t spans, TimePoint now);
  /// It was kept.
  void kept(std::uint64_t spans) { kept_.fetch_add(spans, std::memory_order_relaxed); }

  /// What a key had in an interval.
  struct Demand {
    double traces = 0;
    double spans = 0;
  };
  /// Probabilities of the keys' traces behind their first, when the goal is so many spans; and the
  /// one of all together.
  static std::vector<double> divide(std::span<const Demand> demands, double goal);
  static double divide_evenly(std::span<const Demand> demands, double goal);

 private:
  struct Slot {
    std::atomic<std::uint64_t> key{0};  ///< 0: free
    std::atomic<std::uint64_t> traces{0}, spans{0}, threshold{0};
  };
  struct Table {
    explicit Table(std::size_t keys_max);
    Slot& find(std::uint64_t key, std::size_t keys_max);
    void clear(std::uint64_t threshold);
    std::vector<Slot> slots;  ///< a power of two, and one for the keys beyond
    std::atomic<std::size_t> keys{0};
  };

  bool is_over(TimePoint now) const;
  void begin(TimePoint now);
  void fill(Table& next, const Table& last, double scale);
  Slot& rest(Table& table) const { return table.slots.back(); }

  const Goal goal_;
  Table tables_[2];
  std::atomic<std::size_t> current_{0};
  std::atomic<std::int64_t> began_;  ///< ns of the executor's clock
  std::atomic<std::uint64_t> kept_{0};
  std::atomic_flag is_changing_;
};

}  // namespace sluice::tail_sampling
