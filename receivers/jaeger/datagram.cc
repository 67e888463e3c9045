#include "receivers/jaeger/datagram.h"

namespace sluice::jaeger_door {
namespace {

/// The arguments: a struct with the batch as its first field.
template <typename Reader>
bool read_arguments(Reader& reader, SpanWriter& out, jaeger::Report& report) {
  thrift::Field field;
  bool found = false;
  const std::size_t start = out.size();
  while (reader.next(field)) {
    if (field.is(1, thrift::Type::structure) && !found)
      found = jaeger::translate_batch(reader, out, report);
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
Outcome read_datagram(std::string_view bytes, SpanWriter& out, jaeger::Report& report) {
  if (bytes.empty()) return Outcome::empty;
  Reader reader(bytes);
  thrift::Message message;
  if (!reader.message(message)) return Outcome::malformed;
  // Some clients say Call where the method is oneway.
  if (message.type != thrift::MessageType::call && message.type != thrift::MessageType::oneway)
    return Outcome::wrong_type;
  if (message.name != "emitBatch") return Outcome::unknown_method;
  return read_arguments(reader, out, report) ? Outcome::taken : Outcome::malformed;
}

template Outcome read_datagram<thrift::BinaryReader>(std::string_view, SpanWriter&,
                                                     jaeger::Report&);
template Outcome read_datagram<thrift::CompactReader>(std::string_view, SpanWriter&,
                                                      jaeger::Report&);

}  // namespace sluice::jaeger_door
