#include "exporters/otlphttp/otlphttp.h"

#include "exporters/otlphttp/otlphttp_sender.h"

namespace sluice {

namespace {

using Format = OtlpHttpOptions::Format;

/// `traces_endpoint` is taken as it is; to `endpoint` the path of the specification is appended.
std::optional<net::Url> decode_endpoint(const config::Node& node) {
  std::optional<net::Url> base = decode_url(node, "endpoint");
  const std::optional<net::Url> whole = decode_url(node, "traces_endpoint");
  node.accepted_without_effect({"metrics_endpoint", "logs_endpoint", "profiles_endpoint"});
  if (!node.has("endpoint") && !node.has("traces_endpoint")) {
    node.error("", "expected endpoint or traces_endpoint, found neither");
  }
  if (whole || !base) return whole;
  while (base->path.ends_with('/')) base->path.pop_back();
  base->path += "/v1/traces";
  return base;
}

OtlpHttpOptions decode_options(const config::Node& node) {
  OtlpHttpOptions options;
  options.exporting.timeout = std::chrono::seconds(30);
  options.http.encoding = net::Encoding::gzip;
  const std::optional<net::Url> url = decode_endpoint(node);
  node.one_of("encoding", options.format, {{"proto", Format::proto}, {"json", Format::json}});
  decode_http_client(node, url,
                     options.format == Format::json ? "application/json" : "application/x-protobuf",
                     options.http);
  decode_export(node, options.exporting);
  node.no_other_keys();
  return options;
}

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return make_exporter(context, options.exporting, make_otlphttp_sender(options, context));
  };
}

}  // namespace

ExporterType otlphttp_exporter() {
  return {{.name = "otlphttp", .decode = decode, .aliases = {"otlp_http"}}};
}

}  // namespace sluice
