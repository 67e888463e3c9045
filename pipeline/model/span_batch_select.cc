// SpanBatch: selections, concatenation, and copying survivors out of large buffers. None of them
// reads span bytes except the last; the cost is that of copying 16 bytes an entry.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include "pipeline/model/span_index.h"

namespace sluice {
namespace {

constexpr std::uint32_t none = UINT32_MAX;
// A selection shares the tables of so few sources: it cannot pin much more than it needs.
constexpr std::size_t shared_sources_max = 2;
constexpr std::size_t folded_buffer_max = std::size_t{256} << 20;

/// Finds the sources of a buffer again. A table with open addresses: a node for each source would
/// cost a small request as much as copying its index.
class KnownBuffers {
 public:
  /// The first number of `buffer` for which `wanted` holds, or none.
  template <typename Wanted>
  std::uint32_t find(const void* buffer, Wanted wanted) const {
    if (slots_.empty()) return none;
    for (std::size_t at = home_of(buffer); slots_[at].buffer != nullptr; at = after(at)) {
      if (slots_[at].buffer == buffer && wanted(slots_[at].number)) return slots_[at].number;
    }
    return none;
  }
  void add(const void* buffer, std::uint16_t number) {
    if (buffer == nullptr) return;  // nothing refers to a source without one
    if (2 * ++count_ > slots_.size()) grow();
    place({buffer, number});
  }
  std::size_t memory() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    const void* buffer = nullptr;
    std::uint16_t number = 0;
  };
  std::size_t home_of(const void* buffer) const {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    const std::uint64_t mixed = reinterpret_cast<std::uintptr_t>(buffer) * golden;
    return (mixed >> 32) & (slots_.size() - 1);
  }
  std::size_t after(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void place(const Slot& slot) {
    std::size_t at = home_of(slot.buffer);
    while (slots_[at].buffer != nullptr) at = after(at);
    slots_[at] = slot;
  }
  void grow() {
    const std::vector<Slot> before =
        std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(8, slots_.size() * 2)));
    for (const Slot& slot : before) {
      if (slot.buffer != nullptr) place(slot);
    }
  }

  std::vector<Slot> slots_;  ///< a power of two of them, at most half filled
  std::size_t count_ = 0;
};

/// Copies spans of one or more batches into a new index, with only those scopes, resources and
/// sources that they refer to. Scope numbers rise along a batch, so the last one seen is all there
/// is to know.
class Gathering {
 public:
  explicit Gathering(std::size_t span_count) { spans_.reserve(span_count); }

  void add(std::span<const SpanEntry> spans, const BatchTables& from);
  std::size_t source_count() const { return tables_.sources.size(); }
  std::size_t memory() const {
    return spans_.capacity() * sizeof(SpanEntry) + tables_.sources.capacity() * sizeof(Source) +
           tables_.scopes.capacity() * sizeof(ScopeEntry) +
           tables_.resources.capacity() * sizeof(ResourceEntry) + known_.memory();
  }
  std::shared_ptr<const SpanBatch::Index> finish();

 private:
  std::uint16_t source(std::uint16_t number, const BatchTables& from) {
    if (source_map_[number] == none) source_map_[number] = add_source(from.sources[number]);
    return static_cast<std::uint16_t>(source_map_[number]);
  }
  std::uint32_t add_source(const Source& source);
  /// In place, for the reason that is given at Parser::locate.
  void renumber(Range& range, const BatchTables& from) {
    if (range.length == 0) {
      range = {};
    } else {
      range.buffer = source(range.buffer, from);
    }
  }
  std::uint32_t add_scope(const ScopeEntry& scope, std::uint32_t& old_resource,
                          const BatchTables& from);

  SpanEntries spans_;
  std::size_t wire_size_ = 0;
  BatchTables tables_;
  std::vector<std::uint32_t> source_map_;  ///< of the batch being added: old number to new
  KnownBuffers known_;
};

bool same_request(const Source& one, const Source& other) {
  return one.offset == other.offset && one.length == other.length &&
         one.span_count == other.span_count;
}

