#include "pipeline/net/byte_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace sluice::net {
namespace {

using boost::asio::posix::stream_descriptor;

class PlainStream final : public ByteStream {
 public:
  PlainStream(EventLoop& loop, int descriptor) : descriptor_(loop.context(), descriptor) {}

  Result read(std::span<char> into) override {
    for (;;) {
      const ssize_t size =
          ::recv(descriptor_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
      if (size > 0) return {Status::ok, static_cast<std::size_t>(size)};
      if (size == 0) return {Status::ended, 0};
      if (errno == EINTR) continue;
      return {errno == EAGAIN || errno == EWOULDBLOCK ? Status::would_block : Status::failed, 0};
    }
  }

  Result write(std::string_view bytes) override {
    for (;;) {
      const ssize_t size = ::send(descriptor_.native_handle(), bytes.data(), bytes.size(),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size >= 0) return {Status::ok, static_cast<std::size_t>(size)};
      if (errno == EINTR) continue;
      return {errno == EAGAIN || errno == EWOULDBLOCK ? Status::would_block : Status::failed, 0};
    }
  }

  void wait_readable(std::shared_ptr<Events> events) override {
    descriptor_.async_wait(stream_descriptor::wait_read,
                           [held = std::move(events)](const boost::system::error_code& error) {
                             if (!error) held->readable();
                           });
  }

  void wait_writable(std::shared_ptr<Events> events) override {
    descriptor_.async_wait(stream_descriptor::wait_write,
                           [held = std::move(events)](const boost::system::error_code& error) {
                             if (!error) held->writable();
                           });
  }

  void end_writing() override { ::shutdown(descriptor_.native_handle(), SHUT_WR); }

  void close() override {
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  stream_descriptor descriptor_;
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(EventLoop& loop, int descriptor) {
  return std::make_unique<PlainStream>(loop, descriptor);
}

}  // namespace sluice::net
