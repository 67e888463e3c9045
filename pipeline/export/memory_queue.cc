#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/export/queue.h"

namespace sluice {
namespace {

/// Senders that wait for room hold their connection's request open; more of them than this are
/// refused as if block_on_overflow were off.
constexpr std::size_t waiters_max = 10'000;
/// What a handful of surviving spans may pin of the request they came in (design: pinning guard).
constexpr double wanted_share_min = 0.25;
constexpr std::chrono::milliseconds come_back{1000};

/// Asked of the whole batch, which is a few additions; `compacted` looks at every span.
bool pins_too_much(const SpanBatch& batch) {
  return static_cast<double>(batch.wire_size()) <
         wanted_share_min * static_cast<double>(batch.pinned());
}

/// Requests live in slots that are used again, so that a steady flow allocates nothing here; a
/// request's id is its slot. Slots that wait to be taken are chained in order of arrival. Acks are
/// resolved outside the lock, since an answer may go anywhere.
class MemoryQueue final : public RequestQueue {
 public:
  MemoryQueue(const QueueOptions& options, ExportCounters& counters, std::function<void()> on_ready)
      : options_(options), counters_(counters), on_ready_(std::move(on_ready)) {
    capacity_ =
        options.enabled ? options.queue_size : std::numeric_limits<std::uint64_t>::max() / 2;
    if (options.enabled) counters_.queue_capacity.add(static_cast<std::int64_t>(capacity_));
  }
  ~MemoryQueue() override {
    if (options_.enabled) counters_.queue_capacity.add(-static_cast<std::int64_t>(capacity_));
  }

  void consume(SpanBatch batch, Ack ack) override { offer(std::move(batch), {}, std::move(ack)); }
  std::optional<Answer> reserve(const Load& load) override;
  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    offer(std::move(batch), reserved_size(reserved), std::move(ack));
  }
  void cancel(const Load& reserved) override;
  void take_over(SpanBatch batch, Ack ack) override;

  void take(std::vector<QueuedRequest>& out, std::size_t count) override;
  void settle(std::span<const RequestPart> parts, const Outcome& outcome) override;
  std::size_t request_count() const override;
  void abandon() override;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Slot {
    SpanBatch batch;
    Ack ack;
    std::uint64_t size = 0;
    std::uint32_t spans_left = 0;
    std::uint32_t next = none;
    Outcome outcome;
  };
  struct Waiter {
    SpanBatch batch;
    Ack ack;
    std::uint64_t size = 0;
  };
  /// What is left to do once the lock is free.
  struct Afterwards {
    std::vector<std::pair<Ack, Answer>> answers;
    bool wake = false;
  };

  std::uint64_t size_of(const Load& load) const {
    switch (options_.sizer) {
      case QueueOptions::Sizer::items: return load.spans;
      case QueueOptions::Sizer::bytes: return load.bytes;
      case QueueOptions::Sizer::requests: break;
    }
    return 1;
  }
  /// Nothing is reserved for nothing, nor by who drops when full.
  std::optional<std::uint64_t> reserved_size(const Load& load) const {
    if (!options_.required || load.spans == 0) return std::nullopt;
    return size_of(load);
  }
  bool has_room(std::uint64_t size) const {
    const std::uint64_t taken = used_ + reserved_;
    return taken == 0 || (taken < capacity_ && size <= capacity_ - taken);
  }
  bool may_wait() const {
    return options_.block_on_overflow && waiters_.size() + reservations_ < waiters_max;
  }
  void give_back(std::uint64_t reserved);
  void offer(SpanBatch batch, std::optional<std::uint64_t> reserved, Ack ack);
  void no_room(std::uint64_t spans, Ack ack);
  void insert(SpanBatch batch, std::uint64_t size, Ack& ack, Afterwards& afterwards);
  void release(std::uint32_t index, Afterwards& afterwards);
  void admit_waiters(Afterwards& afterwards);
  void finish(Afterwards afterwards);

  const QueueOptions options_;
  ExportCounters& counters_;
  const std::function<void()> on_ready_;
  std::uint64_t capacity_ = 0;

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = none;
  std::uint32_t oldest_ = none, newest_ = none;
  std::size_t request_count_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t reserved_ = 0;
  std::size_t reservations_ = 0;
  std::deque<Waiter> waiters_;
  bool wake_wanted_ = true;
};

std::optional<Answer> MemoryQueue::reserve(const Load& load) {
  const std::optional<std::uint64_t> size = reserved_size(load);
  if (!size) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    if ((waiters_.empty() && has_room(*size)) || may_wait()) {
      reserved_ += *size;
      ++reservations_;
      return std::nullopt;
    }
  }
  counters_.refused_for_room(load.spans);
  return Answer{Verdict::retry_later, come_back, "the sending queue is full"};
}

void MemoryQueue::give_back(std::uint64_t reserved) {
  ensure(reservations_ > 0 && reserved_ >= reserved, "a reservation ends once");
  reserved_ -= reserved;
  --reservations_;
}

void MemoryQueue::cancel(const Load& reserved) {
  const std::optional<std::uint64_t> size = reserved_size(reserved);
  if (!size) return;
  Afterwards afterwards;
  {
    const std::lock_guard lock(mutex_);
    give_back(*size);
    admit_waiters(afterwards);
  }
  finish(std::move(afterwards));
}

