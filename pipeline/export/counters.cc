#include "pipeline/export/counters.h"

namespace sluice {
namespace {

Counter& dropped_by(const ExporterContext& context, std::string_view reason) {
  return context.metrics.counter("sluice_exporter_dropped_spans",
                                 "Spans that were taken and then lost, by reason.",
                                 {{"exporter", context.id}, {"reason", std::string(reason)}});
}

Counter& counter(const ExporterContext& context, std::string_view name, std::string_view help) {
  return context.metrics.counter(name, help, {{"exporter", context.id}});
}

Gauge& gauge(const ExporterContext& context, std::string_view name, std::string_view help) {
  return context.metrics.gauge(name, help, {{"exporter", context.id}, {"data_type", "traces"}});
}

}  // namespace

std::string_view loss_name(Loss loss) {
  constexpr std::string_view names[] = {"invalid", "too_large", "permanent", "partial_success",
                                        "unavailable"};
  return names[static_cast<std::size_t>(loss)];
}

ExportCounters::ExportCounters(const ExporterContext& context, bool handed_back)
    : queue_size(gauge(context, "otelcol_exporter_queue_size",
                       "Size of the sending queue, what is being sent included, in its own unit.")),
      queue_capacity(
          gauge(context, "otelcol_exporter_queue_capacity", "Capacity of the sending queue.")),
      in_flight_requests(gauge(context, "otelcol_exporter_in_flight_requests",
                               "Requests being sent or waiting to be sent again.")),
      send_size(context.metrics.histogram(
          "otelcol_exporter_queue_batch_send_size", "Spans in the batches that are sent.",
          {10,   25,   50,   75,   100,  250,  500,   750,   1000,  2000,  3000,
           4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000},
          {{"exporter", context.id}})),
      spans_(context.counters),
      handed_back_(handed_back),
      sent_(counter(context, "otelcol_exporter_sent_spans", "Spans that the destination took.")),
      send_failed_(counter(context, "otelcol_exporter_send_failed_spans",
                           "Spans that could not be sent and are not tried again.")),
      enqueue_failed_(counter(context, "otelcol_exporter_enqueue_failed_spans",
                              "Spans that found no room in the sending queue.")),
      refused_overload_(spans_.refused("overload")),
      dropped_overload_(dropped_by(context, "overload")),
      dropped_stopped_(dropped_by(context, "stopped")) {
  for (std::size_t i = 0; i < failed_.size(); ++i) {
    const std::string_view reason = loss_name(static_cast<Loss>(i));
    failed_[i] = handed_back_ ? &spans_.refused(reason) : &dropped_by(context, reason);
  }
}

void ExportCounters::refused_for_room(std::uint64_t spans) {
  spans_.in.add(spans);
  refused_overload_.add(spans);
  enqueue_failed_.add(spans);
}

void ExportCounters::dropped_for_room(std::uint64_t spans) {
  spans_.in.add(spans);
  spans_.dropped.add(spans);
  dropped_overload_.add(spans);
  enqueue_failed_.add(spans);
}

void ExportCounters::kept(std::uint64_t spans) {
  spans_.in.add(spans);
  taken_over(spans);
}

void ExportCounters::taken_over(std::uint64_t spans) {
  spans_.held.add(static_cast<std::int64_t>(spans));
  held_.fetch_add(spans, std::memory_order_relaxed);
}

void ExportCounters::released(std::uint64_t spans) {
  spans_.held.add(-static_cast<std::int64_t>(spans));
  held_.fetch_sub(spans, std::memory_order_relaxed);
}

void ExportCounters::delivered(std::uint64_t spans) {
  spans_.out.add(spans);
  sent_.add(spans);
  released(spans);
}

void ExportCounters::failed(std::uint64_t spans, Loss loss) {
  if (!handed_back_) spans_.dropped.add(spans);
  failed_[static_cast<std::size_t>(loss)]->add(spans);
  send_failed_.add(spans);
  released(spans);
}

void ExportCounters::abandoned(std::uint64_t spans) {
  spans_.dropped.add(spans);
  dropped_stopped_.add(spans);
  released(spans);
}

}  // namespace sluice
