#include "pipeline/export/batcher.h"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

Outgoing assemble(std::vector<SpanBatch> batches, std::vector<RequestPart> parts,
                  bool keep_context) {
  if (batches.size() == 1) return {std::move(batches.front()), std::move(parts)};
  Outgoing outgoing{SpanBatch::concat(batches), std::move(parts)};
  // A context belongs to one request, unless the partition made them alike in what is read from it.
  if (!keep_context) outgoing.batch.set_context(nullptr);
  return outgoing;
}

}  // namespace

void Batcher::add(QueuedRequest request, TimePoint now) {
  if (!options_.enabled) {
    const RequestPart part{request.id, request.batch.span_count()};
    ready_.push_back({std::move(request.batch), {part}});
    return;
  }
  Partition& partition = partition_for(key_of(request.batch), now);
  if (partition.items.empty()) {
    partition.turn = {now, ++turns_};
    waiting_.emplace(partition.turn, &partition);
  }
  const std::uint64_t size = size_of(request.batch);
  partition.size += size;
  partition.items.push_back({std::move(request), size});
  if (partition.size >= options_.min_size) emit(partition, false);
}

std::optional<Outgoing> Batcher::next(TimePoint now, bool flush) {
  while (ready_.empty() && !waiting_.empty()) {
    const auto [turn, partition] = *waiting_.begin();
    if (!flush && turn.since + options_.flush_timeout > now) break;
    emit(*partition, true);
  }
  forget_idle(now);
  if (ready_.empty()) return std::nullopt;
  Outgoing outgoing = std::move(ready_.front());
  ready_.pop_front();
  return outgoing;
}

std::optional<Batcher::TimePoint> Batcher::deadline() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first.since + options_.flush_timeout;
}

void Batcher::clear() {
  waiting_.clear();
  by_key_.clear();
  partitions_.clear();
  ready_.clear();
}

std::uint64_t Batcher::size_of(const SpanBatch& batch) const {
  return options_.sizer == QueueOptions::Sizer::bytes ? batch.wire_size() : batch.span_count();
}

std::string Batcher::key_of(const SpanBatch& batch) const {
  std::string key;
  for (const std::string& name : options_.metadata_keys) {
    if (batch.context()) key += batch.context()->metadata_value(name);
    key += '\0';
  }
  return key;
}

Batcher::Partition& Batcher::partition_for(std::string key, TimePoint now) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    partitions_.splice(partitions_.end(), partitions_, found->second);
    partitions_.back().last_used = now;
    return partitions_.back();
  }
  if (partitions_.size() >= options_.partitions_max) forget(partitions_.begin());
  Partition& partition = partitions_.emplace_back();
  partition.key = std::move(key);
  partition.last_used = now;
  by_key_.emplace(partition.key, std::prev(partitions_.end()));
  return partition;
}

void Batcher::forget(Partitions::iterator partition) {
  if (!partition->items.empty()) emit(*partition, true);
  by_key_.erase(partition->key);
  partitions_.erase(partition);
}

void Batcher::forget_idle(TimePoint now) {
  while (!partitions_.empty() && partitions_.front().items.empty() &&
         partitions_.front().last_used + options_.partition_idle_timeout <= now) {
    forget(partitions_.begin());
  }
}

/// Moves what is full to the ready ones; with `all`, the rest too.
void Batcher::emit(Partition& partition, bool all) {
  waiting_.erase({partition.turn, &partition});
  const std::uint64_t size_max =
      options_.max_size == 0 ? std::numeric_limits<std::uint64_t>::max() : options_.max_size;
  while (!partition.items.empty() &&
         (all || partition.size >= size_max || partition.size >= options_.min_size)) {
    ready_.push_back(cut(partition, size_max));
  }
  if (!partition.items.empty()) waiting_.emplace(partition.turn, &partition);
}

/// The first items up to `size_max`, the last of them split where it does not fit; at least one
/// span.
Outgoing Batcher::cut(Partition& partition, std::uint64_t size_max) {
  std::vector<SpanBatch> batches;
  std::vector<RequestPart> parts;
  std::uint64_t room = size_max;
  while (!partition.items.empty()) {
    Item& item = partition.items.front();
    SpanBatch& batch = item.request.batch;
    const bool whole = item.size <= room;
    std::uint32_t count = whole ? batch.span_count() : spans_within(batch, room);
    if (count == 0 && batches.empty()) count = 1;
    if (count == 0) break;
    parts.push_back({item.request.id, count});
    if (count == batch.span_count()) {
      room -= std::min(room, item.size);
      partition.size -= item.size;
      batches.push_back(std::move(batch));
      partition.items.pop_front();
      continue;
    }
    batches.push_back(batch.slice(0, count));
    batch = batch.slice(count, batch.span_count() - count);
    const std::uint64_t rest = size_of(batch);
    partition.size -= item.size - rest;
    item.size = rest;
    break;
  }
  return assemble(std::move(batches), std::move(parts), !options_.metadata_keys.empty());
}

std::uint32_t Batcher::spans_within(const SpanBatch& batch, std::uint64_t size_max) const {
  if (options_.sizer == QueueOptions::Sizer::items) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(size_max, batch.span_count()));
  }
  std::uint64_t size = 0;
  std::uint32_t count = 0;
  for (const SpanEntry& span : batch.spans()) {
    size += span.length;
    if (size > size_max) break;
    ++count;
  }
  return count;
}

}  // namespace sluice
