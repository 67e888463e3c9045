// jaeger.api_v2's PostSpansRequest into OTLP. The parent is a reference here, ids are bytes, times
// have nanoseconds, and a span may bring its own process.
//
// Accepts what a protobuf parser accepts: a known field in another wire type is an unknown one, of
// a field given twice the last counts (a batch or process given twice is not merged: the last one
// counts too).

#include <bit>
#include <cstring>
#include <optional>

#include "pipeline/codec/allowance.h"
#include "pipeline/codec/jaeger/grouping.h"
#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/model/wire.h"

namespace sluice::jaeger {
namespace {

using wire::Cursor;
using wire::Field;
using wire::Type;

namespace request_field {
constexpr std::uint32_t batch = 1;
}
namespace batch_field {
constexpr std::uint32_t spans = 1, process = 2;
}
namespace process_field {
constexpr std::uint32_t service_name = 1, tags = 2;
}
namespace span_field {
constexpr std::uint32_t trace_id = 1, span_id = 2, operation_name = 3, references = 4, flags = 5,
                        start_time = 6, duration = 7, tags = 8, logs = 9, process = 10;
}
namespace log_field {
constexpr std::uint32_t timestamp = 1, fields = 2;
}

/// A field's number and type in one, to switch on.
constexpr std::uint32_t key(std::uint32_t number, Type type) { return wire::tag(number, type); }
constexpr std::uint32_t key(const Field& field) { return wire::tag(field.number, field.type); }

/// Where the first mistake is, if any.
struct Mistake {
  const char* at = nullptr;
  /// Whether the message behind the cursor was well formed.
  bool check(const Cursor& cursor) {
    if (!cursor.ok() && at == nullptr) at = cursor.at();
    return cursor.ok();
  }
};

std::uint64_t big_endian(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap64(value);
}

/// Of another length than 8 bytes it is none: zero.
std::uint64_t span_id(std::string_view bytes) {
  return bytes.size() == 8 ? big_endian(bytes.data()) : 0;
}

/// 16 bytes, or 8 for the low half.
void trace_id(std::string_view bytes, std::uint64_t& high, std::uint64_t& low) {
  high = bytes.size() == 16 ? big_endian(bytes.data()) : 0;
  low = bytes.size() == 16  ? big_endian(bytes.data() + 8)
        : bytes.size() == 8 ? big_endian(bytes.data())
                            : 0;
}

/// Of a Timestamp or a Duration.
struct Seconds {
  std::int64_t seconds = 0, nanos = 0;
};

Seconds read_seconds(std::string_view message, Mistake& mistake) {
  Seconds found;
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    if (field.is(1, Type::varint)) found.seconds = static_cast<std::int64_t>(field.value);
    if (field.is(2, Type::varint)) found.nanos = static_cast<std::int32_t>(field.value);
  }
  mistake.check(cursor);
  return found;
}

Tag read_tag(std::string_view message, Mistake& mistake) {
  Tag tag;
  std::string_view binary;
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    switch (key(field)) {
      case key(1, Type::length): tag.key = field.content; break;
      case key(2, Type::varint): tag.type_number = static_cast<std::int32_t>(field.value); break;
      case key(3, Type::length): tag.text = field.content; break;
      case key(4, Type::varint): tag.boolean = field.value != 0; break;
      case key(5, Type::varint): tag.integer = static_cast<std::int64_t>(field.value); break;
      case key(6, Type::fixed64): tag.real = std::bit_cast<double>(field.value); break;
      case key(7, Type::length): binary = field.content; break;
      default: break;
    }
  }
  mistake.check(cursor);
  constexpr Tag::Kind kinds[] = {Tag::Kind::text, Tag::Kind::boolean, Tag::Kind::integer,
                                 Tag::Kind::real, Tag::Kind::binary};
  const auto type = static_cast<std::uint32_t>(tag.type_number);
  tag.kind = type < 5 ? kinds[type] : Tag::Kind::unknown;
  if (tag.kind == Tag::Kind::binary) tag.text = binary;
  return tag;
}

Reference read_reference(std::string_view message, Mistake& mistake) {
  Reference reference;
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    switch (key(field)) {
      case key(1, Type::length):
        trace_id(field.content, reference.trace_high, reference.trace_low);
        break;
      case key(2, Type::length): reference.span = span_id(field.content); break;
      case key(3, Type::varint): reference.type = static_cast<std::int32_t>(field.value); break;
      default: break;
    }
  }
  mistake.check(cursor);
  return reference;
}

