#include "exporters/otlp/otlp.h"

#include "pipeline/export/otlp_sender.h"

namespace sluice {

namespace {

struct OtlpOptions {
  net::GrpcClientBlock remote;
  ExportOptions exporting;
};

OtlpOptions decode_options(const config::Node& node) {
  OtlpOptions options;
  options.remote = net::decode_grpc_client(node, net::Encoding::gzip);
  decode_export(node, options.exporting);
  node.no_other_keys();
  return options;
}

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return make_exporter(context, options.exporting, make_otlp_sender(options.remote, context));
  };
}

}  // namespace

ExporterType otlp_exporter() {
  return {{.name = "otlp", .decode = decode, .aliases = {"otlp_grpc"}}};
}

}  // namespace sluice
