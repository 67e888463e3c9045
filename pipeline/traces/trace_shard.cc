#include "pipeline/traces/trace_shard.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "pipeline/log.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

/// Moments at which traces are due are this far apart at most, so that a timer stands for many.
constexpr milliseconds tick_max{100};

/// After so many traces a turn gives way to what else waits on the loop: about a millisecond. Or
/// after so many spans, each of which takes up to a microsecond where it is kept and came alone.
constexpr int traces_a_turn = 1000;
constexpr std::uint64_t spans_a_turn = 20'000;

/// Rounded up to the ticks of the clock.
Executor::TimePoint due_after(Executor::TimePoint now, std::chrono::nanoseconds wait) {
  const auto tick = std::clamp<std::chrono::nanoseconds>(wait / 20, milliseconds(1), tick_max);
  const auto due = (now + wait).time_since_epoch();
  return Executor::TimePoint((due + tick - std::chrono::nanoseconds(1)) / tick * tick);
}

}  // namespace

TraceShard::TraceShard(const ProcessorContext& processor, TracePool& pool,
                       const GrowthQuestions* growth)
    : pool_(pool),
      executor_(processor.executor),
      counters_(processor.counters),
      traces_(pool.account, processor.ledger, pool.shards.size(), growth),
      outbox_(processor, pool.shards.size() > 1, [this] { end_turn(); }),
      spare_(pool.spare_lists[processor.worker]) {}

void TraceShard::take(SpanBatch batch, std::vector<Arrival> arrivals) {
  const TimePoint now = executor_.now();
  traces_.find(arrivals);
  sort_out(batch, arrivals);
  traces_.add(std::move(batch), arrivals, now);
  std::uint64_t fresh = 0;
  for (const Arrival& each : arrivals) {
    await(each, now);
    fresh += each.is_new;
  }
  pool_.metrics.fresh.add(fresh);
  look_at(arrivals, now);
  for (const Arrival& each : arrivals) check_size(each.trace, now);
  make_room(now);
  tidy(by_first_span_);
  tidy(by_root_);
  arm();
  spare_.put(std::move(arrivals));
  end_turn();
}

void TraceShard::post(SpanBatch batch, std::vector<Arrival> arrivals) {
  in_transit_.fetch_add(1, std::memory_order_acq_rel);
  executor_.post([this, held = std::move(batch), list = std::move(arrivals)]() mutable {
    in_transit_.fetch_sub(1, std::memory_order_acq_rel);
    take(std::move(held), std::move(list));
  });
}

void TraceShard::await(const Arrival& arrival, TimePoint now) {
  if (arrival.is_new)
    by_first_span_.push_back({arrival.trace, arrival.hash, due_after(now, pool_.bounds.wait)});
  const auto after_root = pool_.bounds.wait_after_root;
  if (arrival.is_first_root && after_root.count() > 0)
    by_root_.push_back({arrival.trace, arrival.hash, due_after(now, after_root)});
}

void TraceShard::check_size(TraceHandle trace, TimePoint now) {
  if (!traces_.holds(trace) || traces_.facts(trace).bytes < pool_.bounds.trace_max_bytes) return;
  let_go(trace, DueReason::too_large, now);
}

/// At the limits the oldest traces go now, with what has come of them.
void TraceShard::make_room(TimePoint now) {
  if (pool_.bounds.refuse_newcomers) return;
  while (is_above_num_traces()) {
    const Due* oldest = front(by_first_span_);
    if (oldest == nullptr) break;
    let_go_early(oldest->trace, DueReason::over_traces, now);
  }
  follow(now);
  const std::size_t shards = pool_.shards.size();
  while (excess() > 0 && !pool_.is_behind()) {
    if (!let_go_oldest(excess() / shards + 1, now) || shards > 1) return;
  }
}

/// As much as is too much goes before what is left of its requests is copied together, so that this
/// is done once. What came in one request is free when all shards have let go of it, so they go
/// back to one moment, and who has got there waits for the others: going on alone it would let go
/// of all that it has, and free nothing.
bool TraceShard::let_go_oldest(std::size_t bytes, TimePoint now) {
  TimePoint until;
  std::size_t gone = 0;
  while (gone < bytes) {
    const Due* oldest = front(by_first_span_);
    if (oldest == nullptr) break;
    until = traces_.first_seen(oldest->trace);
    gone += traces_.facts(oldest->trace).bytes;
    let_go_early(oldest->trace, DueReason::over_bytes, now);
  }
  traces_.compact();
  if (gone == 0 || pool_.shards.size() == 1) return gone > 0;
  pool_.go_back_to(until);
  follow(now);
  for (TraceShard* other : pool_.shards) {
    if (other != this) other->call();
  }
  return true;
}

/// Lets go of what is to go in all shards.
void TraceShard::follow(TimePoint now) {
  const TimePoint until = pool_.gone_until();
  if (until <= reached()) return;
  for (const Due* oldest = front(by_first_span_);
       oldest != nullptr && traces_.first_seen(oldest->trace) <= until;
       oldest = front(by_first_span_))
    let_go_early(oldest->trace, DueReason::over_bytes, now);
  traces_.compact();
  reached_.store(until);
}

/// Another shard waits for this one. Not once they stop: then all that is left goes anyhow, and
/// this one may be gone.
void TraceShard::call() {
  if (is_called_.exchange(true)) return;
  in_transit_.fetch_add(1);
  if (pool_.is_stopping) {
    in_transit_.fetch_sub(1);
    return;
  }
  executor_.post([this] {
    is_called_ = false;
    in_transit_.fetch_sub(1);
    make_room(executor_.now());
    end_turn();
  });
}

