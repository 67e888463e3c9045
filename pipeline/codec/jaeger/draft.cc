#include "pipeline/codec/jaeger/draft.h"

#include <array>
#include <charconv>
#include <cstring>
#include <string>

namespace sluice::jaeger {
namespace {

// The head of a Span message, with room for what is only known at its end:
//   trace_id (18 bytes)  span_id (10)  start_time (9)  end_time (9)
constexpr std::size_t trace_at = 2, span_at = 20, start_at = 29, end_at = 38, head_size = 46;
constexpr std::array<char, head_size> head = [] {
  std::array<char, head_size> bytes{};
  bytes[0] = otlp::span::trace_id << 3 | 2;
  bytes[1] = 16;
  bytes[18] = otlp::span::span_id << 3 | 2;
  bytes[19] = 8;
  bytes[28] = otlp::span::start_time << 3 | 1;
  bytes[37] = otlp::span::end_time << 3 | 1;
  return bytes;
}();

/// Most spans take between 128 and 16383 bytes, whose length has two.
constexpr std::size_t likely_span_size = 512;

void put_big_endian(char* at, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
}

bool equal_upper(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
    if (c != upper[i]) return false;
  }
  return true;
}

std::uint8_t kind_of(std::string_view name) {
  if (name == "internal") return 1;
  if (name == "server") return 2;
  if (name == "client") return 3;
  if (name == "producer") return 4;
  if (name == "consumer") return 5;
  return 0;
}

constexpr std::uint8_t server = 2;

void write_bytes_attribute(SpanWriter& out, std::uint32_t number, std::string_view key,
                           std::string_view bytes) {
  const std::size_t attribute = out.begin(number);
  out.string(otlp::key_value::key, key);
  const std::size_t value = out.begin(otlp::key_value::value);
  out.string(otlp::any_value::bytes_value, bytes);
  out.end(value);
  out.end(attribute);
}

constexpr std::string_view description_key = "otel.status_description";

}  // namespace

void write_attribute(SpanWriter& out, std::uint32_t number, const Tag& tag) {
  switch (tag.kind) {
    case Tag::Kind::text: return out.attribute(number, tag.key, tag.text);
    case Tag::Kind::boolean: return out.attribute(number, tag.key, tag.boolean);
    case Tag::Kind::integer: return out.attribute(number, tag.key, tag.integer);
    case Tag::Kind::real: return out.attribute(number, tag.key, tag.real);
    case Tag::Kind::binary: return write_bytes_attribute(out, number, tag.key, tag.text);
    case Tag::Kind::unknown: break;
  }
  const std::string marker = "unknown Jaeger tag type " + std::to_string(tag.type_number);
  out.attribute(number, tag.key, std::string_view(marker));
}

void ResourceNames::write(SpanWriter& out, Tag tag) const {
  if (tag.key == "jaeger.version" && tag.kind == Tag::Kind::text && !has_exporter_version_) {
    const std::string version = "Jaeger-" + std::string(tag.text);
    return out.attribute(otlp::resource::attributes, "opencensus.exporterversion",
                         std::string_view(version));
  }
  if (tag.key == "hostname" && !has_host_name_) tag.key = "host.name";
  write_attribute(out, otlp::resource::attributes, tag);
}

bool TagFacts::take_known(const Tag& tag) {
  const bool text = tag.kind == Tag::Kind::text;
  switch (tag.key.size()) {
    case 5:
      if (tag.key != "error" || tag.kind != Tag::Kind::boolean || !tag.boolean) return false;
      return error_ = true;
    case 9:
      if (tag.key != "span.kind" || !text) return false;
      kind_ = kind_of(tag.text);
      return true;
    case 14:
      if (tag.key != "w3c.tracestate" || !text) return false;
      trace_state_ = tag.text;
      return true;
    case 15:
    case 17:
    case 18:
    case 20: return text && take_scope(tag);
    case 16:
    case 19:
    case 23:
    case 25: return take_status(tag);
    default: return false;
  }
}

bool TagFacts::take_scope(const Tag& tag) {
  if (tag.key == "otel.scope.name" || tag.key == "otel.library.name") {
    scope_name = tag.text;
    return true;
  }
  if (tag.key == "otel.scope.version" || tag.key == "otel.library.version") {
    scope_version = tag.text;
    return true;
  }
  return false;
}

bool TagFacts::take_status(const Tag& tag) {
  const bool text = tag.kind == Tag::Kind::text;
  if (tag.key == "otel.status_code") {
    told_any_ = true;
    told_ = Code::unset;
    if (text && equal_upper(tag.text, "OK")) told_ = Code::ok;
    if (text && equal_upper(tag.text, "ERROR")) told_ = Code::error;
    return true;
  }
  if (tag.key == description_key && text) {
    description_ = tag.text;
    return has_description_ = true;
  }
  if (tag.key == "http.status_message" && text) http_message_ = tag.text;
  if (tag.key == "http.status_code" || tag.key == "http.response.status_code") {
    const char* const end = tag.text.data() + tag.text.size();
    if (text) {
      const auto parsed = std::from_chars(tag.text.data(), end, http_status_);
      has_http_status_ = parsed.ec == std::errc() && parsed.ptr == end;
    } else if (tag.kind == Tag::Kind::integer) {
      http_status_ = tag.integer;
      has_http_status_ = true;
    }
  }
  return false;
}

