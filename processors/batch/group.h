#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/handover.h"

namespace sluice {

struct BatchOptions {
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);
  std::uint32_t send_batch_size = 8192;
  std::uint32_t send_batch_max_size = 0;            ///< 0: batches are not split
  std::vector<std::string> metadata_keys;           ///< lower case, sorted
  std::uint32_t metadata_cardinality_limit = 1000;  ///< 0: no limit
};

struct BatchMetrics {
  explicit BatchMetrics(const ProcessorContext& context);
  SpanCounters& spans;
  Counter& overload;     ///< refused: downstream does not take what is held
  Counter& cardinality;  ///< refused: too many groups
  Histogram& send_size;
  Counter& size_trigger;
  Counter& timeout_trigger;
  Gauge& metadata_cardinality;
};

/// Collects the requests of one combination of metadata values and hands them over in batches, one
/// at a time: the next is cut when the one before was accepted, and grows meanwhile. A batch
/// refused downstream is kept and handed over again; newcomers are refused until it was taken.
/// Bound: what is out, and `spans_max` spans behind it. Lives on its instance's executor, like
/// everything that calls it.
class BatchGroup final : private Handover::Owner {
 public:
  class Owner {
   public:
    /// The group holds nothing any more; it may be destroyed in this call.
    virtual void went_idle(BatchGroup& group) = 0;

   protected:
    ~Owner() = default;
  };

  /// `key` is how the owner finds it, `context` what its batches carry. The references outlive the
  /// group.
  BatchGroup(const BatchOptions& options, BatchMetrics& metrics, const ProcessorContext& processor,
             std::string key, RequestContextRef context, Owner& owner);
  ~BatchGroup();
  BatchGroup(const BatchGroup&) = delete;
  BatchGroup& operator=(const BatchGroup&) = delete;

  /// The refusal for `spans` more, if there is no room for them.
  std::optional<Answer> refusal(std::uint64_t spans) const;
  /// May end in `went_idle`, and so destroy the group.
  void add(SpanBatch batch);
  /// Hands over everything, whatever its size. May destroy the group likewise.
  void flush();
  const std::string& key() const { return key_; }
  bool idle() const { return collected_spans_ == 0 && !handover_.is_busy(); }

  static std::uint64_t spans_max(const BatchOptions& options);

 private:
  void advance();
  void send_what_is_due();
  bool full() const;
  void close_collection();
  SpanBatch cut();
  void settled(std::uint64_t spans, bool was_taken) override;

  const BatchOptions& options_;
  BatchMetrics& metrics_;
  Executor& executor_;
  const std::string key_;
  const RequestContextRef context_;
  Owner& owner_;

  std::vector<SpanBatch> collected_;  ///< each of about send_batch_size spans, then
  BatchMerger merger_;                ///< what came last
  std::uint32_t front_taken_ = 0;  ///< spans of the first collected request that have left already
  std::uint64_t collected_spans_ = 0;
  bool due_ = false;          ///< all that is collected goes, whatever its size
  bool advancing_ = false;    ///< `send_what_is_due` is on the stack
  Timer timeout_;             ///< runs while something is collected
  bool out_by_size_ = false;  ///< why the batch that is out was cut
  Handover handover_;
};

}  // namespace sluice
