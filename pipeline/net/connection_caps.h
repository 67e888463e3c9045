#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "pipeline/net/server.h"

namespace sluice::net {

/// Counts the connections of a door, in all and by peer; peers on this host have no share to keep
/// to. What it remembers is bounded by the connections that are open. Lives on one loop.
class ConnectionCaps {
 public:
  enum class Verdict : std::uint8_t { admitted, too_many, too_many_of_peer };
  explicit ConnectionCaps(const ServerOptions& options) : options_(options) {}

  Verdict admit(const std::string& peer);
  /// For each one that was admitted.
  void closed(const std::string& peer);
  std::size_t count() const { return count_; }

 private:
  const ServerOptions& options_;
  std::size_t count_ = 0;
  std::unordered_map<std::string, std::size_t> by_peer_;
};

}  // namespace sluice::net
