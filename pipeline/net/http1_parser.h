#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/net/exchange.h"
#include "pipeline/net/server.h"

/// Reading HTTP/1.1 (RFC 9112), strictly: whatever two readers could understand differently is
/// refused, because the other reader may be a proxy that has let it pass.
namespace sluice::net::http1 {

/// What the head says beside its lines.
struct Framing {
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  bool http_1_0 = false;
};

/// `text`: request line and header lines up to and including the empty one. Fills `head` and
/// `framing`; returns 0 or the status to refuse with.
int parse_head(std::string_view text, const ServerOptions& options, Exchange::Head& head,
               Framing& framing);

/// Takes a chunked body apart, whatever pieces it comes in.
class ChunkReader {
 public:
  enum class State : std::uint8_t { reading, complete, broken };
  /// Consumes from `input`; returns a stretch of content, which is empty when the input is used up
  /// or the body has ended or is broken.
  std::string_view next(std::string_view& input);
  State state() const { return state_; }

 private:
  enum class Part : std::uint8_t {
    size,
    extension,
    size_end,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_end,
    last_lf
  };
  void take(char c);
  void take_size(char c);
  void take_trailer(char c);

  State state_ = State::reading;
  Part part_ = Part::size;
  std::uint64_t left_ = 0;
  std::size_t digits_ = 0;
  std::size_t line_size_ = 0;     ///< of an extension
  std::size_t trailer_size_ = 0;  ///< of all trailer lines
  bool trailer_line_empty_ = true;
};

}  // namespace sluice::net::http1
