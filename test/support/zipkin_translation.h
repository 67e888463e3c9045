#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/read_v1_thrift.h"
#include "pipeline/model/span_batch.h"

namespace sluice::test {

using Json = nlohmann::json;

using ZipkinReader = bool (*)(std::string_view, const zipkin::ReadOptions&, SpanWriter&,
                              zipkin::ReadReport&);

/// Attributes as an object: plain values for strings, booleans and numbers; {"bytes": …} and so on
/// as OTLP/JSON has them for the rest.
inline Json attributes_of(const Json& holder) {
  Json out = Json::object();
  for (const Json& each : holder.value("attributes", Json::array())) {
    const std::string key = each.value("key", "");
    REQUIRE_FALSE(out.contains(key));
    const Json value = each.value("value", Json::object());
    if (value.contains("stringValue"))
      out[key] = value["stringValue"];
    else if (value.contains("boolValue"))
      out[key] = value["boolValue"];
    else if (value.contains("intValue"))
      out[key] = std::stoll(value["intValue"].get<std::string>());
    else if (value.contains("doubleValue"))
      out[key] = value["doubleValue"];
    else
      out[key] = value;
  }
  return out;
}

/// A span of a translated request, as OTLP/JSON with attributes as objects.
struct TranslatedSpan {
  Json resource;    ///< attributes
  Json scope;       ///< name, version
  Json span;        ///< without attributes
  Json attributes;  ///< of the span

  std::string text(const char* member) const { return span.value(member, ""); }
};

/// What a reader makes of a request: the spans in the order in which they leave, and its report.
struct Translation {
  std::vector<TranslatedSpan> spans;
  std::size_t resource_count = 0;
  zipkin::ReadReport report;
  std::string bytes;
  bool read = false;

  const TranslatedSpan& only() const {
    INFO(report.error << report.first_invalid);
    REQUIRE(spans.size() == 1);
    return spans[0];
  }
};

inline Translation translate(ZipkinReader reader, std::string_view request,
                             const zipkin::ReadOptions& options = {}) {
  Translation out;
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::vector<char> copy(request.begin(), request.end());
  SpanWriter writer(16);
  out.read = reader({copy.data(), copy.size()}, options, writer, out.report);
  out.bytes = writer.out().bytes();
  ParseReport parsed;
  const auto batch = SpanBatch::parse(std::move(writer).take().freeze(), parsed);
  REQUIRE(batch);
  REQUIRE(parsed.spans_invalid_id == 0);
  REQUIRE((out.read ? out.report.spans_taken : 0) == batch->span_count());
  REQUIRE(out.read == out.report.error.empty());
  BufferWriter text;
  otlp_json_append(*batch, text);
  const Json whole = Json::parse(text.bytes());
  out.resource_count = whole["resourceSpans"].size();
  for (const Json& resource : whole["resourceSpans"]) {
    for (const Json& scope : resource["scopeSpans"]) {
      for (Json span : scope["spans"]) {
        const Json attributes = attributes_of(span);
        span.erase("attributes");
        out.spans.push_back({attributes_of(resource.value("resource", Json::object())),
                             scope.value("scope", Json::object()), span, attributes});
      }
    }
  }
  return out;
}

inline Translation from_v2(std::string_view json, const zipkin::ReadOptions& options = {}) {
  return translate(zipkin::read_v2_json, json, options);
}
inline Translation from_v1(std::string_view json, const zipkin::ReadOptions& options = {}) {
  return translate(zipkin::read_v1_json, json, options);
}
/// One span with ids, and `members` behind them (",\"name\":\"x\"").
inline TranslatedSpan v2_span(const std::string& members, const zipkin::ReadOptions& options = {}) {
  return from_v2(R"([{"traceId":"5af7183fb1d4cf5f","id":"352bff9a74ca9ad2")" + members + "}]",
                 options)
      .only();
}

}  // namespace sluice::test
