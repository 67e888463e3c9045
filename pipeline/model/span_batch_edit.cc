// BatchEditor: new spans are written one behind the other into a fresh buffer (or several large
// ones), each with its tag and length, so that neighbours that were edited leave as one stretch and
// an edit of every span costs little more than its memcpy. The new index starts as a copy of the
// old one's entries up to the span that is edited; nothing is copied for a batch that is only
// looked at.

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_index.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

constexpr double share_min_in_passing = 0.25;
constexpr std::size_t growth_of_a_span = 256;
/// Where a fresh buffer counts as full and the next one begins: an edit may make a batch many times
/// larger than the request was, and a buffer has its end.
constexpr std::size_t fresh_size_max = std::size_t{64} << 20;
constexpr char span_tag =
    static_cast<char>(wire::tag(otlp::scope_spans::spans, wire::Type::length));

}  // namespace

struct BatchEditor::State {
  explicit State(const SpanBatch& original) : batch(original), old_spans(original.spans()) {}

  void begin_span(std::uint32_t index);
  void end_span();
  void drop_span(std::uint32_t index);
  ScopeEntry& edit_scope(std::uint32_t scope);
  ResourceEntry& edit_resource(std::uint32_t resource);
  Range written(std::string_view content);
  SpanBatch finish();

  void keep_until(std::uint32_t index);
  void reserve_for(std::uint32_t index);
  void prepare_tables();
  void close_fresh_buffer();
  void unmake_requests();
  bool may_leave_old_buffers();
  void leave_old_buffers();
  template <typename Visit>
  static void each_range(BatchTables& tables, Visit visit);

  const SpanBatch batch;
  const std::span<const SpanEntry> old_spans;
  SpanEntries spans;   ///< the new ones, once one of them changes
  BatchTables tables;  ///< a copy of the old ones, once something is written
  BufferWriter bytes;
  std::vector<bool> scope_edited;  ///< by scope, its resource included; empty: none
  std::uint16_t number = 0;        ///< of the fresh buffer among the sources
  std::uint32_t position = 0;      ///< old spans before this one are kept, replaced or dropped
  bool spans_changed = false;
  bool tables_changed = false;
  bool spans_kept = false;     ///< some old spans are among the new ones
  std::size_t open_start = 0;  ///< of the span that is being written
  std::size_t open_header = 0;
};

void BatchEditor::State::keep_until(std::uint32_t index) {
  if (!spans_changed) {
    spans.reserve(old_spans.size());
    spans_changed = true;
  }
  if (position == index) return;
  spans_kept = true;
  spans.insert(spans.end(), old_spans.begin() + position, old_spans.begin() + index);
  position = index;
}

/// The first spans tell how many of the batch are edited: room grows to what the rest would then
/// need, but not past the batch itself, whose first span may be a large one.
void BatchEditor::State::reserve_for(std::uint32_t index) {
  const std::size_t wanted = bytes.size() + old_spans[index].length + growth_of_a_span;
  const std::size_t so_far = std::max<std::size_t>(index, 1);
  const std::size_t batch_size = batch.wire_size() + batch.wire_size() / 8;
  const std::size_t expected =
      std::min(batch_size, bytes.size() / so_far * old_spans.size() * 17 / 16);
  bytes.reserve(std::min(Buffer::size_max, std::max({wanted, bytes.capacity() * 3 / 2, expected})));
}

/// Edits come in long runs, in which none of the three has anything to do.
void BatchEditor::State::begin_span(std::uint32_t index) {
  if (position != index || !spans_changed) keep_until(index);
  if (!tables_changed || bytes.size() >= fresh_size_max) prepare_tables();
  if (bytes.capacity() - bytes.size() < old_spans[index].length + growth_of_a_span)
    reserve_for(index);
  open_start = bytes.size();
  // Most edits leave the length's own length as it was.
  open_header = 1 + wire::varint_size(old_spans[index].length);
  *bytes.tail(open_header) = span_tag;
  bytes.advance(open_header);
}

void BatchEditor::State::end_span() {
  const std::size_t content = bytes.size() - open_start - open_header;
  const std::size_t header = 1 + wire::varint_size(content);
  if (header != open_header) {
    if (header > open_header) bytes.tail(header - open_header);
    char* const start = bytes.data() + open_start;
    std::memmove(start + header, start + open_header, content);
    bytes.truncate(open_start + header + content);
  }
  wire::write_varint(bytes.data() + open_start + 1, content);
  spans.push_back({static_cast<std::uint32_t>(open_start),
                   static_cast<std::uint32_t>(header + content), old_spans[position].scope, number,
                   static_cast<std::uint8_t>(header)});
  ++position;
}

void BatchEditor::State::drop_span(std::uint32_t index) {
  keep_until(index);
  ++position;
}

/// Copies the tables and gives the fresh buffer its number; it has no bytes until it is closed.
void BatchEditor::State::prepare_tables() {
  if (tables_changed && bytes.size() < fresh_size_max) return;
  if (tables_changed) {
    close_fresh_buffer();
  } else {
    tables = *batch.index_->tables;
  }
  tables_changed = true;
  number = add_buffer(tables, {});
}

void BatchEditor::State::close_fresh_buffer() {
  MemoryAccount* account = tables.sources.front().buffer.account();
  Source& fresh = tables.sources[number];
  fresh.buffer = std::move(bytes).freeze(account, 0);
  fresh.length = static_cast<std::uint32_t>(fresh.buffer.size());
}