void TraceShard::let_go_early(TraceHandle trace, DueReason reason, TimePoint now) {
  say_too_early(trace, reason, now);
  pool_.metrics.too_early.add(1);
  let_go(trace, reason, now);
}

/// Once in a while, since it makes text.
void TraceShard::say_too_early(TraceHandle trace, DueReason reason, TimePoint now) {
  if (now < quiet_until_) return;
  quiet_until_ = now + std::chrono::seconds(10);
  const auto seconds = [](Executor::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  log::limited(log::Level::warn, "traces are let go before their time: the buffer is full",
               {{"reason", std::string(due_reason_words[static_cast<std::size_t>(reason)])},
                {"seconds_held", seconds(now - traces_.first_seen(trace))},
                {"wait_seconds", seconds(pool_.bounds.wait)}});
}

/// What others hold may be out of date by a turn.
bool TraceShard::is_above_num_traces() const {
  const std::uint64_t others = pool_.traces.load(std::memory_order_relaxed) - traces_told_;
  return others + traces_.size() > pool_.bounds.num_traces;
}

/// Bytes above what may be held.
std::size_t TraceShard::excess() const {
  const std::size_t used = pool_.account.used();
  return used - std::min<std::size_t>(used, pool_.bounds.max_bytes);
}

void TraceShard::drop(TraceHandle trace) {
  count_dropped(traces_.facts(trace).spans);
  traces_.drop(trace);
}

/// The first that still waits; those before it were let go for other reasons.
const TraceShard::Due* TraceShard::front(std::deque<Due>& queue) const {
  while (!queue.empty() && !traces_.holds(queue.front().trace)) queue.pop_front();
  return queue.empty() ? nullptr : &queue.front();
}

/// Those that were let go for other reasons must not pile up behind one that waits. What this costs
/// is shared by as many traces that came since the last time.
void TraceShard::tidy(std::deque<Due>& queue) const {
  constexpr std::size_t few = 1000;
  if (queue.size() <= 2 * traces_.size() + few) return;
  std::erase_if(queue, [this](const Due& due) { return !traces_.holds(due.trace); });
}

/// What is due in a moment is long out of the cache.
void TraceShard::prefetch(const std::deque<Due>& queue) const {
  constexpr std::size_t ahead = 8;
  if (queue.size() <= ahead) return;
  const Due& later = queue[ahead];
  traces_.prefetch(later.trace, later.hash);
  prefetch_more(later.hash);
}

void TraceShard::arm() {
  if (goes_on_ || stopped_) return;
  const Due* first = front(by_first_span_);
  if (const Due* root = front(by_root_); root != nullptr && (!first || root->at < first->at))
    first = root;
  if (first == nullptr) return timer_.cancel();
  if (timer_ && timer_at_ <= first->at) return;
  timer_at_ = first->at;
  timer_ =
      executor_.after(std::max(first->at - executor_.now(), Executor::Duration::zero()), [this] {
        timer_ = {};
        let_go_due();
      });
}

std::optional<std::pair<TraceHandle, DueReason>> TraceShard::next_due(TimePoint now) {
  if (stopped_) {
    const Due* any = front(by_first_span_);
    if (any == nullptr) return std::nullopt;
    return std::pair(any->trace, DueReason::stopped);
  }
  if (const Due* root = front(by_root_); root != nullptr && root->at <= now)
    return std::pair(root->trace, DueReason::root);
  if (const Due* first = front(by_first_span_); first != nullptr && first->at <= now)
    return std::pair(first->trace, DueReason::waited);
  return std::nullopt;
}

void TraceShard::let_go_due() {
  const TimePoint begin = executor_.now();
  goes_on_ = false;
  std::uint64_t spans = 0;
  for (int count = 0; count < traces_a_turn && spans < spans_a_turn; ++count) {
    const auto due = next_due(begin);
    if (!due) break;
    const auto& [trace, reason] = *due;
    spans += traces_.facts(trace).spans;
    prefetch(reason == DueReason::root ? by_root_ : by_first_span_);
    let_go(trace, reason, begin);
  }
  const std::chrono::duration<double, std::milli> took = executor_.now() - begin;
  pool_.metrics.turn_ms.observe(took.count());
  if (next_due(begin)) {
    goes_on_ = true;
    executor_.post([this] { let_go_due(); });
  } else {
    arm();
    traces_.compact();
  }
  end_turn();
}

/// Hands on what leaves and says how things stand.
void TraceShard::end_turn() {
  outbox_.flush();
  is_shut_.store(outbox_.refusal().has_value(), std::memory_order_relaxed);
  tell();
  // Not with each trace: all shards write to these.
  if (dropped_ > 0) {
    counters_.dropped.add(dropped_);
    counters_.held.add(-static_cast<std::int64_t>(std::exchange(dropped_, 0)));
  }
  const std::uint64_t change = traces_.size() - std::exchange(traces_told_, traces_.size());
  if (change != 0) {
    pool_.traces.fetch_add(change, std::memory_order_relaxed);
    pool_.metrics.held.add(static_cast<std::int64_t>(change));
  }
  finish_if_empty();
}

void TraceShard::stop(Task done) {
  pool_.is_stopping = true;
  // What other workers have posted comes first.
  if (in_transit_.load() > 0) {
    executor_.post([this, later = std::move(done)]() mutable { stop(std::move(later)); });
    return;
  }
  stopped_ = std::move(done);
  timer_.cancel();
  if (!goes_on_) let_go_due();
}

void TraceShard::finish_if_empty() {
  if (!stopped_ || goes_on_ || traces_.size() > 0 || !outbox_.is_empty()) return;
  std::exchange(stopped_, nullptr)();
}

}  // namespace sluice