/// The number of a source here: parts of one request that meet again share it, so that its buffer
/// counts once and all of its spans together are the request again.
std::uint32_t Gathering::add_source(const Source& source) {
  const void* const buffer = source.buffer.identity();
  const std::uint32_t known = known_.find(buffer, [&](std::uint16_t candidate) {
    return same_request(tables_.sources[candidate], source);
  });
  if (known != none) return known;
  const auto added = static_cast<std::uint16_t>(tables_.sources.size());
  known_.add(buffer, added);
  tables_.sources.push_back(source);
  return added;
}

void Gathering::add(std::span<const SpanEntry> spans, const BatchTables& from) {
  source_map_.assign(from.sources.size(), none);
  std::uint32_t old_scope = none;
  std::uint32_t old_resource = none;
  std::uint32_t old_buffer = none;
  std::uint32_t new_scope = none;
  std::uint16_t new_buffer = 0;
  for (const SpanEntry& span : spans) {
    if (span.scope != old_scope) {
      old_scope = span.scope;
      new_scope = add_scope(from.scopes[old_scope], old_resource, from);
    }
    if (span.buffer != old_buffer) {
      old_buffer = span.buffer;
      new_buffer = source(span.buffer, from);
    }
    wire_size_ += span.length;
    SpanEntry& entry = spans_.emplace_back(span);
    entry.scope = new_scope;
    entry.buffer = new_buffer;
  }
}

/// Adds a scope and, unless it is that of the scope before, its resource; returns the scope's
/// number.
std::uint32_t Gathering::add_scope(const ScopeEntry& scope, std::uint32_t& old_resource,
                                   const BatchTables& from) {
  if (scope.resource != old_resource) {
    old_resource = scope.resource;
    ResourceEntry& resource = tables_.resources.emplace_back(from.resources[old_resource]);
    renumber(resource.resource, from);
    renumber(resource.extra, from);
  }
  ScopeEntry& added = tables_.scopes.emplace_back(scope);
  renumber(added.scope, from);
  renumber(added.extra, from);
  added.resource = static_cast<std::uint32_t>(tables_.resources.size() - 1);
  return static_cast<std::uint32_t>(tables_.scopes.size() - 1);
}

std::shared_ptr<const SpanBatch::Index> Gathering::finish() {
  return make_index(std::move(spans_), std::make_shared<const BatchTables>(std::move(tables_)),
                    wire_size_);
}

std::shared_ptr<const SpanBatch::Index> index_of_part(
    SpanEntries spans, const std::shared_ptr<const BatchTables>& tables) {
  if (tables->sources.size() <= shared_sources_max) {
    const std::size_t wire_size = wire_size_of(spans);
    return make_index(std::move(spans), tables, wire_size);
  }
  Gathering part(spans.size());
  part.add(spans, *tables);
  return part.finish();
}

/// Visits every span and, once each, the ranges of the scopes and resources that spans refer to.
template <typename Spans, typename Tables, typename Visit>
void each_range(Spans& spans, Tables& tables, Visit visit) {
  std::uint32_t last_scope = none;
  std::uint32_t last_resource = none;
  for (auto& span : spans) {
    if (span.scope != last_scope) {
      last_scope = span.scope;
      auto& scope = tables.scopes[last_scope];
      if (scope.resource != last_resource) {
        last_resource = scope.resource;
        auto& resource = tables.resources[last_resource];
        visit(resource.resource);
        visit(resource.extra);
      }
      visit(scope.scope);
      visit(scope.extra);
    }
    visit(span);
  }
}

/// For each source: how many bytes of it spans need, with their scopes and resources.
std::vector<std::size_t> bytes_wanted(std::span<const SpanEntry> spans, const BatchTables& tables) {
  std::vector<std::size_t> wanted(tables.sources.size(), 0);
  each_range(spans, tables, [&](const auto& range) { wanted[range.buffer] += range.length; });
  return wanted;
}

/// Copies what spans need of some sources, `size` bytes in all, into fresh buffers.
class Folding {
 public:
  Folding(const SpanBatch::Index& index, std::vector<bool> chosen, std::size_t size)
      : spans_(index.spans), tables_(*index.tables), chosen_(std::move(chosen)), left_(size) {}

