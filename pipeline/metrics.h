#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Any thread; one relaxed atomic add, done per request and not per span.
class Counter {
 public:
  void add(std::uint64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Fixed upper bounds, ascending; the last bucket is +Inf.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value) { observe(value, 1); }
  void observe(double value, std::uint64_t times);
  const std::vector<double>& bounds() const { return bounds_; }
  std::uint64_t bucket(std::size_t index) const {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

/// All of the process's own metrics, by name and labels. Asking twice for the same gives the same
/// object, which lives as long as the registry; asking takes a lock, so components ask once, when
/// they are built. Names are those of the collector's own telemetry, so that dashboards keep
/// working; `help` is the text of the exposition. Series per name are bounded (`series_max`): past
/// it, one series labelled `overflow="true"` takes the rest.
class Metrics {
 public:
  static constexpr std::size_t series_max = 2000;
  Metrics();
  ~Metrics();

  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       Labels labels = {});
  /// Read when scraped, under the registry's lock: `read` must not ask it for anything. Registering
  /// the same name and labels again replaces the reader.
  void gauge_callback(std::string_view name, std::string_view help, Labels labels,
                      std::function<double()> read);
  void counter_callback(std::string_view name, std::string_view help, Labels labels,
                        std::function<double()> read);

  /// Text exposition format 0.0.4; `resource` becomes `target_info`.
  std::string prometheus(const Labels& resource = {}) const;
  /// For tests and the exit report: the sum over all series of `name` that carry every one of
  /// `labels`; of a histogram, the number of observations.
  double value(std::string_view name, const Labels& labels = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The five counters that every component keeps, under the same names everywhere; always
/// in = out + dropped + refused + held. Exposed as sluice_component_spans{component,kind,flow} and,
/// since it falls too, sluice_component_held_spans{component,kind}.
struct SpanCounters {
  SpanCounters(Metrics& metrics, std::string_view kind, std::string_view component);
  Counter& in;       ///< offered
  Counter& out;      ///< handed over and accepted, once whatever the fan-out; exporters: delivered
  Counter& dropped;  ///< by decision
  Gauge& held;
  /// Refused, by reason: a short word such as "overload", "invalid", "too_large". Bounded: asking
  /// for a reason takes a lock, so components keep the reference.
  Counter& refused(std::string_view reason);

 private:
  Metrics& metrics_;
  std::string kind_, component_;
};

}  // namespace sluice
