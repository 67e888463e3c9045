#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::bench {

/// One OTLP request with the places where its trace ids stand, so that each send carries new traces
/// at the cost of a few 16-byte writes. About 410 bytes a span: eight attributes, eight spans a
/// trace, spans grouped by service as an agent would see them.
struct Payload {
  std::string bytes;
  std::vector<std::vector<std::size_t>> ids;  ///< by trace: offsets of its id in `bytes`
  std::uint32_t spans = 0;

  void renew(std::mt19937_64& random);
};

Payload make_payload(std::uint32_t spans, std::mt19937_64& random);

}  // namespace sluice::bench