  std::shared_ptr<const SpanBatch::Index> run() {
    each_range(spans_, tables_, [this](auto& entry) { move(entry); });
    close_buffer();
    Gathering without_the_chosen(spans_.size());
    without_the_chosen.add(spans_, tables_);
    return without_the_chosen.finish();
  }

 private:
  template <typename Entry>
  void move(Entry& entry);
  void close_buffer();

  SpanEntries spans_;
  BatchTables tables_;
  std::vector<bool> chosen_;  ///< by source
  std::size_t left_;          ///< bytes still to be copied
  BufferWriter copies_;
  std::uint16_t copies_number_ = 0;
  MemoryAccount* account_ = nullptr;
};

template <typename Entry>
void Folding::move(Entry& entry) {
  if (entry.length == 0 || entry.buffer >= chosen_.size() || !chosen_[entry.buffer]) return;
  const Buffer& from = tables_.sources[entry.buffer].buffer;
  const std::string_view bytes = from.bytes().substr(entry.offset, entry.length);
  if (copies_.size() + bytes.size() > folded_buffer_max) close_buffer();
  if (copies_.capacity() == 0) {
    account_ = from.account();
    copies_.reserve(std::max(bytes.size(), std::min(left_, folded_buffer_max)));
    copies_number_ = add_buffer(tables_, {});
  }
  left_ -= bytes.size();
  entry.offset = static_cast<std::uint32_t>(copies_.size());
  entry.buffer = copies_number_;
  copies_.append(bytes);
}

void Folding::close_buffer() {
  if (copies_.capacity() == 0) return;
  Source& source = tables_.sources[copies_number_];
  source.buffer = std::move(copies_).freeze(account_, 0);
  source.length = static_cast<std::uint32_t>(source.buffer.size());
}

std::size_t bytes_wanted(const SpanBatch::Index& index) {
  const std::vector<std::size_t> wanted = bytes_wanted(index.spans, *index.tables);
  return std::accumulate(wanted.begin(), wanted.end(), std::size_t{0});
}

/// All that a batch needs, in as few buffers as possible.
std::shared_ptr<const SpanBatch::Index> folded(const SpanBatch::Index& index) {
  const std::vector<bool> all(index.tables->sources.size(), true);
  return Folding(index, all, bytes_wanted(index)).run();
}

/// The same as a request of its own: whoever encodes it has nothing to do. Null where that takes
/// more than a quarter above the `wanted` bytes, or more than `size_max`: a whole request keeps
/// what it has beside spans, and small spans of many resources come with a header each.
std::shared_ptr<const SpanBatch::Index> as_request(const SpanBatch::Index& index,
                                                   std::size_t wanted, std::size_t size_max) {
  Buffer request =
      encode_whole(index, std::min({wanted + wanted / 4, size_max, folded_buffer_max}));
  return request.size() == 0 ? nullptr : index_of_encoded(std::move(request), index);
}

}  // namespace

SpanBatch SpanBatch::select(std::span<const std::uint32_t> indexes) const {
  if (indexes.size() == span_count()) return *this;
  if (indexes.empty()) return {nullptr, context_};
  SpanEntries spans;
  spans.reserve(indexes.size());
  for (const std::uint32_t index : indexes) spans.push_back(index_->spans[index]);
  return {index_of_part(std::move(spans), index_->tables), context_};
}

SpanBatch SpanBatch::slice(std::uint32_t first, std::uint32_t count) const {
  if (count == span_count()) return *this;
  if (count == 0) return {nullptr, context_};
  const auto part = spans().subspan(first, count);
  return {index_of_part({part.begin(), part.end()}, index_->tables), context_};
}