void read_log(std::string_view message, SpanDraft& draft, Mistake& mistake) {
  const std::size_t mark = draft.begin_event();
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    if (field.is(log_field::timestamp, Type::length)) {
      const Seconds time = read_seconds(field.content, mistake);
      draft.event_time(nanos_of_seconds(time.seconds, time.nanos, draft.clamped));
    } else if (field.is(log_field::fields, Type::length)) {
      draft.event_field(read_tag(field.content, mistake));
    }
  }
  mistake.check(cursor);
  draft.end_event(mark);
}

void read_references(std::string_view span, SpanDraft& draft, Mistake& mistake) {
  Field field;
  for (Cursor cursor(span); cursor.next(field);) {
    if (field.is(span_field::references, Type::length))
      draft.consider_parent(read_reference(field.content, mistake));
  }
  for (Cursor cursor(span); cursor.next(field);) {
    if (field.is(span_field::references, Type::length))
      draft.link(read_reference(field.content, mistake));
  }
}

/// All of the message, but for what `SpanDraft::finish` does. `process` is set where it has its
/// own.
void read_span(std::string_view message, SpanDraft& draft, std::string_view& process,
               Mistake& mistake) {
  Seconds start, duration;
  bool has_references = false;
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    switch (key(field)) {
      case key(span_field::trace_id, Type::length):
        trace_id(field.content, draft.trace_high, draft.trace_low);
        break;
      case key(span_field::span_id, Type::length): draft.span = span_id(field.content); break;
      case key(span_field::operation_name, Type::length): draft.name(field.content); break;
      case key(span_field::references, Type::length): has_references = true; break;
      case key(span_field::flags, Type::varint):
        draft.flags = static_cast<std::uint32_t>(field.value);
        break;
      case key(span_field::start_time, Type::length):
        start = read_seconds(field.content, mistake);
        break;
      case key(span_field::duration, Type::length):
        duration = read_seconds(field.content, mistake);
        break;
      case key(span_field::tags, Type::length): draft.tag(read_tag(field.content, mistake)); break;
      case key(span_field::logs, Type::length): read_log(field.content, draft, mistake); break;
      case key(span_field::process, Type::length): process = field.content; break;
      default: break;
    }
  }
  if (!mistake.check(cursor)) return;
  draft.start = nanos_of_seconds(start.seconds, start.nanos, draft.clamped);
  draft.end = end_of(draft.start, duration.seconds, 1'000'000'000, duration.nanos, draft.clamped);
  if (has_references) read_references(message, draft, mistake);
}

std::string_view service_of(std::string_view process, Mistake& mistake) {
  std::string_view service;
  Cursor cursor(process);
  Field field;
  while (cursor.next(field)) {
    if (field.is(process_field::service_name, Type::length)) service = field.content;
  }
  mistake.check(cursor);
  return service;
}

template <typename Use>
void each_tag(std::string_view process, Mistake& mistake, Use use) {
  Cursor cursor(process);
  Field field;
  while (cursor.next(field)) {
    if (field.is(process_field::tags, Type::length)) use(read_tag(field.content, mistake));
  }
}

/// False when `out` would become larger than `limit`, and then not whole.
bool write_resource(std::string_view process, SpanWriter& out, std::size_t limit,
                    Mistake& mistake) {
  const std::string_view service = service_of(process, mistake);
  if (service == no_service_name) return true;
  const std::size_t mark = out.begin(otlp::resource_spans::resource, 256);
  ResourceNames names;
  each_tag(process, mistake, [&](const Tag& tag) { names.see(tag.key); });
  if (!service.empty() && !names.has_service_name())
    out.attribute(otlp::resource::attributes, "service.name", service);
  each_tag(process, mistake, [&](const Tag& tag) {
    if (out.size() + tag.key.size() + tag.text.size() <= limit) names.write(out, tag);
  });
  out.end(mark);
  return out.size() <= limit;
}

class BatchSource {
 public:
  BatchSource(std::string_view batch, std::string_view process, Allowance::Input how,
              SpanWriter& out, Report& report)
      : batch_(batch),
        process_(process),
        out_(out),
        report_(report),
        allowance_(batch, out.size(), how),
        cursor_(batch) {
    find();
  }

