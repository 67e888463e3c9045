#pragma once

#include <cstdint>
#include <string>

#include "pipeline/net/server.h"
#include "pipeline/unique_function.h"

namespace sluice::remote_sampling {

/// What a source has for one service.
struct Found {
  enum class Kind : std::uint8_t {
    fresh,
    stale,  ///< the last answer, since there is no newer one to be had
    failed,
  };
  Kind kind = Kind::fresh;
  std::string response;  ///< SamplingStrategyResponse in protobuf
  /// Of `failed`:
  net::GrpcCode code = net::GrpcCode::unavailable;
  std::string reason;
};
using FoundDone = UniqueFunction<void(Found)>;

/// Where strategies come from. Lives on one executor.
class Source {
 public:
  virtual ~Source() = default;
  /// False with a sentence in `error`.
  virtual bool start(std::string& error) = 0;
  /// `done` of what is still asked for goes uncalled.
  virtual void stop() = 0;
  virtual void find(const std::string& service, FoundDone done) = 0;
};

}  // namespace sluice::remote_sampling
