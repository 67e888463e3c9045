#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "pipeline/net/event_loop.h"

namespace sluice::net {

/// Bytes both ways over a connected socket: plain, or what TLS makes of it. Lives on one loop.
/// Reading and writing never wait; the events tell when it is worth trying again.
class ByteStream {
 public:
  enum class Status : unsigned char { ok, would_block, ended, failed };
  struct Result {
    Status status = Status::ok;
    std::size_t size = 0;
  };
  /// Kept alive by the stream while it waits.
  struct Events {
    virtual ~Events() = default;
    virtual void readable() = 0;
    virtual void writable() = 0;
  };

  virtual ~ByteStream() = default;
  virtual Result read(std::span<char> into) = 0;
  virtual Result write(std::string_view bytes) = 0;
  virtual void wait_readable(std::shared_ptr<Events> events) = 0;
  virtual void wait_writable(std::shared_ptr<Events> events) = 0;
  /// Says that nothing more will be sent; reading goes on.
  virtual void end_writing() = 0;
  /// Closes; waits end without an event.
  virtual void close() = 0;
};

/// Takes over the connected socket `descriptor`.
std::unique_ptr<ByteStream> make_plain_stream(EventLoop& loop, int descriptor);

}  // namespace sluice::net
