#include <array>
#include <string>
#include <utility>

#include "pipeline/codec/zipkin/outgoing_span.h"
#include "pipeline/codec/zipkin/proto_fields.h"
#include "pipeline/codec/zipkin/write.h"
#include "pipeline/model/span_writer.h"
#include "pipeline/utf8.h"

namespace sluice::zipkin {
namespace {

/// Zipkin's numbers.
std::uint64_t kind_number(SpanKind kind) {
  switch (kind) {
    case SpanKind::client: return 1;
    case SpanKind::server: return 2;
    case SpanKind::producer: return 3;
    case SpanKind::consumer: return 4;
    default: return 0;
  }
}

class Writer {
 public:
  Writer(const SpanBatch& batch, const WriteOptions& options)
      : batch_(batch),
        spans_(batch, options.default_service_name),
        out_(batch.wire_size() + batch.wire_size() / 4 + 256) {}

  std::uint64_t write() {
    for (const SpanEntry& entry : batch_.spans()) {
      const OutgoingSpan& next = spans_.translate(entry);
      const std::size_t mark = out_.begin(proto::list::spans, entry.length);
      span(next);
      out_.end(mark);
    }
    return repaired_;
  }
  BufferWriter take() && { return std::move(out_).take(); }

 private:
  void span(const OutgoingSpan& span) {
    out_.string(proto::span::trace_id, span.trace_id);
    if (!span.parent_id.empty()) out_.string(proto::span::parent_id, span.parent_id);
    out_.string(proto::span::id, span.id);
    if (span.kind != SpanKind::unspecified) out_.varint(proto::span::kind, kind_number(span.kind));
    if (!span.name.empty()) text(proto::span::name, span.name);
    if (span.timestamp != 0) out_.fixed64(proto::span::timestamp, span.timestamp);
    if (span.duration != 0) out_.varint(proto::span::duration, span.duration);
    endpoint(proto::span::local_endpoint, span.local);
    endpoint(proto::span::remote_endpoint, span.remote);
    for (const OutgoingSpan::Annotation& each : span.annotations) {
      const std::size_t mark = out_.begin(proto::span::annotations);
      if (each.timestamp != 0) out_.fixed64(proto::annotation::timestamp, each.timestamp);
      text(proto::annotation::value, span.text(each.value));
      out_.end(mark);
    }
    for (const OutgoingSpan::Tag& each : span.tags) {
      const std::size_t mark = out_.begin(proto::span::tags);
      text(proto::tag::key, span.text(each.key));
      text(proto::tag::value, span.text(each.value));
      out_.end(mark);
    }
    if (span.debug) out_.varint(proto::span::debug, 1);
    if (span.shared) out_.varint(proto::span::shared, 1);
  }

  void endpoint(std::uint32_t number, const OutEndpoint& endpoint) {
    if (endpoint.empty()) return;
    const std::size_t mark = out_.begin(number);
    if (!endpoint.service_name.empty()) text(proto::endpoint::service_name, endpoint.service_name);
    address(proto::endpoint::ipv4, endpoint.ipv4);
    address(proto::endpoint::ipv6, endpoint.ipv6);
    if (endpoint.port != 0) out_.varint(proto::endpoint::port, endpoint.port);
    out_.end(mark);
  }

  void address(std::uint32_t number, const Address& address) {
    std::array<char, 16> bytes{};
    const std::size_t size = address_bytes(address, bytes);
    if (size != 0) out_.string(number, {bytes.data(), size});
  }

  void text(std::uint32_t number, std::string_view value) {
    if (valid_utf8(value)) return out_.string(number, value);
    ++repaired_;
    out_.string(number, repair_utf8(value));
  }

  const SpanBatch& batch_;
  SpanTranslator spans_;
  SpanWriter out_;
  std::uint64_t repaired_ = 0;
};

}  // namespace

Written write_proto(const SpanBatch& batch, const WriteOptions& options) {
  Writer writer(batch, options);
  const std::uint64_t repaired = writer.write();
  return {std::move(writer).take(), repaired};
}

}  // namespace sluice::zipkin
