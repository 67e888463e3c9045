#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/http2_frame.h"

namespace sluice::test {

/// A frame by hand, for what no client library sends.
inline std::string frame(net::http2::FrameType type, std::uint8_t flags, std::int32_t stream,
                         std::string_view payload = {}) {
  std::string out;
  net::http2::append_frame_header(out, payload.size(), type, flags, stream);
  return out.append(payload);
}

struct Frame {
  net::http2::FrameHeader header;
  std::string payload;
};

/// What a server has sent, frame by frame.
inline std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> out;
  while (bytes.size() >= net::http2::frame_header_size) {
    const net::http2::FrameHeader header = net::http2::read_frame_header(bytes.data());
    bytes.remove_prefix(net::http2::frame_header_size);
    out.push_back({header, std::string(bytes.substr(0, header.length))});
    bytes.remove_prefix(header.length);
  }
  return out;
}

}  // namespace sluice::test
