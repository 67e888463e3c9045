#include <string>

#include <catch2/catch.hpp>

#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"

namespace sluice::net {
namespace {

class Silent final : public Service {
 public:
  Admission admit(const RequestHead&) override { return {}; }
  void serve(Request, Reply) override {}
  Response transport_error(TransportError, const RequestHead&, std::string_view) override { return {}; }
};

TEST_CASE("an address of the doors is refused to the own pages, and the other way round", "[net]") {
  Metrics metrics;
  Ledger ledger(1 << 20);
  EventLoops loops(1);
  Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  doors.keep_apart(own);
  Silent service;
  std::string error;
  const auto offer = [&](Listeners& listeners, const char* component, const char* endpoint, const char* path) {
    return listeners.route(component, *Endpoint::parse(endpoint), {}, path, {}, service, error);
  };
  CHECK(offer(doors, "otlp", "127.0.0.1:4318", "/v1/traces"));
  CHECK_FALSE(offer(own, "health_check", "127.0.0.1:4318", "/"));
  CHECK(error == "127.0.0.1:4318 is taken by otlp");
  CHECK(offer(own, "health_check", "127.0.0.1:13133", "/"));
  CHECK_FALSE(offer(doors, "zipkin", "127.0.0.1:13133", "/api/v2/spans"));
  CHECK(error == "127.0.0.1:13133 is taken by health_check");
  // Any port is a different one for each.
  CHECK(offer(doors, "otlp", "127.0.0.1:0", "/v1/traces"));
  CHECK(offer(own, "health_check", "127.0.0.1:0", "/"));
}

}  // namespace
}  // namespace sluice::net
