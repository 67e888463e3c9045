#pragma once

#include "config/document.h"
#include "pipeline/metrics.h"
#include "pipeline/net/server.h"

namespace sluice {

/// The logs and metrics of sluice itself, as `service.telemetry` asks.
class Telemetry final : public net::Service {
 public:
  /// Sets up the log, and offers /metrics at every reader's address. Mistakes go to `problems`.
  Telemetry(const config::ServiceSection& service, const Metrics& metrics,
            net::Listeners& listeners, config::Problems& problems);

  net::Admission admit(const net::RequestHead& head) override;
  void serve(net::Request request, net::Reply reply) override;
  net::Response transport_error(net::TransportError error, const net::RequestHead& head,
                                std::string_view detail) override;

 private:
  const Metrics& metrics_;
  Labels resource_;
};

}  // namespace sluice