SpanBatch SpanBatch::concat(std::span<const SpanBatch> batches) {
  std::size_t span_count = 0;
  std::size_t source_count = 0;
  std::size_t filled = 0;
  const SpanBatch* last = nullptr;
  for (const SpanBatch& batch : batches) {
    if (batch.empty()) continue;
    span_count += batch.span_count();
    source_count += batch.index_->tables->sources.size();
    last = &batch;
    ++filled;
  }
  RequestContextRef context = batches.empty() ? nullptr : batches.front().context();
  if (filled == 0) return {nullptr, std::move(context)};
  if (filled == 1) return {last->index_, std::move(context)};
  if (source_count > sources_max) {
    // More than a batch can number, which takes tens of thousands of tiny requests: they move
    // together.
    std::vector<SpanBatch> halves = {concat(batches.first(batches.size() / 2)),
                                     concat(batches.subspan(batches.size() / 2))};
    for (SpanBatch& half : halves) {
      if (!half.empty()) half.index_ = folded(*half.index_);
    }
    return concat(halves);
  }
  Gathering all(span_count);
  for (const SpanBatch& batch : batches) {
    if (!batch.empty()) all.add(batch.index_->spans, *batch.index_->tables);
  }
  return {all.finish(), std::move(context)};
}

SpanBatch SpanBatch::compacted(double share_min) const {
  if (empty()) return *this;
  const BatchTables& tables = *index_->tables;
  const std::vector<std::size_t> wanted = bytes_wanted(index_->spans, tables);
  std::vector<bool> chosen(wanted.size(), false);
  std::size_t freed = 0;
  std::size_t needed = 0;
  bool keeps_some = false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t pinned = tables.sources[i].buffer.pinned();
    if (static_cast<double>(wanted[i]) >= share_min * static_cast<double>(pinned)) {
      keeps_some = keeps_some || wanted[i] > 0;
      continue;
    }
    chosen[i] = true;
    freed += pinned;
    needed += wanted[i];
  }
  // The copy's own size class may waste an eighth.
  constexpr std::size_t block = sizeof(Buffer::Block);
  if (freed <= needed + needed / 8 + block) return *this;
  std::shared_ptr<const Index> index;
  if (!keeps_some) index = as_request(*index_, needed, (freed - block) / 9 * 8);
  if (index == nullptr) index = Folding(*index_, std::move(chosen), needed).run();
  return {std::move(index), context_};
}

SpanBatch SpanBatch::copied() const {
  if (empty()) return *this;
  std::shared_ptr<const Index> index =
      as_request(*index_, bytes_wanted(*index_), folded_buffer_max);
  if (index == nullptr) index = folded(*index_);
  return {std::move(index), context_};
}

struct BatchMerger::State {
  void gather(const SpanBatch::Index& index);
  std::shared_ptr<const SpanBatch::Index> close();

  SpanBatch first;
  std::optional<Gathering> open;
  MemoryAccount* account = nullptr;  ///< pays for what is open
  std::size_t charged = 0;
  std::vector<SpanBatch> full;  ///< each with about as many sources as a batch can number
};

void BatchMerger::State::gather(const SpanBatch::Index& index) {
  if (open && open->source_count() + index.tables->sources.size() > sources_max)
    full.emplace_back(close(), nullptr);
  if (!open) {
    open.emplace(2 * index.spans.size());
    account = index.account();
  }
  open->add(index.spans, *index.tables);
  const std::size_t memory = open->memory();
  if (account != nullptr) account->hold(memory - charged);
  charged = memory;
}

/// From here on the index pays for itself.
std::shared_ptr<const SpanBatch::Index> BatchMerger::State::close() {
  std::shared_ptr<const SpanBatch::Index> index = open->finish();
  open.reset();
  if (account != nullptr) account->release(charged);
  charged = 0;
  return index;
}

BatchMerger::BatchMerger() : state_(std::make_unique<State>()) {}

BatchMerger::~BatchMerger() {
  if (state_->open) state_->close();
}

void BatchMerger::add(SpanBatch batch) {
  if (batch.empty()) return;
  span_count_ += batch.span_count();
  if (span_count_ == batch.span_count()) {
    state_->first = std::move(batch);
    return;
  }
  if (!state_->first.empty()) state_->gather(*std::exchange(state_->first, {}).index_);
  state_->gather(*batch.index_);
}

SpanBatch BatchMerger::finish() {
  span_count_ = 0;
  SpanBatch merged = std::exchange(state_->first, {});
  if (state_->open) merged = {state_->close(), nullptr};
  if (!state_->full.empty()) {
    state_->full.push_back(std::move(merged));
    merged = SpanBatch::concat(std::exchange(state_->full, {}));
  }
  merged.set_context(nullptr);
  return merged;
}

}  // namespace sluice
