#include "extensions/without_effect/without_effect.h"

namespace sluice {
namespace {

class WithoutEffect final : public Extension {
 public:
  bool start(std::string&) override { return true; }
  void stop() override {}
};

ExtensionBuilder builder() {
  return [](const ExtensionContext&) -> std::unique_ptr<Extension> {
    return std::make_unique<WithoutEffect>();
  };
}

Decoded<ExtensionBuilder> decode_pprof(const config::Node& node) {
  node.warning("", "accepted without effect: pprof looks into a Go process");
  node.accepted_without_effect(
      {"endpoint", "dialer", "block_profile_fraction", "mutex_profile_fraction", "save_to_file"});
  node.no_other_keys();
  return builder();
}

Decoded<ExtensionBuilder> decode_zpages(const config::Node& node) {
  node.warning("", "accepted without effect: zpages shows the collector's own spans");
  node.accepted_without_effect({"endpoint", "tls", "cors", "auth", "include_metadata",
                                "response_headers", "compression_algorithms",
                                "max_request_body_size", "read_timeout", "read_header_timeout",
                                "write_timeout", "idle_timeout", "keep_alives_enabled", "expvar"});
  node.no_other_keys();
  return builder();
}

}  // namespace

ExtensionType pprof_extension() { return {{"pprof", decode_pprof, {}}}; }
ExtensionType zpages_extension() { return {{"zpages", decode_zpages, {}}}; }

}  // namespace sluice
