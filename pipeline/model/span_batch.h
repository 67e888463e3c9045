#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/model/buffer.h"
#include "pipeline/model/request_context.h"

namespace sluice {

class SpanView;

/// A stretch of bytes in one of a batch's buffers.
struct Range {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint16_t buffer = 0;
};

/// One occurrence of ResourceSpans that holds spans. `extra` is every field of the message other
/// than `resource` and `scope_spans` (schema_url, unknown ones), as bytes of whole fields. Where
/// these do not lie in one piece on the wire, parsing has copied them into one; a repeated
/// `resource` is concatenated, which is protobuf's merge.
struct ResourceEntry {
  Range resource;  ///< content of the Resource message
  Range extra;
  bool has_resource = false;
};

/// One occurrence of ScopeSpans, likewise.
struct ScopeEntry {
  Range scope;  ///< content of the InstrumentationScope message
  Range extra;
  std::uint32_t resource = 0;
  bool has_scope = false;
};

/// One span: where its field (tag, length, message) starts, and how much of that is tag and length.
struct SpanEntry {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  ///< of the whole field, header included
  std::uint32_t scope = 0;
  std::uint16_t buffer = 0;
  std::uint8_t header = 0;
  /// How many of its last bytes UsualSpan leaves behind the attributes that it knows: who looks for
  /// other fields finds them before those attributes or in these bytes, and need not walk over what
  /// lies between. Unknown past 254.
  std::uint8_t tail = unknown_tail;
  static constexpr std::uint8_t unknown_tail = 0xff;
};

/// A request as it came: the bytes of one ExportTraceServiceRequest in a buffer, and how many spans
/// of it the index took. While all of them are still in a batch, side by side, the bytes leave as
/// they are.
struct Source {
  Buffer buffer;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t span_count = 0;  ///< 0: not a whole request (edited bytes); never emitted as one
};

struct ParseLimits {
  std::uint32_t spans_max = UINT32_MAX;  ///< more is a malformed request
};

/// Why a request, or a part of one, was not taken.
struct ParseReport {
  std::uint32_t spans_taken = 0;
  /// Left out: trace or span id absent, zero or of the wrong length, or a parent id of the wrong
  /// length (backends refuse the whole request for it; a parent id of zeros only is a root).
  std::uint32_t spans_invalid_id = 0;
  std::string error;  ///< set when framing is broken: nothing was taken
};

/// Bytes ready to be sent: stretches of buffers that stay alive with it, in order.
struct EncodedBatch {
  struct Slice {
    const char* data;
    std::size_t size;
  };
  std::vector<Slice> slices;
  std::vector<Buffer> buffers;  ///< what the slices point into
  std::size_t size = 0;

  std::string to_string() const;
};

/// Spans on their way through a pipeline: a few buffers and an index over them. The index is
/// immutable and shared like the buffers, so copying a batch copies handles; a selection or an edit
/// makes a new index over the same bytes. Safe to read from any thread.
class SpanBatch {
 public:
  struct Index;

  SpanBatch() = default;
  /// For those who make batches (parse, select, edit): over a finished index.
  SpanBatch(std::shared_ptr<const Index> index, RequestContextRef context);

  /// Indexes `length` bytes of `buffer` from `offset` as an ExportTraceServiceRequest. All framing
  /// down to each span's own fields is checked; order and repetition of fields are not assumed.
  /// Spans with invalid ids are left out and counted; broken framing refuses the whole (nullopt,
  /// `report.error`).
  static std::optional<SpanBatch> parse(Buffer buffer, std::size_t offset, std::size_t length,
                                        ParseReport& report, const ParseLimits& limits = {});
  static std::optional<SpanBatch> parse(Buffer buffer, ParseReport& report) {
    const std::size_t size = buffer.size();
    return parse(std::move(buffer), 0, size, report);
  }
  /// A request that a translator of this program wrote, and no peer. Spans are found but not walked
  /// over, since their fields and ids are right by construction (a build with assertions looks): 25
  /// instructions a span instead of 640.
  static SpanBatch of_translation(Buffer buffer);

  std::uint32_t span_count() const noexcept;
  bool empty() const noexcept { return span_count() == 0; }
  /// Size of the spans' own fields on the wire; what a size limit in bytes means.
  std::size_t wire_size() const noexcept;
  /// Bytes of memory that the buffers pin, the index included. Each buffer counts once.
  std::size_t pinned() const noexcept;
  /// From now on `account` pays for what this pins, whoever did before: for whoever holds it for
  /// long.
  void charge_to(MemoryAccount& account) const noexcept;
  /// The same for what `payer` pays for, and nothing else.
  void charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept;

