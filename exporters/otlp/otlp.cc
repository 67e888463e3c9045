#include "exporters/otlp/otlp.h"

#include "exporters/otlp/otlp_sender.h"

namespace sluice {

namespace {

OtlpOptions decode_options(const config::Node& node) {
  OtlpOptions options;
  options.remote = net::decode_grpc_client(node, net::Encoding::gzip);
  decode_export(node, options.exporting);
  node.no_other_keys();
  return options;
}

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return make_exporter(context, options.exporting,
                         std::make_unique<OtlpSender>(options, context));
  };
}

}  // namespace

ExporterType otlp_exporter() {
  return {{.name = "otlp", .decode = decode, .aliases = {"otlp_grpc"}}};
}

}  // namespace sluice
