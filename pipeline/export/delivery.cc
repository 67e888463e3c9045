#include "pipeline/export/delivery.h"

#include <algorithm>
#include <utility>

#include "pipeline/log.h"
#include "pipeline/utf8.h"

namespace sluice {
namespace {

/// While the exporter drains, the process waits: what can still be delivered should be soon.
constexpr std::chrono::nanoseconds wait_max_while_stopping = std::chrono::seconds(1);

}  // namespace

Delivery::Step Delivery::begin(Outgoing outgoing) {
  parts_ = std::move(outgoing.parts);
  outcome_ = {};
  requests_ = 0;
  Piece whole{std::move(outgoing.batch)};
  shared_.counters.send_size.observe(whole.batch.span_count());
  const std::size_t limit = shared_.size_limit.current();
  const std::size_t size = limit == 0 ? 0 : whole.batch.encoded_size();
  if (size > limit) {
    push_slices(whole, static_cast<std::uint32_t>((size + limit - 1) / limit));
  } else {
    pieces_.push_back(std::move(whole));
  }
  return next_piece();
}

void Delivery::clear() {
  parts_.clear();
  pieces_.clear();
  current_ = {};
  waiting_ = false;
}

Delivery::Step Delivery::next_piece() {
  if (pieces_.empty()) return Step::finished;
  current_ = std::move(pieces_.back());
  pieces_.pop_back();
  return start_over();
}

Delivery::Step Delivery::start_over() {
  waiting_ = false;
  backoff_.emplace(shared_.options.retry, shared_.executor.now());
  ++requests_;
  return Step::send;
}

Delivery::Step Delivery::result(SendResult result) {
  if (result.passed_on) return passed_on(std::move(result));
  switch (result.kind) {
    case SendResult::Kind::delivered: return delivered(result);
    case SendResult::Kind::retry: return try_later(std::move(result));
    case SendResult::Kind::too_large: return too_large(result);
    case SendResult::Kind::invalid: return invalid(result);
    case SendResult::Kind::permanent: break;
  }
  return lose(Loss::permanent, result.message);
}

Delivery::Step Delivery::retry() {
  waiting_ = false;
  ++requests_;
  return Step::send;
}

/// Who was passed it has tried as often as it may, so what failed is for the one who waits to know.
Delivery::Step Delivery::passed_on(SendResult result) {
  shared_.counters.passed_on(current_.batch.span_count());
  outcome_.delivered_some |= result.kind == SendResult::Kind::delivered || !result.left.empty();
  outcome_.failed_for_now |= result.kind == SendResult::Kind::retry;
  outcome_.delay = std::max(outcome_.delay, result.delay);
  if (!result.message.empty()) outcome_.message = std::move(result.message);
  return next_piece();
}

Delivery::Step Delivery::delivered(const SendResult& result) {
  count_taken(current_.batch.span_count(), result);
  if (shared_.size_limit.current() != 0) shared_.size_limit.taken(current_.batch.encoded_size());
  return next_piece();
}

/// Of so many spans some may have been rejected.
void Delivery::count_taken(std::uint64_t spans, const SendResult& result) {
  const std::uint64_t rejected = std::min(result.rejected_spans, spans);
  shared_.counters.delivered(spans - rejected);
  if (rejected > 0) count_loss(rejected, Loss::partial_success, result.message);
  outcome_.delivered_some = true;
}

Delivery::Step Delivery::try_later(SendResult result) {
  if (!result.left.empty()) {
    count_taken(current_.batch.span_count() - result.left.span_count(), result);
    current_.batch = std::move(result.left);
  }
  std::optional<std::chrono::nanoseconds> wait;
  if (shared_.options.retry.enabled) {
    wait = backoff_->next(shared_.executor.now(), result.delay, shared_.random);
  }
  if (!wait) {
    outcome_.failed_for_now = true;
    outcome_.delay = std::max(outcome_.delay, result.delay);
    return lose(Loss::unavailable, result.message);
  }
  wait_ = shared_.stopping ? std::min(*wait, std::max<std::chrono::nanoseconds>(
                                                 wait_max_while_stopping, result.delay))
                           : *wait;
  waiting_ = true;
  log::limited(log::Level::warn, "An exporter's destination does not take spans; trying again.",
               {{"exporter", shared_.id}, {"reason", std::move(result.message)}});
  return Step::wait;
}

Delivery::Step Delivery::too_large(const SendResult& result) {
  shared_.size_limit.refused(current_.batch.encoded_size());
  if (!may_halve()) return lose(Loss::too_large, result.message);
  push_slices(current_, 2);
  return next_piece();
}

Delivery::Step Delivery::invalid(const SendResult& result) {
  if (!std::exchange(current_.repaired, true)) {
    RepairedBatch repaired = repair_utf8(current_.batch);
    if (repaired.strings > 0) {
      pieces_.push_back({std::move(repaired.batch), true});
      return next_piece();
    }
  }
  if (!may_halve()) return lose(Loss::invalid, result.message);
  push_slices(current_, 2);
  return next_piece();
}

Delivery::Step Delivery::lose(Loss loss, const std::string& message) {
  count_loss(current_.batch.span_count(), loss, message);
  return next_piece();
}

void Delivery::count_loss(std::uint64_t spans, Loss loss, const std::string& message) {
  shared_.counters.failed(spans, loss);
  if (outcome_.message.empty()) outcome_.message = message;
  log::limited(log::Level::error, "An exporter could not deliver spans.",
               {{"exporter", shared_.id},
                {"spans", std::to_string(spans)},
                {"why", std::string(loss_name(loss))},
                {"reason", message}});
}

/// In `count` pieces that differ by one span at most.
void Delivery::push_slices(const Piece& piece, std::uint32_t count) {
  const std::uint32_t spans = piece.batch.span_count();
  count = std::min(count, spans);
  for (std::uint32_t i = count; i > 0; --i) {
    const auto first = static_cast<std::uint32_t>(std::uint64_t{spans} * (i - 1) / count);
    const auto end = static_cast<std::uint32_t>(std::uint64_t{spans} * i / count);
    pieces_.push_back({piece.batch.slice(first, end - first), piece.repaired});
  }
}

}  // namespace sluice
