// SpanBatch: an index over OTLP bytes.
//
//   spans      | buffer offset length header tail | scope | 16 bytes a span, in order
//                  |                            |
//   scopes         |      | scope range | extra range | resource |     32 bytes an occurrence
//                  |                                        |
//   resources      |                  | resource range | extra range | 28 bytes an occurrence
//                  v                          |
//   sources    | Buffer | offset length | span count |  <---+          one a request, plus one for
//                                                                      each parse or edit that
//                                                                      copied
//
// Offsets count from the start of the buffer. `spans` belongs to one index alone; the three tables
// are shared by all selections from one request, so that sampling a trace out of it costs one small
// vector.
//
// What always holds:
//  - scope numbers never fall from one span to the next, nor resource numbers from one scope to the
//    next: parsing makes them so, selecting keeps the order, concatenating adds an offset;
//  - an occurrence without a span that was taken has no entry, so an empty ResourceSpans (two bytes
//  on
//    the wire) costs no memory, and the index is at most 76 bytes a span;
//  - `span_count` of a source is what the index took of it when every span was taken, else 0; so a
//    stretch of spans that lies in one source with rising offsets, as many as it counts, is the
//    request itself. Editing a resource or scope sets it to 0, editing a span moves that span
//    elsewhere.
//  - a source may be an empty handle, when compacting let its buffer go; nothing refers to it then.
//
// Why an index at all and not a walk each time: batch, queue and encoder need count and size, the
// sampler the place of each span; 16 bytes against some 410 on the wire are 4 %, and one walk at
// the door validates everything the rest relies on.

#include "pipeline/model/span_batch.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "pipeline/model/span_index.h"
#include "pipeline/model/span_view.h"

namespace sluice {
namespace {

std::size_t buffers_pinned(const std::vector<Source>& sources) {
  if (sources.size() == 1) return sources.front().buffer.pinned();
  std::vector<const Source*> by_buffer;
  by_buffer.reserve(sources.size());
  for (const Source& source : sources) by_buffer.push_back(&source);
  std::sort(by_buffer.begin(), by_buffer.end(), [](const Source* one, const Source* other) {
    return std::less<>()(one->buffer.identity(), other->buffer.identity());
  });
  std::size_t bytes = 0;
  const Buffer* last = nullptr;
  for (const Source* source : by_buffer) {
    if (last == nullptr || !last->same(source->buffer)) bytes += source->buffer.pinned();
    last = &source->buffer;
  }
  return bytes;
}

}  // namespace

SpanBatch::SpanBatch(std::shared_ptr<const Index> index, RequestContextRef context)
    : index_(std::move(index)), context_(std::move(context)) {}

namespace {

template <typename Entries>
std::size_t size_of(const Entries& entries) {
  return entries.capacity() * sizeof(typename Entries::value_type);
}

/// What the pool gives for them (Pooled).
std::size_t pooled_size(const SpanEntries& spans) {
  return buffer_pool::class_size(sizeof(Buffer::Block) + size_of(spans));
}

/// Tables that selections share were charged with the first index over them.
std::size_t index_size(const SpanEntries& spans, const std::shared_ptr<const BatchTables>& tables) {
  std::size_t size = pooled_size(spans);
  if (tables.use_count() == 1)
    size += size_of(tables->sources) + size_of(tables->scopes) + size_of(tables->resources);
  return size;
}

}  // namespace

SpanBatch::Index::Index(SpanEntries entries, std::shared_ptr<const BatchTables> referred,
                        std::size_t bytes_on_wire)
    : spans(std::move(entries)),
      tables(std::move(referred)),
      wire_size(bytes_on_wire),
      account_(tables->sources.empty() ? nullptr : tables->sources.front().buffer.account()),
      charged_(index_size(spans, tables)) {
  if (MemoryAccount* payer = account()) payer->hold(charged_);
}

SpanBatch::Index::~Index() {
  if (MemoryAccount* payer = account()) payer->release(charged_);
}

void SpanBatch::Index::charge_to(MemoryAccount& account) const noexcept {
  move_charge(account_, account, charged_);
  for (const Source& source : tables->sources) source.buffer.charge_to(account);
}

void SpanBatch::Index::charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept {
  move_charge(account_, account, payer, charged_);
  for (const Source& source : tables->sources) source.buffer.charge_to(account, payer);
}

std::shared_ptr<const SpanBatch::Index> make_index(SpanEntries spans,
                                                   std::shared_ptr<const BatchTables> tables,
                                                   std::size_t wire_size) {
  return std::make_shared<const SpanBatch::Index>(std::move(spans), std::move(tables), wire_size);
}

std::size_t wire_size_of(std::span<const SpanEntry> spans) noexcept {
  std::size_t size = 0;
  for (const SpanEntry& span : spans) size += span.length;
  return size;
}

std::uint16_t add_buffer(BatchTables& tables, Buffer buffer) {
  const auto length = static_cast<std::uint32_t>(buffer.size());
  tables.sources.push_back({std::move(buffer), 0, length, 0});
  return static_cast<std::uint16_t>(tables.sources.size() - 1);
}

std::uint32_t SpanBatch::span_count() const noexcept {
  return index_ ? static_cast<std::uint32_t>(index_->spans.size()) : 0;
}

std::size_t SpanBatch::wire_size() const noexcept { return index_ ? index_->wire_size : 0; }

std::size_t SpanBatch::pinned() const noexcept {
  if (!index_) return 0;
  const BatchTables& tables = *index_->tables;
  return buffers_pinned(tables.sources) + sizeof(Index) + sizeof(BatchTables) +
         pooled_size(index_->spans) + tables.sources.capacity() * sizeof(Source) +
         tables.scopes.capacity() * sizeof(ScopeEntry) +
         tables.resources.capacity() * sizeof(ResourceEntry);
}

void SpanBatch::charge_to(MemoryAccount& account) const noexcept {
  if (index_) index_->charge_to(account);
}

void SpanBatch::charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept {
  if (index_) index_->charge_to(account, payer);
}

std::span<const SpanEntry> SpanBatch::spans() const noexcept {
  return index_ ? std::span(index_->spans) : std::span<const SpanEntry>();
}

std::span<const ScopeEntry> SpanBatch::scopes() const noexcept {
  return index_ ? std::span(index_->tables->scopes) : std::span<const ScopeEntry>();
}

std::span<const ResourceEntry> SpanBatch::resources() const noexcept {
  return index_ ? std::span(index_->tables->resources) : std::span<const ResourceEntry>();
}

std::string_view SpanBatch::bytes(const Range& range) const noexcept {
  return index_->tables->bytes(range);
}

std::string_view SpanBatch::span_bytes(const SpanEntry& entry) const noexcept {
  return index_->tables->bytes(entry).substr(entry.header);
}

SpanView SpanBatch::view(const SpanEntry& entry) const noexcept {
  return SpanView(span_bytes(entry), entry.tail);
}

const ResourceEntry& SpanBatch::resource_of(const SpanEntry& entry) const noexcept {
  const BatchTables& tables = *index_->tables;
  return tables.resources[tables.scopes[entry.scope].resource];
}

std::string_view SpanBatch::resource_bytes(const SpanEntry& entry) const noexcept {
  return bytes(resource_of(entry).resource);
}

std::string_view SpanBatch::scope_bytes(const SpanEntry& entry) const noexcept {
  return bytes(index_->tables->scopes[entry.scope].scope);
}

}  // namespace sluice
