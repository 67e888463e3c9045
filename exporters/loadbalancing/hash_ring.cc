// 131,071 positions in a circle. Each endpoint has 200 points on it; a key belongs to the endpoint
// of the first point at its position or after. An endpoint that comes or goes so moves only the
// keys between its points and the ones before them.
//
//   hash of point i   CRC-32 (IEEE) of the endpoint's text and i as four bytes, little-endian
//   position          the hash modulo 131,071; of a key, CRC-32 of the key modulo 131,071
//   where it is taken the next free one within ten steps; then the point is left out
//
// Points are placed in order of position, hash and endpoint, so the order of endpoints does not
// matter. CRC-32 is linear, so names that differ in few bits get points in like patterns: of three
// members named sampler-1 to sampler-3 one owns 41 % of the ring and one 28 %. A better hash would
// share more evenly, and would send every trace elsewhere than the collector does.
#include "exporters/loadbalancing/hash_ring.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <isa-l/crc.h>

#include "pipeline/ensure.h"

namespace sluice::loadbalancing {
namespace {

constexpr std::uint32_t points_per_endpoint = 200;
constexpr std::uint32_t steps_max = 10;

std::uint32_t crc32(std::string_view bytes) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

struct Candidate {
  std::uint32_t position = 0;
  std::uint32_t hash = 0;
  std::uint32_t endpoint = 0;
};

std::vector<Candidate> candidates_of(std::span<const std::string> endpoints) {
  std::vector<Candidate> candidates;
  candidates.reserve(endpoints.size() * points_per_endpoint);
  for (std::uint32_t endpoint = 0; endpoint < endpoints.size(); ++endpoint) {
    for (std::uint32_t i = 0; i < points_per_endpoint; ++i) {
      std::string text = endpoints[endpoint];
      for (unsigned shift = 0; shift < 32; shift += 8) text += static_cast<char>(i >> shift);
      const std::uint32_t hash = crc32(text);
      candidates.push_back({hash % HashRing::position_count, hash, endpoint});
    }
  }
  std::ranges::sort(candidates, [&](const Candidate& a, const Candidate& b) {
    return std::tie(a.position, a.hash, endpoints[a.endpoint]) <
           std::tie(b.position, b.hash, endpoints[b.endpoint]);
  });
  return candidates;
}

}  // namespace

HashRing::HashRing(std::span<const std::string> endpoints) {
  std::vector<bool> taken(position_count);
  for (const Candidate& each : candidates_of(endpoints)) {
    std::uint32_t position = each.position;
    std::uint32_t steps = 0;
    for (; taken[position] && steps < steps_max; ++steps)
      position = (position + 1) % position_count;
    if (steps == steps_max) continue;
    taken[position] = true;
    points_.push_back({position, each.endpoint});
  }
  std::ranges::sort(points_, {}, &Point::position);
}

std::uint32_t HashRing::owner(std::uint32_t position) const {
  ensure(!points_.empty(), "a ring has endpoints");
  const auto next = std::ranges::lower_bound(points_, position, {}, &Point::position);
  return (next == points_.end() ? points_.front() : *next).endpoint;
}

std::uint32_t ring_position(std::string_view key) { return crc32(key) % HashRing::position_count; }

}  // namespace sluice::loadbalancing
