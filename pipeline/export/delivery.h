#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pipeline/executor.h"
#include "pipeline/export/backoff.h"
#include "pipeline/export/batcher.h"
#include "pipeline/export/counters.h"
#include "pipeline/export/queue.h"
#include "pipeline/export/sender.h"
#include "pipeline/export/size_limit.h"

namespace sluice {

/// What all deliveries of one exporter share.
struct DeliveryShared {
  const std::string id;  ///< the exporter's
  const ExportOptions options;
  Executor& executor;
  ExportCounters& counters;
  SizeLimit size_limit;
  std::minstd_rand random;
  bool stopping = false;
};

/// Sees one batch through to its end: in how many requests, after how many attempts. A batch starts
/// as one piece, or several where the destination is known to take less. A piece that is refused
///   - for now, is sent again after a wait, until the retry budget is spent;
///   - as too large, is halved;
///   - as invalid, is repaired (UTF-8) and sent again; what is still invalid then is halved, so
///   that the
///     spans to blame are found in about 2·log2(n) requests each;
///   - for good, or with a single span left, is lost and counted.
/// Pieces are sent one after the other, in order, each with a retry budget of its own. Once a batch
/// has cost `requests_max`, pieces are no longer halved: then so many spans are bad that the rest
/// of each piece goes with them. One consumer of the queue is one Delivery, used again and again.
class Delivery {
 public:
  static constexpr unsigned requests_max = 1024;

  /// What is to be done next, by the owner.
  enum class Step : std::uint8_t { send, wait, finished };

  explicit Delivery(DeliveryShared& shared) : shared_(shared) {}

  Step begin(Outgoing outgoing);
  /// Of the piece that was sent.
  Step result(SendResult result);
  /// The wait is over.
  Step retry();
  /// The destination is another one from now on: again at once, with a new retry budget.
  Step start_over();

  const SpanBatch& piece() const { return current_.batch; }
  std::chrono::nanoseconds wait() const { return wait_; }
  bool waiting() const { return waiting_; }
  const std::vector<RequestPart>& parts() const { return parts_; }
  const Outcome& outcome() const { return outcome_; }
  void clear();

 private:
  struct Piece {
    SpanBatch batch;
    bool repaired = false;
  };

  Step next_piece();
  Step passed_on(SendResult result);
  Step delivered(const SendResult& result);
  void count_taken(std::uint64_t spans, const SendResult& result);
  Step try_later(SendResult result);
  Step too_large(const SendResult& result);
  Step invalid(const SendResult& result);
  Step lose(Loss loss, const std::string& message);
  void count_loss(std::uint64_t spans, Loss loss, const std::string& message);
  void push_slices(const Piece& piece, std::uint32_t count);
  bool may_halve() const { return current_.batch.span_count() > 1 && requests_ < requests_max; }

  DeliveryShared& shared_;
  std::vector<RequestPart> parts_;
  std::vector<Piece> pieces_;  ///< still to be sent, the next one last
  Piece current_;
  std::optional<Backoff> backoff_;
  std::chrono::nanoseconds wait_{0};
  bool waiting_ = false;
  unsigned requests_ = 0;
  Outcome outcome_;
};

}  // namespace sluice
