#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/model/span_batch.h"

/// OTLP requests for tests, written down shortly:
///   make_batch({{.service = "shop", .spans = {{.name = "pay", .attributes = {{"http.status",
///   500}}}}}})
/// Encodes by itself, not through the product's writer.
namespace sluice::test {

struct Value;
struct Attribute;
using Array = std::vector<Value>;
using KvList = std::vector<Attribute>;
struct Bytes {
  std::string bytes;
};

struct Value {
  Value();  ///< an AnyValue without content
  Value(const char* text);
  Value(std::string_view text);
  Value(std::string text);
  Value(bool boolean);
  Value(int integer);
  Value(std::int64_t integer);
  Value(double real);
  Value(Array array);
  Value(KvList list);
  Value(Bytes bytes);

  std::variant<std::monostate, std::string, bool, std::int64_t, double, Array, KvList, Bytes> of;
};

struct Attribute {
  std::string key;
  Value value;
};
// Here, where both are complete.
inline Value::Value() = default;
inline Value::Value(const char* text) : of(std::string(text)) {}
inline Value::Value(std::string_view text) : of(std::string(text)) {}
inline Value::Value(std::string text) : of(std::move(text)) {}
inline Value::Value(bool boolean) : of(boolean) {}
inline Value::Value(int integer) : of(std::int64_t{integer}) {}
inline Value::Value(std::int64_t integer) : of(integer) {}
inline Value::Value(double real) : of(real) {}
inline Value::Value(Array array) : of(std::move(array)) {}
inline Value::Value(KvList list) : of(std::move(list)) {}
inline Value::Value(Bytes bytes) : of(std::move(bytes)) {}
using Attributes = std::vector<Attribute>;

struct EventSpec {
  std::string name;
  std::uint64_t time_unix_nano = 0;
  Attributes attributes;
  std::uint32_t dropped_attributes_count = 0;
};

struct LinkSpec {
  std::string trace_id;
  std::string span_id;
  std::string trace_state;
  Attributes attributes;
  std::uint32_t flags = 0;
};

/// Ids are raw bytes; those left empty are made up, valid and different for each span of a request.
struct SpanSpec {
  std::string name = "span";
  std::string trace_id;
  std::string span_id;
  std::string parent_span_id;
  std::string trace_state;
  int kind = 1;
  std::uint64_t start = 1'700'000'000'000'000'000;
  std::uint64_t end = 1'700'000'000'005'000'000;
  Attributes attributes;
  std::vector<EventSpec> events;
  std::vector<LinkSpec> links;
  int status_code = 0;
  std::string status_message;
  std::uint32_t flags = 0;
  std::string raw;  ///< appended to the span's message as it is
};

struct ScopeSpec {
  std::string name;
  std::string version;
  Attributes attributes;
  std::string schema_url;
  std::vector<SpanSpec> spans;
};

/// One ResourceSpans. `spans` lie in a scope named `scope`, ahead of `scopes`.
struct ResourceSpec {
  std::string service;  ///< service.name, unless empty
  Attributes attributes;
  std::string schema_url;
  std::string scope = "test";
  std::vector<SpanSpec> spans;
  std::vector<ScopeSpec> scopes;
};

/// The bytes of an ExportTraceServiceRequest.
std::string make_request(const std::vector<ResourceSpec>& resources);
/// The same, parsed; every span must be valid.
SpanBatch make_batch(const std::vector<ResourceSpec>& resources);
/// Bytes that must be a request without a fault, parsed.
SpanBatch parse_batch(std::string_view request);

/// `count` spans of one service, named "span-0" and so on.
std::vector<SpanSpec> numbered_spans(std::size_t count);
/// Id number `number`, in `size` bytes: never zero.
std::string make_id(std::uint64_t number, std::size_t size);

/// Names of a batch's spans, in order.
std::vector<std::string> span_names(const SpanBatch& batch);

/// One field as wire bytes, for what the structs above cannot say.
std::string length_field(std::uint32_t number, std::string_view content);
std::string varint_field(std::uint32_t number, std::uint64_t value);
std::string fixed64_field(std::uint32_t number, std::uint64_t value);
std::string fixed32_field(std::uint32_t number, std::uint32_t value);
std::string span_message(const SpanSpec& span);
std::string key_value_message(const Attribute& attribute);

}  // namespace sluice::test
