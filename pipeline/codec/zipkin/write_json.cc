#include <array>
#include <charconv>
#include <string>

#include "pipeline/codec/byte_sink.h"
#include "pipeline/codec/hex.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/codec/zipkin/outgoing_span.h"
#include "pipeline/codec/zipkin/write.h"
#include "pipeline/utf8.h"

namespace sluice::zipkin {
namespace {

std::string_view kind_name(SpanKind kind) {
  switch (kind) {
    case SpanKind::client: return "CLIENT";
    case SpanKind::server: return "SERVER";
    case SpanKind::producer: return "PRODUCER";
    case SpanKind::consumer: return "CONSUMER";
    default: return {};
  }
}

/// Members in the order in which Zipkin's own writer has them; absent ones are left out.
class Writer {
 public:
  Writer(const SpanBatch& batch, const WriteOptions& options, BufferWriter& out)
      : batch_(batch),
        spans_(batch, options.default_service_name),
        out_(out, batch.wire_size() * 2 + 256, out.size() + batch.wire_size() * 3 + 512) {}

  std::uint64_t write() {
    out_.put('[');
    bool first = true;
    for (const SpanEntry& entry : batch_.spans()) {
      if (!std::exchange(first, false)) out_.put(',');
      span(spans_.translate(entry));
    }
    out_.put(']');
    out_.finish();
    return repaired_;
  }

 private:
  void span(const OutgoingSpan& span) {
    out_.put("{\"traceId\":");
    identifier(span.trace_id);
    if (!span.parent_id.empty()) {
      out_.put(",\"parentId\":");
      identifier(span.parent_id);
    }
    out_.put(",\"id\":");
    identifier(span.id);
    if (span.kind != SpanKind::unspecified) {
      out_.put(",\"kind\":");
      quoted(kind_name(span.kind));
    }
    if (!span.name.empty()) {
      out_.put(",\"name\":");
      quoted(span.name);
    }
    number(",\"timestamp\":", span.timestamp);
    number(",\"duration\":", span.duration);
    endpoint(",\"localEndpoint\":{", span.local);
    endpoint(",\"remoteEndpoint\":{", span.remote);
    annotations(span);
    tags(span);
    if (span.debug) out_.put(",\"debug\":true");
    if (span.shared) out_.put(",\"shared\":true");
    out_.put('}');
  }

  void endpoint(std::string_view key, const OutEndpoint& endpoint) {
    if (endpoint.empty()) return;
    out_.put(key);
    if (!endpoint.service_name.empty()) {
      out_.put("\"serviceName\":");
      quoted(endpoint.service_name);
    }
    member("\"ipv4\":", endpoint.ipv4);
    member("\"ipv6\":", endpoint.ipv6);
    if (endpoint.port != 0) {
      separate();
      number("\"port\":", endpoint.port);
    }
    out_.put('}');
  }

  void member(std::string_view key, const Address& address) {
    if (!address) return;
    separate();
    out_.put(key);
    quoted(address.text());
  }

  void separate() {
    if (*out_.at(out_.position() - 1) != '{') out_.put(',');
  }

  void annotations(const OutgoingSpan& span) {
    if (span.annotations.empty()) return;
    out_.put(",\"annotations\":[");
    bool first = true;
    for (const OutgoingSpan::Annotation& each : span.annotations) {
      out_.put(std::exchange(first, false) ? "{\"timestamp\":" : ",{\"timestamp\":");
      digits(each.timestamp);
      out_.put(",\"value\":");
      quoted(span.text(each.value));
      out_.put('}');
    }
    out_.put(']');
  }

  void tags(const OutgoingSpan& span) {
    if (span.tags.empty()) return;
    out_.put(",\"tags\":{");
    bool first = true;
    for (const OutgoingSpan::Tag& each : span.tags) {
      if (!std::exchange(first, false)) out_.put(',');
      quoted(span.text(each.key));
      out_.put(':');
      quoted(span.text(each.value));
    }
    out_.put('}');
  }

  void identifier(std::string_view bytes) {
    out_.put('"');
    out_.advance_to(hex::encode(bytes, out_.room(2 * bytes.size())));
    out_.put('"');
  }

  void number(std::string_view key, std::uint64_t value) {
    if (value == 0) return;
    out_.put(key);
    digits(value);
  }

  void digits(std::uint64_t value) {
    constexpr std::size_t size_max = 20;
    char* const out = out_.room(size_max);
    out_.advance_to(std::to_chars(out, out + size_max, value).ptr);
  }

  void quoted(std::string_view value) {
    if (value.empty()) return out_.put("\"\"");
    std::string repaired;
    if (!valid_utf8(value)) {
      repaired = repair_utf8(value);
      value = repaired;
      ++repaired_;
    }
    out_.put('"');
    const char* at = value.data();
    const char* const end = at + value.size();
    for (;;) {
      const char* const stop = json::find_string_stop(at, end);
      out_.put({at, static_cast<std::size_t>(stop - at)});
      if (stop == end) break;
      escape(*stop);
      at = stop + 1;
    }
    out_.put('"');
  }

  void escape(char byte) {
    switch (byte) {
      case '"': return out_.put("\\\"");
      case '\\': return out_.put("\\\\");
      case '\n': return out_.put("\\n");
      case '\r': return out_.put("\\r");
      case '\t': return out_.put("\\t");
      default: break;
    }
    char code[6] = {'\\', 'u', '0', '0'};
    hex::encode({&byte, 1}, code + 4);
    out_.put({code, sizeof code});
  }

  const SpanBatch& batch_;
  SpanTranslator spans_;
  ByteSink out_;
  std::uint64_t repaired_ = 0;
};

}  // namespace

Written write_json(const SpanBatch& batch, const WriteOptions& options) {
  Written written;
  written.repaired = Writer(batch, options, written.bytes).write();
  return written;
}

}  // namespace sluice::zipkin
