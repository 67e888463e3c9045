#include "pipeline/process_metrics.h"

#include <malloc.h>
#include <sys/resource.h>

#include <chrono>

#include "pipeline/memory_limit.h"

namespace sluice {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double heap_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks) + static_cast<double>(heap.hblkhd);
}

double system_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.arena) + static_cast<double>(heap.hblkhd);
}

}  // namespace

void register_process_metrics(Metrics& metrics, const Ledger& ledger) {
  const auto start = std::chrono::steady_clock::now();
  metrics.counter_callback(
      "otelcol_process_uptime", "Uptime of the process in seconds.", {}, [start] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      });
  metrics.counter_callback("otelcol_process_cpu_seconds",
                           "CPU time of the process, user and system.", {}, cpu_seconds);
  metrics.gauge_callback("otelcol_process_memory_rss", "Resident memory of the process in bytes.",
                         {}, [] { return static_cast<double>(resident_memory()); });
  metrics.gauge_callback("otelcol_process_runtime_heap_alloc_bytes", "Bytes of the heap in use.",
                         {}, heap_bytes);
  metrics.gauge_callback("otelcol_process_runtime_total_sys_memory_bytes",
                         "Bytes of the heap taken from the operating system.", {}, system_bytes);
  metrics.gauge_callback("sluice_in_flight_bytes", "Bytes between socket and backend.", {},
                         [&ledger] { return static_cast<double>(ledger.used()); });
  metrics.gauge_callback("sluice_in_flight_limit_bytes", "What service.limits.in_flight allows.",
                         {}, [&ledger] { return static_cast<double>(ledger.limit()); });
}

}  // namespace sluice
