// zipkincore:
//   Span             1 trace_id i64, 3 name, 4 id i64, 5 parent_id i64, 6 list<Annotation>,
//                    8 list<BinaryAnnotation>, 9 debug bool, 10 timestamp i64, 11 duration i64,
//                    12 trace_id_high i64
//   Annotation       1 timestamp i64, 2 value, 3 host Endpoint
//   BinaryAnnotation 1 key, 2 value binary, 3 type i32, 4 host Endpoint
//   Endpoint         1 ipv4 i32, 2 port i16, 3 service_name, 4 ipv6 binary
// A list is stepped over first; a copy of the reader that stands at it is the bookmark for the
// later goes.

#include "pipeline/codec/zipkin/read_v1_thrift.h"

#include <bit>
#include <cstring>
#include <optional>

#include "pipeline/codec/thrift/binary_reader.h"
#include "pipeline/codec/thrift/compact_reader.h"
#include "pipeline/codec/zipkin/json_values.h"
#include "pipeline/codec/zipkin/span_builder.h"
#include "pipeline/codec/zipkin/v1_span.h"

namespace sluice::zipkin {
namespace {

using thrift::Field;
using thrift::Type;
using Kind = V1BinaryAnnotation::Type;

/// AnnotationType.
enum : std::int32_t { type_bool = 0, type_bytes, type_i16, type_i32, type_i64, type_double };

/// Big-endian, of a value that has exactly this size.
template <typename Unsigned>
std::optional<Unsigned> big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(Unsigned)) return std::nullopt;
  Unsigned value = 0;
  for (const char byte : bytes)
    value = static_cast<Unsigned>(value << 8 | static_cast<unsigned char>(byte));
  return value;
}

template <typename Unsigned>
void take_integer(std::string_view bytes, V1BinaryAnnotation& out) {
  const std::optional<Unsigned> value = big_endian<Unsigned>(bytes);
  if (!value) return;
  out.type = Kind::integer;
  out.integer = static_cast<std::make_signed_t<Unsigned>>(*value);
}

/// A value that has not the size of its type is kept as bytes.
void interpret(std::string_view bytes, std::int32_t type, V1BinaryAnnotation& out) {
  out.value =
      Text(bytes, type < type_bool || type > type_double ? Text::Form::plain : Text::Form::bytes);
  switch (type) {
    case type_bool:
      if (bytes.size() != 1) return;
      out.type = Kind::boolean;
      out.integer = bytes[0] == 0 ? 0 : 1;
      return;
    case type_i16: return take_integer<std::uint16_t>(bytes, out);
    case type_i32: return take_integer<std::uint32_t>(bytes, out);
    case type_i64: return take_integer<std::uint64_t>(bytes, out);
    case type_double:
      if (const auto bits = big_endian<std::uint64_t>(bytes)) {
        out.type = Kind::real;
        out.real = std::bit_cast<double>(*bits);
      }
      return;
    default: return;
  }
}

template <typename In>
Endpoint read_endpoint(In& in) {
  Endpoint out;
  Field field;
  while (in.next(field)) {
    if (field.is(1, Type::i32)) {
      const auto packed = __builtin_bswap32(static_cast<std::uint32_t>(in.i32()));
      std::array<char, 4> bytes{};
      std::memcpy(bytes.data(), &packed, sizeof packed);
      if (packed != 0) out.place(address_of({bytes.data(), bytes.size()}));
    } else if (field.is(2, Type::i16)) {
      out.port = static_cast<std::uint16_t>(in.i16());
    } else if (field.is(3, Type::string)) {
      out.service_name = in.string();
    } else if (field.is(4, Type::string)) {
      out.place(address_of(in.string()));
    } else {
      in.skip(field);
    }
  }
  return out;
}

template <typename In>
V1Annotation read_annotation(In& in) {
  V1Annotation out;
  Field field;
  while (in.next(field)) {
    if (field.is(1, Type::i64)) {
      out.timestamp = microseconds(in.i64());
    } else if (field.is(2, Type::string)) {
      out.value = in.string();
    } else if (field.is(3, Type::structure)) {
      out.host = read_endpoint(in);
    } else {
      in.skip(field);
    }
  }
  return out;
}

