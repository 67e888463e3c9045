// SpanBatch::parse: one walk over a request. It checks the framing of the request, of each
// ResourceSpans, ScopeSpans, Resource, InstrumentationScope and Span down to their own fields, and
// accepts exactly what libprotobuf accepts there; a known field in the wrong wire type is an
// unknown field. What lies deeper (attribute values, events, links) is checked where it is read.
//
// Memory: an entry is made for a span that is taken and, with the first one in it, for its scope
// and resource; vectors grow to what the rest of the request would need if it went on like its
// beginning. Only fields of one message that are scattered over the wire are copied, at most once
// each.

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_index.h"
#include "pipeline/model/usual_span.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

using wire::Cursor;
using wire::Field;
using wire::Type;

// Groups may nest less deeply inside messages, which count too.
constexpr int request_depth = wire::depth_max;
constexpr int resource_spans_depth = request_depth - 1;
constexpr int scope_spans_depth = request_depth - 2;
constexpr int span_depth = request_depth - 3;

constexpr std::uint16_t source_buffer = 0;
constexpr std::uint16_t copies_buffer = 1;
constexpr std::uint32_t none = UINT32_MAX;

/// The bytes of some fields of a message: one stretch, or several.
class Pieces {
 public:
  void add(std::string_view piece) {
    if (!any_) {
      bytes_ = piece;
      any_ = true;
    } else if (!scattered_ && piece.data() == bytes_.data() + bytes_.size()) {
      bytes_ = {bytes_.data(), bytes_.size() + piece.size()};
    } else {
      scattered_ = true;
    }
  }
  bool any() const { return any_; }
  bool scattered() const { return scattered_; }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool any_ = false;
  bool scattered_ = false;
};

bool valid_id(std::string_view id, std::size_t size) {
  if (id.size() != size) return false;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::memcpy(&first, id.data(), 8);
  std::memcpy(&last, id.data() + size - 8, 8);
  return (first | last) != 0;
}

class Parser {
 public:
  Parser(Buffer buffer, std::uint32_t offset, std::uint32_t length, ParseReport& report,
         const ParseLimits& limits)
      : report_(report),
        limits_(limits),
        base_(buffer.data()),
        begin_(base_ + offset),
        length_(length) {
    tables_.sources.push_back({std::move(buffer), offset, length, 0});
  }

  /// Their fields and ids are right.
  void trust_spans() { is_trusted_ = true; }
  /// They are these spans, in this order.
  void expect(const SpanBatch::Index& before);
  std::shared_ptr<const SpanBatch::Index> run();

 private:
  bool request(std::string_view message);
  bool resource_spans(std::string_view message);
  bool scope_spans(std::string_view message);
  bool span(const Field& field);
  void take(const Field& field, std::uint8_t tail);

  bool framed(std::string_view message, int depth, const char* name);
  bool malformed(const char* name, const char* at);
  void locate(Range& range, const Pieces& pieces, std::string_view parent, int depth,
              bool (*wanted)(const Field&), bool whole);
  Range copy_of(std::string_view parent, int depth, bool (*wanted)(const Field&), bool whole);
  template <typename Entries>
  void make_room(Entries& entries) const;

  ParseReport& report_;
  const ParseLimits limits_;
  bool is_trusted_ = false;
  std::span<const SpanEntry> known_;  ///< of trusted spans, those that were read before
  const char* const base_;
  const char* const begin_;
  const std::size_t length_;
  const char* at_ = begin_;  ///< how far the spans that were taken reach
  BatchTables tables_;
  SpanEntries spans_;
  BufferWriter copies_;
  std::size_t wire_size_ = 0;
  std::size_t open_size_ = 0;      ///< of the open ResourceSpans
  std::uint32_t resource_ = none;  ///< the entry of the open ResourceSpans, once it has a span
  std::uint32_t scope_ = none;
};

void Parser::expect(const SpanBatch::Index& before) {
  trust_spans();
  known_ = before.spans;
  spans_.reserve(known_.size());
}

std::shared_ptr<const SpanBatch::Index> Parser::run() {
  if (!request({begin_, length_})) return nullptr;
  Source& source = tables_.sources.front();
  if (report_.spans_invalid_id == 0) source.span_count = static_cast<std::uint32_t>(spans_.size());
  if (copies_.size() > 0) {
    MemoryAccount* account = source.buffer.account();
    add_buffer(tables_, std::move(copies_).freeze(account, 0));
  }
  report_.spans_taken = static_cast<std::uint32_t>(spans_.size());
  return make_index(std::move(spans_), std::make_shared<const BatchTables>(std::move(tables_)),
                    wire_size_);
}