void MemoryQueue::offer(SpanBatch batch, std::optional<std::uint64_t> reserved, Ack ack) {
  const Load load = Load::of(batch);
  const std::uint64_t size = size_of(load);
  if (pins_too_much(batch)) batch = batch.compacted(wanted_share_min);
  Afterwards afterwards;
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    if (reserved) give_back(*reserved);
    const bool promised = reserved && !options_.block_on_overflow;
    if (batch.empty()) {
      // What was filtered away needs no room; the Ack is answered below.
    } else if (promised || (waiters_.empty() && has_room(size))) {
      counters_.kept(load.spans);
      insert(std::move(batch), size, ack, afterwards);
    } else if (reserved || may_wait()) {
      counters_.kept(load.spans);
      waiters_.push_back({std::move(batch), std::move(ack), size});
    } else {
      refused = true;
    }
    if (reserved) admit_waiters(afterwards);
  }
  if (refused) {
    no_room(load.spans, std::move(ack));
  } else {
    ack.accepted();
  }
  finish(std::move(afterwards));
}

void MemoryQueue::take_over(SpanBatch batch, Ack ack) {
  const Load load = Load::of(batch);
  Afterwards afterwards;
  {
    const std::lock_guard lock(mutex_);
    counters_.taken_over(load.spans);
    insert(std::move(batch), size_of(load), ack, afterwards);
  }
  ack.accepted();
  finish(std::move(afterwards));
}

void MemoryQueue::no_room(std::uint64_t spans, Ack ack) {
  if (options_.required) {
    counters_.refused_for_room(spans);
    return ack.retry_later("the sending queue is full", come_back);
  }
  counters_.dropped_for_room(spans);
  ack.accepted();
}

/// Takes the Ack too when it waits for the result.
void MemoryQueue::insert(SpanBatch batch, std::uint64_t size, Ack& ack, Afterwards& afterwards) {
  if (free_ == none) {
    free_ = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  const std::uint32_t index = free_;
  Slot& slot = slots_[index];
  free_ = std::exchange(slot.next, none);
  slot.spans_left = batch.span_count();
  slot.batch = std::move(batch);
  slot.size = size;
  if (options_.waits_for_result()) slot.ack = std::move(ack);
  (oldest_ == none ? oldest_ : slots_[newest_].next) = index;
  newest_ = index;
  used_ += size;
  ++request_count_;
  counters_.queue_size.add(static_cast<std::int64_t>(size));
  if (std::exchange(wake_wanted_, false)) afterwards.wake = true;
}

void MemoryQueue::take(std::vector<QueuedRequest>& out, std::size_t count) {
  const std::lock_guard lock(mutex_);
  for (; count > 0 && oldest_ != none; --count) {
    const std::uint32_t index = oldest_;
    Slot& slot = slots_[index];
    oldest_ = std::exchange(slot.next, none);
    out.push_back({index, std::move(slot.batch)});
  }
  if (count > 0) wake_wanted_ = true;
}

void MemoryQueue::settle(std::span<const RequestPart> parts, const Outcome& outcome) {
  Afterwards afterwards;
  {
    const std::lock_guard lock(mutex_);
    for (const RequestPart& part : parts) {
      const auto index = static_cast<std::uint32_t>(part.id);
      ensure(index < slots_.size() && slots_[index].spans_left >= part.spans,
             "spans are settled once");
      Slot& slot = slots_[index];
      slot.outcome.delivered_some |= outcome.delivered_some;
      slot.outcome.failed_for_now |= outcome.failed_for_now;
      slot.outcome.delay = std::max(slot.outcome.delay, outcome.delay);
      if (!outcome.message.empty()) slot.outcome.message = outcome.message;
      slot.spans_left -= part.spans;
      if (slot.spans_left == 0) release(index, afterwards);
    }
    admit_waiters(afterwards);
  }
  finish(std::move(afterwards));
}

/// Delivered in part and failed for now means "again": a duplicate is better than a loss.
Answer answer_for(Outcome outcome) {
  if (outcome.failed_for_now)
    return {Verdict::retry_later, outcome.delay, std::move(outcome.message)};
  if (outcome.delivered_some) return {};
  return {Verdict::rejected, {}, std::move(outcome.message)};
}

void MemoryQueue::release(std::uint32_t index, Afterwards& afterwards) {
  Slot& slot = slots_[index];
  Outcome outcome = std::exchange(slot.outcome, {});
  if (options_.waits_for_result()) {
    afterwards.answers.emplace_back(std::move(slot.ack), answer_for(std::move(outcome)));
  }
  used_ -= slot.size;
  --request_count_;
  counters_.queue_size.add(-static_cast<std::int64_t>(slot.size));
  slot.next = std::exchange(free_, index);
}

void MemoryQueue::admit_waiters(Afterwards& afterwards) {
  while (!waiters_.empty() && has_room(waiters_.front().size)) {
    Waiter waiter = std::move(waiters_.front());
    waiters_.pop_front();
    insert(std::move(waiter.batch), waiter.size, waiter.ack, afterwards);
    afterwards.answers.emplace_back(std::move(waiter.ack), Answer{});
  }
}

void MemoryQueue::finish(Afterwards afterwards) {
  for (auto& [ack, answer] : afterwards.answers) ack.resolve(std::move(answer));
  if (afterwards.wake) on_ready_();
}

std::size_t MemoryQueue::request_count() const {
  const std::lock_guard lock(mutex_);
  return request_count_ + waiters_.size();
}

void MemoryQueue::abandon() {
  std::vector<Slot> slots;
  std::deque<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    counters_.queue_size.add(-static_cast<std::int64_t>(used_));
    slots.swap(slots_);
    waiters.swap(waiters_);
    free_ = oldest_ = newest_ = none;
    used_ = 0;
    request_count_ = 0;
  }
}

}  // namespace

std::unique_ptr<RequestQueue> make_memory_queue(const QueueOptions& options,
                                                ExportCounters& counters,
                                                std::function<void()> on_ready) {
  return std::make_unique<MemoryQueue>(options, counters, std::move(on_ready));
}

}  // namespace sluice