template <typename In>
V1BinaryAnnotation read_binary_annotation(In& in) {
  V1BinaryAnnotation out;
  std::string_view value;
  std::int32_t type = type_bool;
  Field field;
  while (in.next(field)) {
    if (field.is(1, Type::string)) {
      out.key = in.string();
    } else if (field.is(2, Type::string)) {
      value = in.string();
    } else if (field.is(3, Type::i32)) {
      type = in.i32();
    } else if (field.is(4, Type::structure)) {
      out.host = read_endpoint(in);
    } else {
      in.skip(field);
    }
  }
  interpret(value, type, out);
  return out;
}

/// The lists of one span.
template <typename In>
class Items {
 public:
  Items(In& problems) : problems_(problems) {}
  std::optional<In> annotations_at, binary_annotations_at;

  template <typename Visit>
  bool annotations(Visit visit) {
    return list(annotations_at, [&](In& in) { visit(read_annotation(in)); });
  }
  template <typename Visit>
  bool binary_annotations(Visit visit) {
    return list(binary_annotations_at, [&](In& in) { visit(read_binary_annotation(in)); });
  }

 private:
  template <typename Element>
  bool list(const std::optional<In>& at, Element element) {
    if (!at) return true;
    In in = *at;
    const thrift::List list = in.list();
    if (list.element != Type::structure && list.size > 0) return true;  // as absent
    for (std::uint32_t i = 0; i < list.size && in.ok(); ++i) element(in);
    if (in.ok()) return true;
    problems_ = in;
    return false;
  }
  In& problems_;
};

template <typename In>
bool read_span(In& in, V1Parts& parts, SpanBuilder& builder) {
  const std::size_t position = in.position();
  V1Head head;
  Items<In> items(in);
  std::int64_t high = 0;
  std::int64_t low = 0;
  Field field;
  while (in.next(field)) {
    if (field.is(1, Type::i64)) {
      low = in.i64();
    } else if (field.is(12, Type::i64)) {
      high = in.i64();
    } else if (field.is(3, Type::string)) {
      head.name = in.string();
    } else if (field.is(4, Type::i64)) {
      head.id = id_of_number(in.i64());
    } else if (field.is(5, Type::i64)) {
      head.parent_id = id_of_number(in.i64());
    } else if (field.is(9, Type::boolean)) {
      head.debug = in.boolean(field);
    } else if (field.is(10, Type::i64)) {
      head.timestamp = microseconds(in.i64());
    } else if (field.is(11, Type::i64)) {
      head.duration = microseconds(in.i64());
    } else {
      if (field.is(6, Type::list)) items.annotations_at = in;
      if (field.is(8, Type::list)) items.binary_annotations_at = in;
      in.skip(field);
    }
  }
  head.trace_id = trace_id_of_numbers(high, low);
  if (!in.ok() || !convert_v1(head, items, parts, builder, position)) return false;
  return !builder.overflown() || in.fail(allowance_exceeded);
}

}  // namespace

template <typename In>
bool read_v1_thrift_list(In& in, const ReadOptions& options, SpanWriter& out, ReadReport& report) {
  const std::size_t before = out.size();
  SpanBuilder builder(out, in.whole(), in.left(), SpanBuilder::Version::v1, options, report);
  V1Parts parts;
  const thrift::List list = in.list();
  if (in.ok() && list.size > 0 && list.element != Type::structure)
    in.fail("the list has other elements than spans");
  for (std::uint32_t i = 0; i < list.size && in.ok(); ++i) {
    if (!read_span(in, parts, builder)) break;
  }
  if (in.ok()) {
    builder.finish();
    return true;
  }
  out.truncate(before);
  return false;
}
template bool read_v1_thrift_list(thrift::BinaryReader&, const ReadOptions&, SpanWriter&,
                                  ReadReport&);
template bool read_v1_thrift_list(thrift::CompactReader&, const ReadOptions&, SpanWriter&,
                                  ReadReport&);

bool read_v1_thrift(std::string_view bytes, const ReadOptions& options, SpanWriter& out,
                    ReadReport& report) {
  if (bytes.empty()) return true;
  const std::size_t before = out.size();
  thrift::BinaryReader in(bytes);
  if (read_v1_thrift_list(in, options, out, report)) {
    if (in.left() == 0) return true;
    in.fail("bytes behind the end of the list");
  }
  out.truncate(before);
  report.error = in.error();
  return false;
}

}  // namespace sluice::zipkin
