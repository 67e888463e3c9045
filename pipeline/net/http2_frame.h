#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The frames of HTTP/2 (RFC 9113, sections 4 and 6) as they stand on the wire.
namespace sluice::net::http2 {

inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::size_t frame_header_size = 9;
inline constexpr std::size_t default_frame_size_max = 16 * 1024;
inline constexpr std::size_t greatest_frame_size_max = (1 << 24) - 1;
inline constexpr std::int64_t default_window = 65'535;
inline constexpr std::int64_t window_max = 0x7fffffff;

enum class FrameType : std::uint8_t {
  data = 0,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation
};

namespace flag {
inline constexpr std::uint8_t ack = 1;         ///< SETTINGS, PING
inline constexpr std::uint8_t end_stream = 1;  ///< DATA, HEADERS
inline constexpr std::uint8_t end_headers = 4;
inline constexpr std::uint8_t padded = 8;
inline constexpr std::uint8_t priority = 32;
}  // namespace flag

enum class ErrorCode : std::uint32_t {
  no_error = 0,
  protocol_error,
  internal_error,
  flow_control_error,
  settings_timeout,
  stream_closed,
  frame_size_error,
  refused_stream,
  cancel,
  compression_error,
  connect_error,
  enhance_your_calm
};

enum class Setting : std::uint16_t {
  header_table_size = 1,
  enable_push,
  max_concurrent_streams,
  initial_window_size,
  max_frame_size,
  max_header_list_size,
  no_rfc7540_priorities = 9
};

struct FrameHeader {
  std::uint32_t length = 0;
  FrameType type = FrameType::data;
  std::uint8_t flags = 0;
  std::int32_t stream = 0;
  bool has(std::uint8_t wanted) const { return (flags & wanted) != 0; }
};

/// A number of `size` bytes, the highest first.
inline std::uint32_t read_number(const char* bytes, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t at = 0; at < size; ++at)
    value = value << 8 | static_cast<unsigned char>(bytes[at]);
  return value;
}
inline void append_number(std::string& out, std::uint32_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift & 0xff);
}

/// From nine bytes. The reserved bit of the stream is dropped (section 4.1).
inline FrameHeader read_frame_header(const char* bytes) {
  return {read_number(bytes, 3), static_cast<FrameType>(bytes[3]),
          static_cast<std::uint8_t>(bytes[4]),
          static_cast<std::int32_t>(read_number(bytes + 5, 4) & 0x7fffffff)};
}
inline void append_frame_header(std::string& out, std::size_t length, FrameType type,
                                std::uint8_t flags, std::int32_t stream) {
  std::array<char, frame_header_size> bytes;
  const auto id = static_cast<std::uint32_t>(stream);
  bytes = {
      static_cast<char>(length >> 16), static_cast<char>(length >> 8), static_cast<char>(length),
      static_cast<char>(type),         static_cast<char>(flags),       static_cast<char>(id >> 24),
      static_cast<char>(id >> 16),     static_cast<char>(id >> 8),     static_cast<char>(id)};
  out.append(bytes.data(), bytes.size());
}

inline void append_frame(std::string& out, FrameType type, std::uint8_t flags, std::int32_t stream,
                         std::string_view payload) {
  append_frame_header(out, payload.size(), type, flags, stream);
  out += payload;
}
/// One whose payload is a number of four bytes: RST_STREAM, WINDOW_UPDATE.
inline void append_frame(std::string& out, FrameType type, std::int32_t stream,
                         std::uint32_t number) {
  append_frame_header(out, 4, type, 0, stream);
  append_number(out, number, 4);
}
inline void append_goaway(std::string& out, std::int32_t last_stream, ErrorCode code,
                          std::string_view reason) {
  append_frame_header(out, 8 + reason.size(), FrameType::goaway, 0, 0);
  append_number(out, static_cast<std::uint32_t>(last_stream), 4);
  append_number(out, static_cast<std::uint32_t>(code), 4);
  out += reason;
}

}  // namespace sluice::net::http2