  void rewind() { seek(0); }
  bool more() const { return found_ && ok(); }
  std::size_t position() const { return static_cast<std::size_t>(at_ - batch_.data()); }
  const char* begin() const { return batch_.data(); }
  void seek(std::size_t position) {
    cursor_ = Cursor(batch_.substr(position));
    find();
  }
  bool ok() const { return mistake_.at == nullptr && !too_large_; }
  void resource(std::string_view process) {
    too_large_ |= !write_resource(process, out_, limit(), mistake_);
  }
  void all_in(const Group& group) { group_ = group; }
  bool settled() const { return settled_; }
  void hold(std::size_t size) {
    group_.reset();
    held_ += size;
    too_large_ |= held_ > allowance_.limit(0);
  }

  Group survey() {
    Group group{process_, {}, {}};
    TagFacts facts;
    Cursor cursor(span_);
    Field field;
    while (cursor.next(field)) {
      if (field.is(span_field::tags, Type::length))
        (void)facts.take(read_tag(field.content, mistake_));
      if (field.is(span_field::process, Type::length)) group.process = field.content;
    }
    mistake_.check(cursor);
    group.scope_name = facts.scope_name;
    group.scope_version = facts.scope_version;
    find();
    return group;
  }

  bool translate(Group& group) {
    make_room();
    SpanDraft draft(out_, limit());
    std::string_view process = process_;
    read_span(span_, draft, process, mistake_);
    too_large_ |= !draft.fits();
    if (!ok()) return false;
    group = draft.group();
    group.process = process;
    const bool taken = draft.finish(report_, {});
    if (!taken && report_.spans_invalid_id == 1 && !settled_)
      report_.invalid_service = service_of(process, mistake_);
    find();
    return taken;
  }

  /// Where the first mistake is; null: the batch would become too large.
  const char* mistake() const { return mistake_.at; }

 private:
  /// Of the output, so far.
  std::size_t limit() const {
    const std::size_t limit = allowance_.limit(report_.spans);
    return limit - std::min(limit, held_);
  }
  /// For the span that stands here, by letting go of those in front of it. That is for good, so
  /// all others must belong where those did.
  void make_room() {
    const std::size_t size = out_.size() + 2 * span_.size();
    if (!group_ || size + held_ <= allowance_.limit(report_.spans)) return;
    if (!settled_) {
      const std::size_t here = position();
      bool same = true;
      while (same && more()) same = survey() == *group_;
      seek(here);
      if (!same || !ok()) return group_.reset();
      settled_ = true;
    }
    allowance_.read_up_to(position());
    (void)allowance_.admits(size, report_.spans);
  }
  /// On to the next span.
  void find() {
    Field field;
    at_ = cursor_.at();
    for (found_ = false; !found_ && cursor_.next(field);) {
      found_ = field.is(batch_field::spans, Type::length);
      if (found_) span_ = field.content;
      if (!found_) at_ = cursor_.at();
    }
    mistake_.check(cursor_);
  }

  const std::string_view batch_, process_;
  SpanWriter& out_;
  Report& report_;
  Allowance allowance_;
  std::optional<Group> group_;  ///< as long as all spans are written under one
  bool settled_ = false;        ///< they will be
  std::size_t held_ = 0;
  Cursor cursor_;
  Mistake mistake_;
  std::string_view span_;
  const char* at_ = nullptr;
  bool found_ = false;
  bool too_large_ = false;
};

/// The last occurrence of a message field.
std::string_view last(std::string_view message, std::uint32_t number, Mistake& mistake) {
  std::string_view found;
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    if (field.is(number, Type::length)) found = field.content;
  }
  mistake.check(cursor);
  return found;
}

}  // namespace

bool translate_post_spans(std::string_view message, Allowance::Input how, SpanWriter& out,
                          Report& report) {
  Mistake mistake;
  const std::string_view batch = last(message, request_field::batch, mistake);
  const std::string_view process = last(batch, batch_field::process, mistake);
  BatchSource source(batch, process, how, out, report);
  if (mistake.at == nullptr && write_spans(source, out, report, batch.size())) return true;
  report = {};
  const char* const at = mistake.at != nullptr ? mistake.at : source.mistake();
  report.error = at == nullptr
                     ? allowance_exceeded
                     : "malformed protobuf at byte " + std::to_string(at - message.data());
  return false;
}

}  // namespace sluice::jaeger
