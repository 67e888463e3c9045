#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::loadbalancing {

/// Which endpoint a key belongs to, by consistent hashing: the same as the OpenTelemetry Collector
/// 0.161 says, so that agents of both kinds send a trace to the same place. Never changes.
class HashRing {
 public:
  static constexpr std::uint32_t position_count = 131'071;

  /// Of the text of each endpoint as it was resolved, port or not.
  explicit HashRing(std::span<const std::string> endpoints);

  /// Index of the endpoint that the position belongs to. There must be one.
  std::uint32_t owner(std::uint32_t position) const;
  std::size_t point_count() const { return points_.size(); }

 private:
  struct Point {
    std::uint32_t position = 0;
    std::uint32_t endpoint = 0;
  };
  std::vector<Point> points_;  ///< ascending
};

/// Where a key lies on every ring.
std::uint32_t ring_position(std::string_view key);

}  // namespace sluice::loadbalancing
