#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "pipeline/component.h"

namespace sluice {

/// Why spans that an exporter had taken were not delivered.
enum class Loss : std::uint8_t { invalid, too_large, permanent, partial_success, unavailable };
std::string_view loss_name(Loss loss);

/// What an exporter counts, as verbs: the five component counters, the collector's names, and the
/// spans that this instance holds. Where the sender of a batch waits for the result, a failure is
/// handed back to it (refused); otherwise it is a loss (dropped). Any thread.
class ExportCounters {
 public:
  ExportCounters(const ExporterContext& context, bool handed_back);

  void refused_for_room(std::uint64_t spans);
  void dropped_for_room(std::uint64_t spans);
  void kept(std::uint64_t spans);
  /// From another queue of the same exporter, and to one.
  void taken_over(std::uint64_t spans);
  void passed_on(std::uint64_t spans) { released(spans); }
  void delivered(std::uint64_t spans);
  void failed(std::uint64_t spans, Loss loss);
  /// The exporter ends while it holds these.
  void abandoned(std::uint64_t spans);
  std::uint64_t held() const { return held_.load(std::memory_order_relaxed); }

  Gauge& queue_size;
  Gauge& queue_capacity;
  Gauge& in_flight_requests;
  Histogram& send_size;

 private:
  void released(std::uint64_t spans);

  SpanCounters& spans_;
  bool handed_back_;
  std::atomic<std::uint64_t> held_{0};
  Counter& sent_;
  Counter& send_failed_;
  Counter& enqueue_failed_;
  Counter& refused_overload_;
  Counter& dropped_overload_;
  Counter& dropped_stopped_;
  std::array<Counter*, 5> failed_;
};

}  // namespace sluice
