#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pipeline/model/pooled.h"
#include "pipeline/model/span_batch.h"

/// What a SpanBatch points to. Private to the files of SpanBatch and BatchEditor; the layout and
/// its invariants are described in span_batch.cc.
namespace sluice {

using SpanEntries = std::vector<SpanEntry, Pooled<SpanEntry>>;

/// What spans refer to; shared by the selections from one request.
struct BatchTables {
  std::vector<Source> sources;  ///< by Range::buffer and SpanEntry::buffer; may hold empty handles
  std::vector<ScopeEntry> scopes;
  std::vector<ResourceEntry> resources;

  std::string_view bytes(const Range& range) const noexcept {
    return sources[range.buffer].buffer.bytes().substr(range.offset, range.length);
  }
  std::string_view bytes(const SpanEntry& entry) const noexcept {
    return {sources[entry.buffer].buffer.data() + entry.offset, entry.length};
  }
};

/// Its own memory is charged to the account of the bytes that it describes: small spans have an
/// index of a tenth of their size, and it lives as long as they do.
struct SpanBatch::Index {
  Index(SpanEntries entries, std::shared_ptr<const BatchTables> referred,
        std::size_t bytes_on_wire);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  /// Who pays for it; null where nobody does.
  MemoryAccount* account() const noexcept { return account_.load(std::memory_order_relaxed); }
  void charge_to(MemoryAccount& account) const noexcept;
  void charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept;

  const SpanEntries spans;
  const std::shared_ptr<const BatchTables> tables;
  const std::size_t wire_size;

 private:
  mutable std::atomic<MemoryAccount*> account_;
  const std::size_t charged_;
};

/// A batch has fewer sources than a 16-bit number counts; concat folds before this many, which
/// leaves room for the one that each later edit adds.
inline constexpr std::size_t sources_max = 60'000;

/// An index over `spans`, which refer to `tables`; `wire_size` is the sum of their lengths.
std::shared_ptr<const SpanBatch::Index> make_index(SpanEntries spans,
                                                   std::shared_ptr<const BatchTables> tables,
                                                   std::size_t wire_size);
std::size_t wire_size_of(std::span<const SpanEntry> spans) noexcept;

/// The batch as one ExportTraceServiceRequest in one buffer; an empty one where it takes more than
/// `size_max`.
Buffer encode_whole(const SpanBatch::Index& index, std::size_t size_max);
/// Over the request that encode_whole made of a batch, whose index is `before`. Null where it does
/// not have the same spans: an edit may have left a resource that can't be read.
std::shared_ptr<const SpanBatch::Index> index_of_encoded(Buffer request,
                                                         const SpanBatch::Index& before);

/// Adds a buffer that is not a request; returns its number.
std::uint16_t add_buffer(BatchTables& tables, Buffer buffer);

}  // namespace sluice
