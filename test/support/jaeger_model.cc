#include "test/support/jaeger_model.h"

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "jaeger.pb.h"
#include "jaeger_types.h"
#include "otlp.pb.h"

namespace sluice::test::jaeger_model {
namespace {

using Memory = apache::thrift::transport::TMemoryBuffer;

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

jaeger_thrift::Tag thrift_of(const Tag& tag) {
  jaeger_thrift::Tag out;
  out.key = tag.key;
  using jaeger_thrift::TagType;
  switch (tag.kind) {
    case Kind::text:
      out.vType = TagType::STRING;
      out.__set_vStr(tag.text);
      break;
    case Kind::boolean:
      out.vType = TagType::BOOL;
      out.__set_vBool(tag.boolean);
      break;
    case Kind::integer:
      out.vType = TagType::LONG;
      out.__set_vLong(tag.integer);
      break;
    case Kind::real:
      out.vType = TagType::DOUBLE;
      out.__set_vDouble(tag.real);
      break;
    case Kind::binary:
      out.vType = TagType::BINARY;
      out.__set_vBinary(tag.text);
      break;
  }
  if (tag.type_number) out.vType = static_cast<TagType::type>(*tag.type_number);
  return out;
}

std::vector<jaeger_thrift::Tag> thrift_of(const std::vector<Tag>& tags) {
  std::vector<jaeger_thrift::Tag> out;
  for (const Tag& tag : tags) out.push_back(thrift_of(tag));
  return out;
}

jaeger_thrift::Span thrift_of(const Span& span) {
  jaeger_thrift::Span out;
  out.traceIdHigh = signed_of(span.high);
  out.traceIdLow = signed_of(span.low);
  out.spanId = signed_of(span.id);
  out.parentSpanId = signed_of(span.parent);
  out.operationName = span.name;
  for (const Ref& ref : span.refs) {
    jaeger_thrift::SpanRef made;
    made.refType = ref.follows ? jaeger_thrift::SpanRefType::FOLLOWS_FROM
                               : jaeger_thrift::SpanRefType::CHILD_OF;
    made.traceIdHigh = signed_of(ref.high);
    made.traceIdLow = signed_of(ref.low);
    made.spanId = signed_of(ref.span);
    out.references.push_back(made);
  }
  out.__isset.references = !span.refs.empty();
  out.flags = span.flags;
  out.startTime = span.start_us;
  out.duration = span.duration_us;
  out.tags = thrift_of(span.tags);
  out.__isset.tags = !span.tags.empty();
  for (const Log& log : span.logs) {
    jaeger_thrift::Log made;
    made.timestamp = log.time_us;
    made.fields = thrift_of(log.fields);
    out.logs.push_back(made);
  }
  out.__isset.logs = !span.logs.empty();
  return out;
}

jaeger_thrift::Batch thrift_of(const Batch& batch) {
  jaeger_thrift::Batch out;
  out.process.serviceName = batch.process.service;
  out.process.tags = thrift_of(batch.process.tags);
  out.process.__isset.tags = !batch.process.tags.empty();
  for (const Span& span : batch.spans) out.spans.push_back(thrift_of(span));
  return out;
}

template <typename Protocol>
std::string written(const Batch& batch) {
  const auto memory = std::make_shared<Memory>();
  Protocol protocol(memory);
  thrift_of(batch).write(&protocol);
  return memory->getBufferAsString();
}

template <typename Protocol>
std::string message(const Batch& batch, int type, std::string_view name) {
  const auto memory = std::make_shared<Memory>();
  Protocol protocol(memory);
  protocol.writeMessageBegin(std::string(name),
                             static_cast<apache::thrift::protocol::TMessageType>(type), 1);
  protocol.writeStructBegin("emitBatch_args");
  protocol.writeFieldBegin("batch", apache::thrift::protocol::T_STRUCT, 1);
  thrift_of(batch).write(&protocol);
  protocol.writeFieldEnd();
  protocol.writeFieldStop();
  protocol.writeStructEnd();
  protocol.writeMessageEnd();
  return memory->getBufferAsString();
}

/// A Zipkin span with one annotation and its endpoint (zipkincore).
void write_zipkin_span(apache::thrift::protocol::TProtocol& out) {
  namespace type = apache::thrift::protocol;
  const auto number = [&](std::int16_t id, std::int64_t value) {
    out.writeFieldBegin("", type::T_I64, id);
    out.writeI64(value);
  };
  const auto word = [&](std::int16_t id, const std::string& value) {
    out.writeFieldBegin("", type::T_STRING, id);
    out.writeString(value);
  };
  out.writeStructBegin("Span");
  number(1, 1);
  word(3, "get");
  number(4, 2);
  out.writeFieldBegin("", type::T_LIST, 6);
  out.writeListBegin(type::T_STRUCT, 1);
  out.writeStructBegin("Annotation");
  number(1, 1'700'000'000'000'000);
  word(2, "sr");
  out.writeFieldBegin("", type::T_STRUCT, 3);
  out.writeStructBegin("Endpoint");
  word(3, "shop");
  out.writeFieldStop();
  out.writeStructEnd();
  out.writeFieldStop();
  out.writeStructEnd();
  out.writeFieldStop();
  out.writeStructEnd();
}

template <typename Protocol>
std::string zipkin_message() {
  namespace type = apache::thrift::protocol;
  const auto memory = std::make_shared<Memory>();
  Protocol out(memory);
  out.writeMessageBegin("emitZipkinBatch", type::T_ONEWAY, 1);
  out.writeStructBegin("args");
  out.writeFieldBegin("spans", type::T_LIST, 1);
  out.writeListBegin(type::T_STRUCT, 1);
  write_zipkin_span(out);
  out.writeFieldStop();
  out.writeStructEnd();
  out.writeMessageEnd();
  return memory->getBufferAsString();
}

std::string id_bytes(std::uint64_t id) {
  std::string bytes(8, '\0');
  for (int i = 7; i >= 0; --i, id >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<char>(id);
  return bytes;
}

void set(jaeger_pb::KeyValue& out, const Tag& tag) {
  out.set_key(tag.key);
  switch (tag.kind) {
    case Kind::text:
      out.set_v_type(0);
      out.set_v_str(tag.text);
      break;
    case Kind::boolean:
      out.set_v_type(1);
      out.set_v_bool(tag.boolean);
      break;
    case Kind::integer:
      out.set_v_type(2);
      out.set_v_int64(tag.integer);
      break;
    case Kind::real:
      out.set_v_type(3);
      out.set_v_float64(tag.real);
      break;
    case Kind::binary:
      out.set_v_type(4);
      out.set_v_binary(tag.text);
      break;
  }
  if (tag.type_number) out.set_v_type(*tag.type_number);
}

void set(jaeger_pb::Seconds& out, std::int64_t micros) {
  out.set_seconds(micros / 1'000'000);
  out.set_nanos(static_cast<std::int32_t>(micros % 1'000'000) * 1000);
}

void set(jaeger_pb::SpanRef& out, const Ref& ref) {
  out.set_trace_id(id_bytes(ref.high) + id_bytes(ref.low));
  out.set_span_id(id_bytes(ref.span));
  out.set_ref_type(ref.follows ? 1 : 0);
}

void set(jaeger_pb::Process& out, const Process& process) {
  out.set_service_name(process.service);
  for (const Tag& tag : process.tags) set(*out.add_tags(), tag);
}

/// With the parent as protobuf has it.
std::vector<Ref> refs_of(const Span& span, bool of_proto) {
  std::vector<Ref> refs = span.refs;
  if (of_proto && span.parent != 0)
    refs.insert(refs.begin(), Ref{span.high, span.low, span.parent, false});
  return refs;
}

void set(jaeger_pb::Span& out, const Span& span) {
  out.set_trace_id(id_bytes(span.high) + id_bytes(span.low));
  out.set_span_id(id_bytes(span.id));
  out.set_operation_name(span.name);
  for (const Ref& ref : refs_of(span, true)) set(*out.add_references(), ref);
  out.set_flags(static_cast<std::uint32_t>(span.flags));
  set(*out.mutable_start_time(), span.start_us);
  set(*out.mutable_duration(), span.duration_us);
  for (const Tag& tag : span.tags) set(*out.add_tags(), tag);
  for (const Log& log : span.logs) {
    jaeger_pb::Log& made = *out.add_logs();
    set(*made.mutable_timestamp(), log.time_us);
    for (const Tag& field : log.fields) set(*made.add_fields(), field);
  }
  if (span.process) set(*out.mutable_process(), *span.process);
}

// The naive translation, over objects.

void set(pb::KeyValue& out, const Tag& tag, std::string key) {
  out.set_key(std::move(key));
  if (tag.type_number) {
    out.mutable_value()->set_string_value("unknown Jaeger tag type " +
                                          std::to_string(*tag.type_number));
    return;
  }
  switch (tag.kind) {
    case Kind::text: return out.mutable_value()->set_string_value(tag.text);
    case Kind::boolean: return out.mutable_value()->set_bool_value(tag.boolean);
    case Kind::integer: return out.mutable_value()->set_int_value(tag.integer);
    case Kind::real: return out.mutable_value()->set_double_value(tag.real);
    case Kind::binary: return out.mutable_value()->set_bytes_value(tag.text);
  }
}

const Tag* find(const std::vector<Tag>& tags, std::string_view key) {
  const Tag* found = nullptr;
  for (const Tag& tag : tags) {
    if (tag.key == key) found = &tag;
  }
  return found;
}
bool is_text(const Tag* tag) {
  return tag != nullptr && tag->kind == Kind::text && !tag->type_number;
}

const Tag* find_text(const std::vector<Tag>& tags, std::string_view key) {
  const Tag* found = nullptr;
  for (const Tag& tag : tags) {
    if (tag.key == key && is_text(&tag)) found = &tag;
  }
  return found;
}

pb::Resource resource_of(const Process& process) {
  pb::Resource out;
  if (process.service == "OTLPResourceNoServiceName") return out;
  const auto add = [&](const Tag& tag, std::string key) {
    set(*out.add_attributes(), tag, std::move(key));
  };
  if (!process.service.empty() && find(process.tags, "service.name") == nullptr)
    add(text("", process.service), "service.name");
  for (const Tag& tag : process.tags) {
    if (tag.key == "hostname" && find(process.tags, "host.name") == nullptr)
      add(tag, "host.name");
    else if (tag.key == "jaeger.version" && is_text(&tag) &&
             find(process.tags, "opencensus.exporterversion") == nullptr)
      add(text("", "Jaeger-" + tag.text), "opencensus.exporterversion");
    else
      add(tag, tag.key);
  }
  return out;
}

pb::InstrumentationScope scope_of(const Span& span) {
  pb::InstrumentationScope out;
  for (const Tag& tag : span.tags) {
    if (!is_text(&tag)) continue;
    if (tag.key == "otel.scope.name" || tag.key == "otel.library.name") out.set_name(tag.text);
    if (tag.key == "otel.scope.version" || tag.key == "otel.library.version")
      out.set_version(tag.text);
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

/// Sets kind and status; says which tags are used up.
class Facts {
 public:
  Facts(const Span& span, pb::Span& out) : tags_(span.tags) {
    if (const Tag* kind = find_text(tags_, "span.kind")) {
      const std::vector<std::string> kinds = {"",       "internal", "server",
                                              "client", "producer", "consumer"};
      const auto at = std::find(kinds.begin(), kinds.end(), kind->text);
      out.set_kind(at == kinds.end() ? 0 : static_cast<int>(at - kinds.begin()));
    }
    for (const Tag& tag : tags_) {
      error_ |= tag.key == "error" && tag.kind == Kind::boolean && tag.boolean && !tag.type_number;
    }
    told_ = find(tags_, "otel.status_code") != nullptr;
    set_status(out);
  }

  bool used(const Tag& tag) const {
    if (tag.key == "otel.status_code") return true;
    if (tag.key == "error") return tag.kind == Kind::boolean && tag.boolean && !tag.type_number;
    if (!is_text(&tag)) return false;
    if (tag.key == "otel.status_description") return error_ || told_;
    for (const char* key : {"span.kind", "w3c.tracestate", "otel.scope.name", "otel.scope.version",
                            "otel.library.name", "otel.library.version"}) {
      if (tag.key == key) return true;
    }
    return false;
  }

 private:
  std::string text_of(std::string_view key) const {
    const Tag* tag = find_text(tags_, key);
    return tag != nullptr ? tag->text : std::string();
  }
  void set_status(pb::Span& out) const {
    int code = 0;
    std::string message;
    const std::string description = text_of("otel.status_description");
    if (error_) {
      code = 2;
      message = find_text(tags_, "otel.status_description") != nullptr
                    ? description
                    : text_of("http.status_message");
    } else if (told_) {
      const Tag* told = find(tags_, "otel.status_code");
      const std::string word = is_text(told) ? lower(told->text) : std::string();
      code = word == "ok" ? 1 : word == "error" ? 2 : 0;
      message = description;
    } else if (http_failed(out.kind())) {
      code = 2;
      message = text_of("http.status_message");
    }
    if (code == 0 && message.empty()) return;
    out.mutable_status()->set_code(code);
    out.mutable_status()->set_message(message);
  }
  bool http_failed(int kind) const {
    std::optional<std::int64_t> code;
    for (const Tag& tag : tags_) {
      if (tag.key != "http.status_code" && tag.key != "http.response.status_code") continue;
      if (tag.type_number) continue;
      if (tag.kind == Kind::integer) code = tag.integer;
      if (tag.kind != Kind::text) continue;
      const bool number = !tag.text.empty() && tag.text.size() < 10 &&
                          tag.text.find_first_not_of("0123456789") == std::string::npos;
      code = number ? std::optional<std::int64_t>(std::stoll(tag.text)) : std::nullopt;
    }
    if (!code) return false;
    if (*code >= 100 && *code < 400) return false;
    return !(kind == 2 && *code >= 400 && *code < 500);
  }

  const std::vector<Tag>& tags_;
  bool error_ = false;
  bool told_ = false;
};

std::uint64_t clamped_ns(std::int64_t micros, std::uint64_t from) {
  if (micros < 0) return from;
  __extension__ using Wide = unsigned __int128;
  const Wide total = Wide{static_cast<std::uint64_t>(micros)} * 1000 + from;
  return total > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(total);
}

void set_references(pb::Span& out, const Span& span, bool of_proto) {
  const std::vector<Ref> refs = refs_of(span, of_proto);
  std::uint64_t parent = of_proto ? 0 : span.parent;
  for (const bool follows : {false, true}) {
    for (const Ref& ref : refs) {
      if (parent == 0 && ref.follows == follows && ref.high == span.high && ref.low == span.low)
        parent = ref.span;
    }
  }
  if (parent != 0) out.set_parent_span_id(id_bytes(parent));
  for (const Ref& ref : refs) {
    if (!ref.follows && ref.span == parent && ref.high == span.high && ref.low == span.low)
      continue;
    if ((ref.high | ref.low) == 0 || ref.span == 0) continue;
    pb::Link& link = *out.add_links();
    link.set_trace_id(id_bytes(ref.high) + id_bytes(ref.low));
    link.set_span_id(id_bytes(ref.span));
    set(*link.add_attributes(), text("", ref.follows ? "follows_from" : "child_of"),
        "opentracing.ref_type");
  }
}

pb::Span span_of(const Span& span, bool of_proto) {
  pb::Span out;
  out.set_trace_id(id_bytes(span.high) + id_bytes(span.low));
  out.set_span_id(id_bytes(span.id));
  out.set_name(span.name);
  out.set_start_time_unix_nano(clamped_ns(span.start_us, 0));
  out.set_end_time_unix_nano(clamped_ns(span.duration_us, out.start_time_unix_nano()));
  set_references(out, span, of_proto);
  const Facts facts(span, out);
  const Tag* description = nullptr;  // comes last where it stays
  for (const Tag& tag : span.tags) {
    if (facts.used(tag)) {
      if (tag.key == "w3c.tracestate") out.set_trace_state(tag.text);
    } else if (tag.key == "otel.status_description" && is_text(&tag)) {
      description = &tag;
    } else {
      set(*out.add_attributes(), tag, tag.key);
    }
  }
  if (description != nullptr) set(*out.add_attributes(), *description, description->key);
  for (const Log& log : span.logs) {
    pb::Event& event = *out.add_events();
    event.set_time_unix_nano(clamped_ns(log.time_us, 0));
    for (const Tag& field : log.fields) {
      if (field.key == "event" && is_text(&field))
        event.set_name(field.text);
      else
        set(*event.add_attributes(), field, field.key);
    }
  }
  if ((span.flags & 1) != 0) out.set_flags(1);
  return out;
}

std::string line(const pb::Resource& resource, const pb::InstrumentationScope& scope,
                 const pb::Span& span) {
  return resource.ShortDebugString() + '|' + scope.ShortDebugString() + '|' +
         span.ShortDebugString();
}

}  // namespace

Tag text(std::string key, std::string value) {
  return {.key = std::move(key), .kind = Kind::text, .text = std::move(value)};
}
Tag boolean(std::string key, bool value) {
  return {.key = std::move(key), .kind = Kind::boolean, .boolean = value};
}
Tag integer(std::string key, std::int64_t value) {
  return {.key = std::move(key), .kind = Kind::integer, .integer = value};
}
Tag real(std::string key, double value) {
  return {.key = std::move(key), .kind = Kind::real, .real = value};
}
Tag binary(std::string key, std::string value) {
  return {.key = std::move(key), .kind = Kind::binary, .text = std::move(value)};
}

std::string thrift_binary(const Batch& batch) {
  return written<apache::thrift::protocol::TBinaryProtocol>(batch);
}
std::string thrift_compact(const Batch& batch) {
  return written<apache::thrift::protocol::TCompactProtocol>(batch);
}
std::string binary_message(const Batch& batch, int type, std::string_view name) {
  return message<apache::thrift::protocol::TBinaryProtocol>(batch, type, name);
}
std::string compact_message(const Batch& batch, int type, std::string_view name) {
  return message<apache::thrift::protocol::TCompactProtocol>(batch, type, name);
}

std::string binary_zipkin_message() {
  return zipkin_message<apache::thrift::protocol::TBinaryProtocol>();
}
std::string compact_zipkin_message() {
  return zipkin_message<apache::thrift::protocol::TCompactProtocol>();
}

std::string proto(const Batch& batch) {
  jaeger_pb::PostSpansRequest request;
  set(*request.mutable_batch()->mutable_process(), batch.process);
  for (const Span& span : batch.spans) set(*request.mutable_batch()->add_spans(), span);
  return request.SerializeAsString();
}

std::vector<std::string> naive(const Batch& batch, bool of_proto) {
  std::vector<std::string> lines;
  for (const Span& span : batch.spans) {
    if ((span.high | span.low) == 0 || span.id == 0) continue;
    const Process& process = of_proto && span.process ? *span.process : batch.process;
    lines.push_back(line(resource_of(process), scope_of(span), span_of(span, of_proto)));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> lines_of(std::string_view otlp_request) {
  pb::ExportTraceServiceRequest request;
  if (!request.ParseFromArray(otlp_request.data(), static_cast<int>(otlp_request.size())))
    return {"libprotobuf refuses the request"};
  std::vector<std::string> lines;
  for (const pb::ResourceSpans& each : request.resource_spans()) {
    for (const pb::ScopeSpans& scope : each.scope_spans()) {
      for (const pb::Span& span : scope.spans())
        lines.push_back(line(each.resource(), scope.scope(), span));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace sluice::test::jaeger_model
