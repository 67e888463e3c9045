#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "extensions/jaegerremotesampling/source.h"
#include "pipeline/component.h"
#include "pipeline/net/grpc_client_block.h"

namespace sluice::remote_sampling {

/// Asks another SamplingManager over gRPC. One question per service is under way at a time; who
/// asks meanwhile waits for its answer. With a `lifetime` answers are kept that long, and beyond it
/// while the upstream fails; it is asked again five seconds later at the earliest.
class UpstreamSource final : public Source {
 public:
  static constexpr std::size_t services_kept_max = 1000;
  static constexpr std::size_t bytes_kept_max = 8 << 20;
  static constexpr std::size_t waiting_max = 10'000;

  UpstreamSource(net::GrpcClientBlock block, std::chrono::nanoseconds lifetime,
                 const ExtensionContext& context);

  bool start(std::string& error) override;
  void stop() override;
  void find(const std::string& service, FoundDone done) override;

 private:
  struct Kept {
    std::string service, response;
    Executor::TimePoint until;
    std::size_t size() const { return service.size() + response.size(); }
  };
  using KeptList = std::list<Kept>;  ///< the newest first

  void ask(const std::string& service);
  void answered(const std::string& service, net::ClientResponse response);
  Found failure(const std::string& service, const net::ClientResponse& response);
  void keep(const std::string& service, const std::string& response);
  void forget(KeptList::iterator which);

  net::GrpcClientBlock block_;
  std::chrono::nanoseconds lifetime_;
  std::string id_;
  Executor& executor_;
  net::EventLoop& loop_;
  std::unique_ptr<net::GrpcClient> client_;
  std::map<std::string, std::vector<FoundDone>> waiting_;  ///< by service
  std::size_t waiting_count_ = 0;
  KeptList kept_;
  std::map<std::string, KeptList::iterator> kept_by_service_;
  std::size_t bytes_kept_ = 0;
  /// Answers that come after this is gone find it so.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace sluice::remote_sampling
