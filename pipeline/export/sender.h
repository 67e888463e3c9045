#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/component.h"

/// What stands around every exporter: `sending_queue`, `retry_on_failure`, `timeout`. An exporter
/// is a Sender, which tries once to deliver one batch and says how that went; all else is here.
namespace sluice {

struct SendResult {
  enum class Kind : std::uint8_t {
    delivered,
    retry,  ///< not now: no connection, busy, timed out; `delay` where the destination said when
    too_large,  ///< RESOURCE_EXHAUSTED without RetryInfo, 413: halve and send again
    invalid,    ///< INVALID_ARGUMENT, 400: repair, then bisect
    permanent,  ///< nothing of it will ever be taken (401, 404, UNIMPLEMENTED …)
  };
  Kind kind = Kind::delivered;
  std::string message;
  std::chrono::milliseconds delay{0};
  std::uint64_t rejected_spans = 0;  ///< partial success: counted and logged, never sent again
  /// With `retry`, where some of the batch was taken or rejected: what alone is to be sent again.
  SpanBatch left;
  /// The batch went to other queues of the same exporter, which have counted what became of it.
  bool passed_on = false;
};
using SendDone = UniqueFunction<void(SendResult)>;

class Sender {
 public:
  /// No `done` is called once this has returned; those not called yet may be called in it or
  /// dropped.
  virtual ~Sender() = default;
  virtual bool start(std::string& error) = 0;
  /// Tries once; `done` exactly once, on any thread, within `timeout` (0: no limit). Called on the
  /// exporter's executor, several at once up to num_consumers. The batch stays with the caller's
  /// copy.
  virtual void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) = 0;
  /// Nothing is under way any more: flush and close. Called at most once, on the exporter's
  /// executor, even if `start` never was.
  virtual void stop() = 0;
};

struct QueueOptions {
  enum class Sizer : std::uint8_t { requests, items, bytes };
  bool enabled = true;
  std::uint32_t num_consumers = 10;
  std::uint64_t queue_size = 1000;
  Sizer sizer = Sizer::requests;
  bool block_on_overflow = false;
  bool wait_for_result = false;
  bool required = true;  ///< ours: false = drops and counts instead of refusing for the others
  /// Whether a sender is answered only when the destination has.
  bool waits_for_result() const { return wait_for_result || !enabled; }
  struct Batch {
    bool enabled = false;
    std::chrono::nanoseconds flush_timeout = std::chrono::milliseconds(200);
    std::uint64_t min_size = 8192;
    std::uint64_t max_size = 0;
    Sizer sizer = Sizer::items;
    std::vector<std::string> metadata_keys;  ///< partition
    std::uint32_t partitions_max = 10000;
    std::chrono::nanoseconds partition_idle_timeout = std::chrono::seconds(90);
  } batch;
};

struct RetryOptions {
  bool enabled = true;
  std::chrono::nanoseconds initial_interval = std::chrono::seconds(5);
  std::chrono::nanoseconds max_interval = std::chrono::seconds(30);
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  std::chrono::nanoseconds max_elapsed_time = std::chrono::seconds(300);  ///< 0: for ever
  std::uint64_t jitter_seed = 0;  ///< not an option: tests fix it; 0 seeds by chance
};

struct ExportOptions {
  QueueOptions queue;
  RetryOptions retry;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
};

/// Reads `sending_queue`, `retry_on_failure` and `timeout` of an exporter's node; defaults are
/// those in `options` on entry.
void decode_export(const config::Node& node, ExportOptions& options);

/// `sending_queue` alone, for exporters that have no more of it.
void decode_sending_queue(const config::Node& node, QueueOptions& queue);

/// An exporter whose destination may be given up for others, when it is one of several.
class QueuedExporter : public Exporter {
 public:
  /// Nothing more goes to the destination: what waits, what comes yet, and what fails for now of
  /// that which is under way goes through `elsewhere`, once. On the exporter's executor, at most
  /// once.
  virtual void redirect(std::unique_ptr<Sender> elsewhere) = 0;
  /// Keeps what another queue of the same exporter had accepted: never refused for want of room,
  /// and not `in` a second time. Any thread.
  virtual void take_over(SpanBatch batch, Ack ack) = 0;
};

/// An exporter around the sender: queue (memory), merging, consumers, retry, halving and bisection.
std::unique_ptr<QueuedExporter> make_exporter(const ExporterContext& context,
                                              const ExportOptions& options,
                                              std::unique_ptr<Sender> sender);

}  // namespace sluice
