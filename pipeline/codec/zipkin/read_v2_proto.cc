// zipkin.proto3.ListOfSpans. A message that is merged from several pieces (an endpoint given twice)
// counts as its last one.

#include <optional>

#include "pipeline/codec/zipkin/proto_fields.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/span_builder.h"
#include "pipeline/model/wire.h"

namespace sluice::zipkin {
namespace {

using wire::Cursor;
using wire::Field;
using wire::Type;

constexpr int span_depth = wire::depth_max - 1, part_depth = wire::depth_max - 2;

/// The kinds by Zipkin's numbers; an unknown one is none.
SpanKind kind_of(std::uint64_t number) {
  constexpr std::array kinds = {SpanKind::unspecified, SpanKind::client, SpanKind::server,
                                SpanKind::producer, SpanKind::consumer};
  return number < kinds.size() ? kinds[number] : SpanKind::unspecified;
}

class Reader {
 public:
  Reader(std::string_view message, const ReadOptions& options, SpanWriter& out, ReadReport& report)
      : message_(message),
        builder_(out, message, message.size(), SpanBuilder::Version::v2, options, report),
        report_(report) {}
  bool read();

 private:
  bool span(const Field& field);
  void singular(const Field& field, SpanHead& head);
  bool endpoint(std::string_view message, Endpoint& out);
  bool annotation(std::string_view message);
  bool tag(std::string_view message);
  bool framed(const Cursor& cursor, const char* what);

  std::string_view message_;
  SpanBuilder builder_;
  ReadReport& report_;
};

bool Reader::framed(const Cursor& cursor, const char* what) {
  if (cursor.ok()) return true;
  if (report_.error.empty())
    report_.error =
        "at byte " + std::to_string(cursor.at() - message_.data()) + ": a malformed " + what;
  return false;
}

bool Reader::read() {
  Cursor cursor(message_);
  Field field;
  while (cursor.next(field)) {
    if (field.is(proto::list::spans, Type::length) && !span(field)) return false;
  }
  if (!framed(cursor, "list of spans")) return false;
  builder_.finish();
  return true;
}

bool Reader::span(const Field& field) {
  SpanHead& head = builder_.begin();
  Cursor cursor(field.content, span_depth);
  Field part;
  while (cursor.next(part)) {
    if (part.is(proto::span::tags, Type::length)) {
      if (!tag(part.content)) return false;
    } else if (part.is(proto::span::annotations, Type::length)) {
      if (!annotation(part.content)) return false;
    } else if (part.is(proto::span::local_endpoint, Type::length)) {
      if (!endpoint(part.content, head.local)) return false;
    } else if (part.is(proto::span::remote_endpoint, Type::length)) {
      if (!endpoint(part.content, head.remote)) return false;
    } else {
      singular(part, head);
    }
  }
  if (!framed(cursor, "span")) return false;
  builder_.end(static_cast<std::size_t>(field.whole.data() - message_.data()));
  if (!builder_.overflown()) return true;
  report_.error = allowance_exceeded;
  return false;
}

void Reader::singular(const Field& field, SpanHead& head) {
  if (field.type == Type::length) {
    switch (field.number) {
      case proto::span::trace_id: head.trace_id = id_of_bytes<16>(field.content); return;
      case proto::span::parent_id:
        if (!field.content.empty()) head.parent_id = id_of_bytes<8>(field.content);
        return;
      case proto::span::id: head.id = id_of_bytes<8>(field.content); return;
      case proto::span::name: head.name = field.content; return;
      default: return;
    }
  }
  if (field.is(proto::span::timestamp, Type::fixed64)) head.timestamp = field.value;
  if (field.type != Type::varint) return;
  switch (field.number) {
    case proto::span::kind: head.kind = kind_of(field.value); return;
    case proto::span::duration: head.duration = field.value; return;
    case proto::span::debug: head.debug = field.value != 0; return;
    case proto::span::shared: head.shared = field.value != 0; return;
    default: return;
  }
}

bool Reader::endpoint(std::string_view message, Endpoint& out) {
  out = Endpoint();
  Cursor cursor(message, part_depth);
  Field field;
  while (cursor.next(field)) {
    if (field.is(proto::endpoint::service_name, Type::length)) out.service_name = field.content;
    if (field.is(proto::endpoint::ipv4, Type::length) ||
        field.is(proto::endpoint::ipv6, Type::length))
      out.place(address_of(field.content));
    // An int32: what is no port is absent.
    if (field.is(proto::endpoint::port, Type::varint))
      out.port =
          field.value <= UINT16_MAX ? static_cast<std::uint16_t>(field.value) : std::uint16_t{0};
  }
  return framed(cursor, "endpoint");
}

bool Reader::annotation(std::string_view message) {
  std::uint64_t timestamp = 0;
  Text value;
  Cursor cursor(message, part_depth);
  Field field;
  while (cursor.next(field)) {
    if (field.is(proto::annotation::timestamp, Type::fixed64)) timestamp = field.value;
    if (field.is(proto::annotation::value, Type::length)) value = field.content;
  }
  if (!framed(cursor, "annotation")) return false;
  builder_.annotation(timestamp, value);
  return true;
}

bool Reader::tag(std::string_view message) {
  Text key;
  Text value;
  Cursor cursor(message, part_depth);
  Field field;
  while (cursor.next(field)) {
    if (field.is(proto::tag::key, Type::length)) key = field.content;
    if (field.is(proto::tag::value, Type::length)) value = field.content;
  }
  if (!framed(cursor, "tag")) return false;
  builder_.tag(key, value);
  return true;
}

}  // namespace

bool read_v2_proto(std::string_view message, const ReadOptions& options, SpanWriter& out,
                   ReadReport& report) {
  const std::size_t before = out.size();
  if (Reader(message, options, out, report).read()) return true;
  out.truncate(before);
  return false;
}

}  // namespace sluice::zipkin