TagFacts::Code TagFacts::code_of_http() const {
  if (http_status_ >= 100 && http_status_ < 400) return Code::unset;
  if (http_status_ >= 400 && http_status_ < 500 && kind_ == server) return Code::unset;
  return Code::error;
}

void TagFacts::write(SpanWriter& out) const {
  Code code = Code::unset;
  std::string_view message;
  const bool described = has_description_ && (error_ || told_any_);
  if (error_) {
    code = Code::error;
    message = described ? description_ : http_message_;
  } else if (told_any_) {
    code = told_;
    message = description_;
  } else if (has_http_status_) {
    code = code_of_http();
    if (code == Code::error) message = http_message_;
  }
  if (has_description_ && !described)
    out.attribute(otlp::span::attributes, description_key, description_);
  if (kind_ != 0) out.varint(otlp::span::kind, kind_);
  if (!trace_state_.empty()) out.string(otlp::span::trace_state, trace_state_);
  if (code == Code::unset && message.empty()) return;
  const std::size_t status = out.begin(otlp::span::status);
  if (!message.empty()) out.string(otlp::status::message, message);
  if (code != Code::unset) out.varint(otlp::status::code, static_cast<std::uint64_t>(code));
  out.end(status);
}

SpanDraft::SpanDraft(SpanWriter& out, std::size_t limit)
    : out_(out),
      limit_(limit),
      begin_(out.size()),
      mark_(out.begin(otlp::scope_spans::spans, likely_span_size)) {
  out_.out().append({head.data(), head.size()});
}

std::size_t SpanDraft::begin_event() {
  blank_ = false;
  return room(0) ? out_.begin(otlp::span::events) : 0;
}

void SpanDraft::event_field(const Tag& tag) {
  if (!room(tag.key.size() + tag.text.size())) return;
  if (tag.key == "event" && tag.kind == Tag::Kind::text)
    out_.string(otlp::event::name, tag.text);
  else
    write_attribute(out_, otlp::event::attributes, tag);
}

void SpanDraft::consider_parent(const Reference& reference) {
  blank_ = false;
  if (!same_trace(reference)) return;
  if (reference.type == Reference::child_of) {
    if (parent == 0) parent = reference.span;
  } else if (follows_from_ == 0) {
    follows_from_ = reference.span;
  }
}

/// References with ids of zero point nowhere.
void SpanDraft::link(const Reference& reference) {
  if (parent == 0) parent = follows_from_;
  const bool is_child = reference.type == Reference::child_of;
  if (is_child && reference.span == parent && same_trace(reference)) return;
  if ((reference.trace_high | reference.trace_low) == 0 || reference.span == 0 || !room(0)) return;
  const std::size_t mark = out_.begin(otlp::span::links);
  std::array<char, 16> id;
  put_big_endian(id.data(), reference.trace_high);
  put_big_endian(id.data() + 8, reference.trace_low);
  out_.string(otlp::link::trace_id, {id.data(), 16});
  put_big_endian(id.data(), reference.span);
  out_.string(otlp::link::span_id, {id.data(), 8});
  out_.attribute(otlp::link::attributes, "opentracing.ref_type",
                 is_child ? std::string_view("child_of") : std::string_view("follows_from"));
  out_.end(mark);
}

bool SpanDraft::finish(Report& report, std::string_view service) {
  if ((trace_high | trace_low) == 0 || span == 0) {
    out_.truncate(begin_);
    const bool nothing = blank_ && (trace_high | trace_low | span | parent | start) == 0 &&
                         flags == 0 && named_.empty();
    if (nothing) return false;
    if (report.spans_invalid_id++ == 0) {
      report.invalid_service = service;
      report.invalid_span = named_;
    }
    return false;
  }
  if (parent != 0) {
    std::array<char, 8> id;
    put_big_endian(id.data(), parent);
    out_.string(otlp::span::parent_span_id, {id.data(), id.size()});
  }
  facts_.write(out_);
  if ((flags & 1) != 0) out_.fixed32(otlp::span::flags, 1);
  fill_head();
  out_.end(mark_);
  ++report.spans;
  if (clamped) ++report.times_clamped;
  return true;
}

void SpanDraft::fill_head() {
  char* const at = out_.out().data() + mark_;
  put_big_endian(at + trace_at, trace_high);
  put_big_endian(at + trace_at + 8, trace_low);
  put_big_endian(at + span_at, span);
  std::memcpy(at + start_at, &start, sizeof start);
  std::memcpy(at + end_at, &end, sizeof end);
}

std::uint64_t nanos_of_micros(std::int64_t micros, bool& clamped) {
  return end_of(0, micros, 1000, 0, clamped);
}

std::uint64_t nanos_of_seconds(std::int64_t seconds, std::int64_t nanos, bool& clamped) {
  return end_of(0, seconds, 1'000'000'000, nanos, clamped);
}

std::uint64_t end_of(std::uint64_t start, std::int64_t seconds_or_micros, std::int64_t unit,
                     std::int64_t nanos, bool& clamped) {
  __extension__ using Wide = __int128;  // 2^63 s in ns needs 93 bits
  const Wide length = Wide{seconds_or_micros} * unit + nanos;
  const Wide end = length + start;
  if (length >= 0 && end <= Wide{UINT64_MAX}) return static_cast<std::uint64_t>(end);
  clamped = true;
  return length < 0 ? start : UINT64_MAX;
}

}  // namespace sluice::jaeger
