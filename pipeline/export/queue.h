#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/export/counters.h"
#include "pipeline/export/sender.h"

namespace sluice {

/// Names a request while the queue has it.
using RequestId = std::uint64_t;

struct QueuedRequest {
  RequestId id = 0;
  SpanBatch batch;
};

/// Some spans of a request: batches for sending are made of parts of requests.
struct RequestPart {
  RequestId id = 0;
  std::uint32_t spans = 0;
};

/// How the sending of a batch ended, of which some spans may have been delivered and others not.
struct Outcome {
  bool delivered_some = false;
  bool failed_for_now = false;  ///< some of it might be taken another time
  std::string message;          ///< why it failed
  std::chrono::milliseconds delay{0};
};

/// What waits to be sent, and what is being sent until its end is known. The door's side (Consumer)
/// is called from any thread, the sending side from the exporter's executor alone. Requests come
/// out in the order they came in. The one that is there keeps them in memory; a log on disk fits
/// the same shape: ids are its positions, `settle` moves its cursor.
class RequestQueue : public Consumer {
 public:
  /// As QueuedExporter::take_over.
  virtual void take_over(SpanBatch batch, Ack ack) = 0;
  /// Appends up to `count` requests, oldest first. When there are fewer, `on_ready` will be called,
  /// once, when there are more.
  virtual void take(std::vector<QueuedRequest>& out, std::size_t count) = 0;
  /// These spans are done with, one way or another; a request without any left makes room.
  virtual void settle(std::span<const RequestPart> parts, const Outcome& outcome) = 0;
  /// Requests waiting or being sent, and senders waiting for room.
  virtual std::size_t request_count() const = 0;
  /// Lets everything go; who waits is told to come back.
  virtual void abandon() = 0;
};

/// In memory, bounded by `queue_size` in units of `sizer`, what is being sent included. A request
/// larger than the whole queue is taken when the queue is empty. `on_ready` is called from the
/// thread that brings the request.
std::unique_ptr<RequestQueue> make_memory_queue(const QueueOptions& options,
                                                ExportCounters& counters,
                                                std::function<void()> on_ready);

}  // namespace sluice