Range BatchEditor::State::written(std::string_view content) {
  prepare_tables();
  const auto start = static_cast<std::uint32_t>(bytes.size());
  bytes.append(content);
  return {start, static_cast<std::uint32_t>(content.size()), number};
}

ScopeEntry& BatchEditor::State::edit_scope(std::uint32_t scope) {
  prepare_tables();
  scope_edited.resize(tables.scopes.size(), false);
  scope_edited[scope] = true;
  return tables.scopes[scope];
}

ResourceEntry& BatchEditor::State::edit_resource(std::uint32_t resource) {
  prepare_tables();
  scope_edited.resize(tables.scopes.size(), false);
  const auto before = [](const ScopeEntry& scope, std::uint32_t number_wanted) {
    return scope.resource < number_wanted;
  };
  // Scopes of one resource lie side by side.
  const auto first = std::lower_bound(tables.scopes.begin(), tables.scopes.end(), resource, before);
  for (auto scope = first; scope != tables.scopes.end() && scope->resource == resource; ++scope) {
    scope_edited[static_cast<std::size_t>(scope - tables.scopes.begin())] = true;
  }
  return tables.resources[resource];
}

/// A request with a resource or scope that changed may not leave as it came.
void BatchEditor::State::unmake_requests() {
  if (scope_edited.empty()) return;
  for (const SpanEntry& span : spans_changed ? std::span<const SpanEntry>(spans) : old_spans) {
    if (scope_edited[span.scope]) tables.sources[span.buffer].span_count = 0;
  }
}

/// All places where scopes and resources lie.
template <typename Visit>
void BatchEditor::State::each_range(BatchTables& tables, Visit visit) {
  for (ScopeEntry& scope : tables.scopes) {
    visit(scope.scope);
    visit(scope.extra);
  }
  for (ResourceEntry& resource : tables.resources) {
    visit(resource.resource);
    visit(resource.extra);
  }
}

/// Where none of the old spans is left, and scopes and resources are little beside them.
bool BatchEditor::State::may_leave_old_buffers() {
  if (!spans_changed || spans_kept || spans.empty() ||
      number != batch.index_->tables->sources.size())
    return false;
  // Of a selection from a large request most are no longer referred to; `compacted` drops these.
  if (tables.scopes.size() + tables.resources.size() > spans.size() + 2) return false;
  std::size_t wanted = 0;
  each_range(tables, [&](const Range& range) { wanted += range.length; });
  return wanted <= batch.wire_size() / 4 && bytes.size() + wanted <= fresh_size_max;
}

/// What scopes and resources need of the old buffers goes behind the new spans, so that the fresh
/// buffer is all there is. `compacted` would find that too, but only by a look at every span, which
/// took 11 ns each.
void BatchEditor::State::leave_old_buffers() {
  each_range(tables, [this](Range& range) {
    if (range.length == 0) {
      range = {};  // its place would be one in a buffer that is no longer there
      return;
    }
    if (range.buffer != number) {
      const std::string_view old = tables.bytes(range);
      range.offset = static_cast<std::uint32_t>(bytes.size());
      bytes.append(old);
    }
    range.buffer = 0;
  });
  for (SpanEntry& span : spans) span.buffer = 0;
  close_fresh_buffer();
  std::vector<Source> sources;
  sources.push_back(std::move(tables.sources[number]));
  tables.sources = std::move(sources);
}

SpanBatch BatchEditor::State::finish() {
  if (!spans_changed && !tables_changed) return batch;
  if (spans_changed) keep_until(static_cast<std::uint32_t>(old_spans.size()));
  const bool leaves_old_buffers = may_leave_old_buffers();
  if (leaves_old_buffers) {
    leave_old_buffers();
  } else if (tables_changed) {
    unmake_requests();
    close_fresh_buffer();
  }
  if (!spans_changed) spans.assign(old_spans.begin(), old_spans.end());
  const std::size_t wire_size = wire_size_of(spans);
  auto new_tables = tables_changed ? std::make_shared<const BatchTables>(std::move(tables))
                                   : batch.index_->tables;
  const SpanBatch edited(make_index(std::move(spans), std::move(new_tables), wire_size),
                         batch.context());
  return leaves_old_buffers ? edited : edited.compacted(share_min_in_passing);
}

BatchEditor::BatchEditor(const SpanBatch& batch) : state_(std::make_unique<State>(batch)) {}
BatchEditor::~BatchEditor() = default;

BufferWriter& BatchEditor::begin_span(std::uint32_t index) {
  state_->begin_span(index);
  return state_->bytes;
}

void BatchEditor::end_span() { state_->end_span(); }
void BatchEditor::drop_span(std::uint32_t index) { state_->drop_span(index); }

void BatchEditor::replace_resource(std::uint32_t resource, std::string_view message) {
  ResourceEntry& entry = state_->edit_resource(resource);
  entry.resource = state_->written(message);
  entry.has_resource = true;
}

void BatchEditor::replace_resource_extra(std::uint32_t resource, std::string_view fields) {
  state_->edit_resource(resource).extra = state_->written(fields);
}

void BatchEditor::replace_scope(std::uint32_t scope, std::string_view message) {
  ScopeEntry& entry = state_->edit_scope(scope);
  entry.scope = state_->written(message);
  entry.has_scope = true;
}

void BatchEditor::replace_scope_extra(std::uint32_t scope, std::string_view fields) {
  state_->edit_scope(scope).extra = state_->written(fields);
}

SpanBatch BatchEditor::finish() && {
  // The state goes with its handles to the old bytes, even if the editor stays in scope.
  const std::unique_ptr<State> state = std::move(state_);
  return state->finish();
}

}  // namespace sluice
