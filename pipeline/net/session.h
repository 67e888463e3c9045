#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/net/door.h"

namespace sluice::net {

/// Who carries a session's bytes.
class SessionHost {
 public:
  /// There is something for `produce` that did not come of a call to the session.
  virtual void output_pending() = 0;

 protected:
  ~SessionHost() = default;
};

/// The protocol of one connection: bytes in, bytes out, nothing of sockets. Lives on one loop.
class Session {
 public:
  virtual ~Session() = default;
  virtual void receive(std::string_view bytes) = 0;
  /// How many bytes to read for the next `receive`: few where what follows them can go to `room`.
  virtual std::size_t read_max() const { return static_cast<std::size_t>(-1); }
  /// Where the next bytes belong, if it is known, so that they can be read there; empty where they
  /// are to be received. Holds until the next call.
  virtual std::span<char> room() { return {}; }
  /// So many bytes were read into what `room` gave.
  virtual void filled(std::size_t) {}
  /// The peer sends no more; what it asked for is still answered.
  virtual void receive_end() = 0;
  /// Appends what is to be sent, up to some 256 KiB beyond what is there.
  virtual void produce(std::string& out) = 0;
  /// False while what was asked for must be answered first.
  virtual bool wants_input() const = 0;
  /// Nothing more to say: close when what was produced has been sent.
  virtual bool finished() const = 0;
  /// Takes nothing new, ends what is under way.
  virtual void drain() = 0;
  /// Looks after timeouts; called every so often.
  virtual void tick(Executor::TimePoint now) = 0;
};

/// The session that the first bytes ask for: the preface of HTTP/2, or else HTTP/1.1.
std::unique_ptr<Session> make_session(const ConnectionContext& context, SessionHost& host);
std::unique_ptr<Session> make_http1_session(const ConnectionContext& context, SessionHost& host);
std::unique_ptr<Session> make_http2_session(const ConnectionContext& context, SessionHost& host);

}  // namespace sluice::net
