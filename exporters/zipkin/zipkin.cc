#include "exporters/zipkin/zipkin.h"

#include <string>
#include <utility>

#include "pipeline/codec/zipkin/write.h"
#include "pipeline/export/http_sender.h"

namespace sluice {

namespace {

constexpr std::size_t message_max = 512;  // of what the server says

enum class Format : std::uint8_t { json, proto };

struct ZipkinOptions {
  HttpClientBlock http;
  Format format = Format::json;
  std::string default_service_name = "<missing service name>";
  ExportOptions exporting;
};

/// What failed on the server's side may go well the next time.
SendResult::Kind kind_of(int status) {
  using Kind = SendResult::Kind;
  if (status >= 200 && status <= 299) return Kind::delivered;
  if (status == 429 || status >= 500) return Kind::retry;
  if (status == 413) return Kind::too_large;
  return status == 400 ? Kind::invalid : Kind::permanent;
}

SendResult read_response(const net::ClientResponse& response,
                         std::chrono::system_clock::time_point now) {
  SendResult result;
  result.message = response.message;
  if (response.failed) {
    result.kind = SendResult::Kind::retry;
    return result;
  }
  result.kind = kind_of(response.status);
  const std::string text =
      response.body.empty() ? response.message : response.body.substr(0, message_max);
  result.message = "HTTP status " + std::to_string(response.status) + ": " + text;
  if (result.kind == SendResult::Kind::retry)
    result.delay = parse_retry_after(response.retry_after, now);
  return result;
}

ZipkinOptions decode_options(const config::Node& node) {
  ZipkinOptions options;
  const std::optional<net::Url> url = decode_url(node, "endpoint");
  if (!node.has("endpoint")) {
    node.error("",
               "expected endpoint, a URL such as \"http://localhost:9411/api/v2/spans\", found "
               "none");
  }
  node.one_of("format", options.format, {{"json", Format::json}, {"proto", Format::proto}});
  node.optional("default_service_name", options.default_service_name);
  decode_http_client(node, url,
                     options.format == Format::json ? "application/json" : "application/x-protobuf",
                     options.http);
  decode_export(node, options.exporting);
  node.no_other_keys();
  return options;
}

std::unique_ptr<Exporter> build(const ZipkinOptions& options, const ExporterContext& context) {
  Counter& repaired = context.metrics.counter("sluice_exporter_repaired_texts",
                                              "Texts that were not UTF-8 and were repaired.",
                                              {{"exporter", context.id}});
  const auto body = [&repaired, format = options.format,
                     name = options.default_service_name](const SpanBatch& batch) {
    zipkin::Written written = format == Format::json ? zipkin::write_json(batch, {name})
                                                     : zipkin::write_proto(batch, {name});
    repaired.add(written.repaired);
    return body_of(std::move(written.bytes).freeze());
  };
  return make_exporter(context, options.exporting,
                       make_http_sender(options.http, {body, read_response}, context));
}

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return build(options, context);
  };
}

}  // namespace

ExporterType zipkin_exporter() { return {{.name = "zipkin", .decode = decode}}; }

}  // namespace sluice
