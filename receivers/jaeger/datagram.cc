#include "receivers/jaeger/datagram.h"

#include <utility>

#include "pipeline/codec/zipkin/read_v1_thrift.h"

namespace sluice::jaeger_door {
namespace {

template <typename Reader>
bool read_zipkin_batch(Reader& reader, std::uint64_t now, SpanWriter& out, jaeger::Report& report) {
  zipkin::ReadReport zipkin_report;
  if (!zipkin::read_v1_thrift_list(reader, {.now_unix_nano = now}, out, zipkin_report))
    return false;
  report.spans = static_cast<std::uint32_t>(zipkin_report.spans_taken);
  report.spans_invalid_id = static_cast<std::uint32_t>(zipkin_report.spans_invalid_id);
  report.invalid_span = std::move(zipkin_report.first_invalid);
  return true;
}

/// The arguments: a struct with the batch, which is of type `wanted`, as its first field.
template <typename Reader, typename Read>
bool read_arguments(Reader& reader, thrift::Type wanted, SpanWriter& out, jaeger::Report& report,
                    Read read) {
  thrift::Field field;
  bool found = false;
  const std::size_t start = out.size();
  while (reader.next(field)) {
    if (field.is(1, wanted) && !found)
      found = read();
    else
      reader.skip(field);
  }
  if (found && reader.ok()) return true;
  out.truncate(start);
  report = {};
  return false;
}

}  // namespace

template <typename Reader>
Outcome read_datagram(std::string_view bytes, std::uint64_t now, SpanWriter& out,
                      jaeger::Report& report) {
  if (bytes.empty()) return Outcome::empty;
  Reader reader(bytes);
  thrift::Message message;
  if (!reader.message(message)) return Outcome::malformed;
  // Some clients say Call where the method is oneway.
  if (message.type != thrift::MessageType::call && message.type != thrift::MessageType::oneway)
    return Outcome::wrong_type;
  bool taken = false;
  if (message.name == "emitBatch") {
    taken = read_arguments(reader, thrift::Type::structure, out, report,
                           [&] { return jaeger::translate_batch(reader, out, report); });
  } else if (message.name == "emitZipkinBatch") {
    taken = read_arguments(reader, thrift::Type::list, out, report,
                           [&] { return read_zipkin_batch(reader, now, out, report); });
  } else {
    return Outcome::unknown_method;
  }
  return taken ? Outcome::taken : Outcome::malformed;
}

template Outcome read_datagram<thrift::BinaryReader>(std::string_view, std::uint64_t, SpanWriter&,
                                                     jaeger::Report&);
template Outcome read_datagram<thrift::CompactReader>(std::string_view, std::uint64_t, SpanWriter&,
                                                      jaeger::Report&);

}  // namespace sluice::jaeger_door