  std::span<const SpanEntry> spans() const noexcept;
  std::span<const ScopeEntry> scopes() const noexcept;
  std::span<const ResourceEntry> resources() const noexcept;
  std::string_view bytes(const Range& range) const noexcept;
  /// The content of a span's message.
  std::string_view span_bytes(const SpanEntry& entry) const noexcept;
  std::string_view span_bytes(std::uint32_t index) const noexcept {
    return span_bytes(spans()[index]);
  }
  /// A view of them, made without a walk over the attributes where that can be.
  SpanView view(const SpanEntry& entry) const noexcept;
  std::string_view resource_bytes(const SpanEntry& entry) const noexcept;
  std::string_view scope_bytes(const SpanEntry& entry) const noexcept;
  const ResourceEntry& resource_of(const SpanEntry& entry) const noexcept;

  /// The spans at `indexes` (ascending), over the same bytes.
  SpanBatch select(std::span<const std::uint32_t> indexes) const;
  /// The spans [first, first + count).
  SpanBatch slice(std::uint32_t first, std::uint32_t count) const;
  /// One behind the other; occurrences of resources stay apart. The context is the first one's.
  static SpanBatch concat(std::span<const SpanBatch> batches);
  /// Copies the surviving spans out of buffers of which less than `share_min` is still wanted, so
  /// that a few spans do not pin a large request. Returns itself where nothing is to be gained.
  SpanBatch compacted(double share_min) const;
  /// Copies all of it out: who has it pins nothing that others have.
  SpanBatch copied() const;

  /// As one ExportTraceServiceRequest. Whole requests leave untouched, runs of spans under
  /// rewritten lengths; neighbours of one occurrence are merged, nothing else is.
  EncodedBatch encode() const;
  /// Size of `encode()` without making it.
  std::size_t encoded_size() const;

  const RequestContextRef& context() const noexcept { return context_; }
  void set_context(RequestContextRef context) { context_ = std::move(context); }

 private:
  friend class BatchEditor;
  friend class BatchMerger;
  std::shared_ptr<const Index> index_;
  RequestContextRef context_;
};

/// `SpanBatch::concat` piece by piece: takes over what a batch's index says while it is still in
/// the cache, where `concat` would come back to each of hundreds of small ones. The first batch is
/// kept as it is until there is a second.
class BatchMerger {
 public:
  BatchMerger();
  ~BatchMerger();
  BatchMerger(const BatchMerger&) = delete;
  BatchMerger& operator=(const BatchMerger&) = delete;

  void add(SpanBatch batch);
  std::uint32_t span_count() const noexcept { return span_count_; }
  /// All that was added, without a context; it begins anew.
  SpanBatch finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::uint32_t span_count_ = 0;
};

/// Replaces spans, resources and scopes of one batch, leaving the rest where it lies. The new bytes
/// go into a fresh buffer, and past 64 MiB into a next one; no single message may pass 512 MiB. A
/// batch in which nothing was replaced comes back as it was. Buffers of which less than a quarter
/// is still needed afterwards are let go (SpanBatch::compacted).
class BatchEditor {
 public:
  explicit BatchEditor(const SpanBatch& batch);
  ~BatchEditor();
  BatchEditor(const BatchEditor&) = delete;
  BatchEditor& operator=(const BatchEditor&) = delete;

  /// Begins new content for span `index` (ascending order of calls): append the message's bytes to
  /// the writer that is returned, then `end_span`. Bytes may be copied from
  /// `batch.span_bytes(index)`.
  BufferWriter& begin_span(std::uint32_t index);
  void end_span();
  /// Leaves span `index` out.
  void drop_span(std::uint32_t index);
  /// New content of a Resource or InstrumentationScope message, for all spans of that occurrence.
  void replace_resource(std::uint32_t resource, std::string_view message);
  void replace_scope(std::uint32_t scope, std::string_view message);
  /// New fields beside it in ResourceSpans or ScopeSpans (schema_url), as whole fields.
  void replace_resource_extra(std::uint32_t resource, std::string_view fields);
  void replace_scope_extra(std::uint32_t scope, std::string_view fields);

  SpanBatch finish() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