bool Parser::request(std::string_view message) {
  Cursor cursor(message, request_depth);
  Field field;
  while (cursor.next(field)) {
    if (!field.is(otlp::request::resource_spans, Type::length)) continue;
    if (!resource_spans(field.content)) return false;
  }
  return cursor.ok() || malformed("request", cursor.at());
}

bool is_resource(const Field& field) {
  return field.is(otlp::resource_spans::resource, Type::length);
}
bool is_scope_spans(const Field& field) {
  return field.is(otlp::resource_spans::scope_spans, Type::length);
}
bool is_scope(const Field& field) { return field.is(otlp::scope_spans::scope, Type::length); }
bool is_span(const Field& field) { return field.is(otlp::scope_spans::spans, Type::length); }

bool Parser::resource_spans(std::string_view message) {
  Pieces resource;
  Pieces extra;
  resource_ = none;
  open_size_ = message.size();
  Cursor cursor(message, resource_spans_depth);
  Field field;
  while (cursor.next(field)) {
    if (is_scope_spans(field)) {
      if (!scope_spans(field.content)) return false;
    } else if (is_resource(field)) {
      if (!framed(field.content, resource_spans_depth - 1, "Resource")) return false;
      resource.add(field.content);
    } else {
      extra.add(field.whole);
    }
  }
  if (!cursor.ok()) return malformed("ResourceSpans", cursor.at());
  if (resource_ == none) return true;
  ResourceEntry& entry = tables_.resources[resource_];
  locate(entry.resource, resource, message, resource_spans_depth, is_resource, false);
  locate(
      entry.extra, extra, message, resource_spans_depth,
      [](const Field& own) { return !is_resource(own) && !is_scope_spans(own); }, true);
  entry.has_resource = resource.any();
  return true;
}

bool Parser::scope_spans(std::string_view message) {
  Pieces scope;
  Pieces extra;
  scope_ = none;
  Cursor cursor(message, scope_spans_depth);
  Field field;
  while (cursor.next(field)) {
    if (is_span(field)) {
      if (!span(field)) return false;
    } else if (is_scope(field)) {
      if (!framed(field.content, scope_spans_depth - 1, "InstrumentationScope")) return false;
      scope.add(field.content);
    } else {
      extra.add(field.whole);
    }
  }
  if (!cursor.ok()) return malformed("ScopeSpans", cursor.at());
  if (scope_ == none) return true;
  ScopeEntry& entry = tables_.scopes[scope_];
  locate(entry.scope, scope, message, scope_spans_depth, is_scope, false);
  locate(
      entry.extra, extra, message, scope_spans_depth,
      [](const Field& own) { return !is_scope(own) && !is_span(own); }, true);
  entry.has_scope = scope.any();
  return true;
}

bool Parser::span(const Field& field) {
  if (is_trusted_) {
    take(field,
         spans_.size() < known_.size() ? known_[spans_.size()].tail : SpanEntry::unknown_tail);
    return true;
  }
  UsualSpan ids(field.content);
  const std::uint8_t tail = ids.tail();
  Cursor cursor(ids.rest(), span_depth);
  Field own;
  while (cursor.next(own)) {
    if (own.type != Type::length) continue;
    if (own.number == otlp::span::trace_id) ids.trace_id = own.content;
    if (own.number == otlp::span::span_id) ids.span_id = own.content;
    if (own.number == otlp::span::parent_span_id) ids.parent_span_id = own.content;
  }
  if (!cursor.ok()) return malformed("Span", cursor.at());
  if (!valid_id(ids.trace_id, 16) || !valid_id(ids.span_id, 8) ||
      (!ids.parent_span_id.empty() && ids.parent_span_id.size() != 8)) {
    ++report_.spans_invalid_id;
    return true;
  }
  if (spans_.size() >= limits_.spans_max) {
    report_.error = "more than " + std::to_string(limits_.spans_max) + " spans in one request";
    return false;
  }
  take(field, tail);
  return true;
}

void Parser::take(const Field& field, std::uint8_t tail) {
  if (scope_ == none) {
    if (resource_ == none) {
      resource_ = static_cast<std::uint32_t>(tables_.resources.size());
      make_room(tables_.resources);
      tables_.resources.emplace_back();
    }
    scope_ = static_cast<std::uint32_t>(tables_.scopes.size());
    make_room(tables_.scopes);
    tables_.scopes.push_back({.resource = resource_});
  }
  make_room(spans_);
  const auto length = static_cast<std::uint32_t>(field.whole.size());
  SpanEntry& entry = spans_.emplace_back();
  entry.offset = static_cast<std::uint32_t>(field.whole.data() - base_);
  entry.length = length;
  entry.scope = scope_;
  entry.buffer = source_buffer;
  entry.header = static_cast<std::uint8_t>(length - field.content.size());
  entry.tail = tail;
  wire_size_ += length;
  at_ = field.whole.data() + field.whole.size();
}

