#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/net/byte_stream.h"
#include "pipeline/net/session.h"
#include "pipeline/unique_function.h"

namespace sluice::net {

/// A connected socket and the protocol spoken on it: moves bytes between the two. Reads where the
/// session has room for them, else into a scratch that all connections of a loop share, since what
/// is read is used up before the next one reads. Lives on one loop; kept alive by what waits on its
/// stream and by whoever made it.
class Connection final : public ByteStream::Events,
                         public SessionHost,
                         public std::enable_shared_from_this<Connection> {
 public:
  using Closed = UniqueFunction<void(Connection&)>;

  /// `closed` is called once, when the socket is closed.
  Connection(ConnectionContext context, std::unique_ptr<ByteStream> stream, std::span<char> scratch,
             Closed closed);

  void start();
  void drain();
  /// Looks after timeouts; called every so often.
  void tick(Executor::TimePoint now);
  void close();

  const std::string& peer() const { return context_.peer; }
  std::size_t position = 0;  ///< in its owner's list

 private:
  void readable() override;
  void writable() override;
  void output_pending() override;

  bool read_some();
  void discard();
  void flush();
  bool write_out();
  void begin_lingering();
  void wait();

  ConnectionContext context_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<Session> session_;
  std::span<char> scratch_;
  Closed closed_;

  std::string out_;
  std::size_t sent_ = 0;             ///< of `out_`
  Executor::TimePoint progress_at_;  ///< something of `out_` came or went
  std::optional<Executor::TimePoint> spoke_at_;
  bool in_session_ = false;
  bool flush_posted_ = false;
  bool waiting_to_read_ = false, waiting_to_write_ = false;
  bool peer_ended_ = false;
  bool lingering_ = false;
  bool is_closed_ = false;
};

}  // namespace sluice::net