/// Grows to what the whole request needs if it goes on as it began, with an eighth to spare; but
/// to no more entries than there are spans, where that is known.
template <typename Entries>
void Parser::make_room(Entries& entries) const {
  const std::size_t count = entries.size();
  if (count < entries.capacity()) return;
  const auto reserve = [&](std::size_t wanted) {
    if (count < known_.size()) wanted = std::min(wanted, known_.size());
    entries.reserve(wanted);
  };
  if (count == 0) {
    // One small vector serves a small request; a resource or scope is usually alone, or one of
    // several of about the same size.
    const std::size_t one = std::is_same_v<Entries, SpanEntries> ? 128 : open_size_;
    return reserve(std::clamp<std::size_t>(length_ / one, 1, 32));
  }
  const auto done = static_cast<std::size_t>(at_ - begin_);
  const std::size_t expected = done == 0 ? count : count * length_ / done;
  reserve(std::max(count + count / 4 + 1, expected + expected / 8));
}

bool Parser::framed(std::string_view message, int depth, const char* name) {
  Cursor cursor(message, depth);
  Field field;
  while (cursor.next(field)) {
  }
  return cursor.ok() || malformed(name, cursor.at());
}

bool Parser::malformed(const char* name, const char* at) {
  report_.error = std::string("malformed ") + name + " at byte " + std::to_string(at - begin_);
  return false;
}

/// Where the pieces are; those that are scattered over `parent` are copied one behind the other.
/// Written in place: g++ returns a Range through memory, in pieces that are read back at once as a
/// whole, which stalls the processor, in all for a third of the time that parsing ten spans takes.
inline void Parser::locate(Range& range, const Pieces& pieces, std::string_view parent, int depth,
                           bool (*wanted)(const Field&), bool whole) {
  if (!pieces.any()) return;
  if (pieces.scattered()) {
    range = copy_of(parent, depth, wanted, whole);
    return;
  }
  range.offset = static_cast<std::uint32_t>(pieces.bytes().data() - base_);
  range.length = static_cast<std::uint32_t>(pieces.bytes().size());
  range.buffer = source_buffer;
}

Range Parser::copy_of(std::string_view parent, int depth, bool (*wanted)(const Field&),
                      bool whole) {
  // Every field is copied once at most, so this is room for all that can come.
  if (copies_.capacity() == 0) copies_.reserve(length_);
  const std::size_t start = copies_.size();
  Cursor cursor(parent, depth);
  Field field;
  while (cursor.next(field)) {
    if (wanted(field)) copies_.append(whole ? field.whole : field.content);
  }
  const std::size_t size = copies_.size() - start;
  if (size == 0) return {};
  return {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(size), copies_buffer};
}

}  // namespace

std::optional<SpanBatch> SpanBatch::parse(Buffer buffer, std::size_t offset, std::size_t length,
                                          ParseReport& report, const ParseLimits& limits) {
  report = {};
  if (offset > buffer.size() || length > buffer.size() - offset) {
    report.error = "the request ends behind its buffer";
    return std::nullopt;
  }
  Parser parser(std::move(buffer), static_cast<std::uint32_t>(offset),
                static_cast<std::uint32_t>(length), report, limits);
  auto index = parser.run();
  if (!index) {
    report.spans_invalid_id = 0;
    return std::nullopt;
  }
  return SpanBatch(std::move(index), nullptr);
}

std::shared_ptr<const SpanBatch::Index> index_of_encoded(Buffer request,
                                                         const SpanBatch::Index& before) {
  const auto size = static_cast<std::uint32_t>(request.size());
  ParseReport report;
  Parser parser(std::move(request), 0, size, report, ParseLimits());
  parser.expect(before);
  auto index = parser.run();
  return index != nullptr && index->spans.size() == before.spans.size() ? index : nullptr;
}

SpanBatch SpanBatch::of_translation(Buffer buffer) {
  const auto size = static_cast<std::uint32_t>(buffer.size());
  ParseReport report;
  Parser parser(std::move(buffer), 0, size, report, ParseLimits());
#ifdef NDEBUG
  parser.trust_spans();
#endif
  auto index = parser.run();
  ensure(index != nullptr && report.spans_invalid_id == 0, "a translation is valid OTLP");
  return SpanBatch(std::move(index), nullptr);
}

}  // namespace sluice
