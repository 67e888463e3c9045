#include "pipeline/net/session.h"

#include <algorithm>
#include <utility>

#include "pipeline/net/http2_frame.h"

namespace sluice::net {
namespace {

constexpr std::size_t first_read_max = 16 * 1024;

/// Waits for as many bytes as it takes to tell, then steps aside.
class SniffingSession final : public Session {
 public:
  SniffingSession(const ConnectionContext& context, SessionHost& host)
      : context_(context), host_(host), created_(context.executor.now()) {}

  void receive(std::string_view bytes) override {
    if (session_ != nullptr) return session_->receive(bytes);
    first_ += bytes;
    const std::size_t size = std::min(first_.size(), http2::preface.size());
    const bool may_be_http2 =
        http2::preface.substr(0, size) == std::string_view(first_).substr(0, size);
    if (may_be_http2 && size < http2::preface.size()) return;
    session_ =
        may_be_http2 ? make_http2_session(context_, host_) : make_http1_session(context_, host_);
    if (draining_) session_->drain();
    session_->receive(std::exchange(first_, {}));
  }
  std::size_t read_max() const override {
    return session_ != nullptr ? session_->read_max() : first_read_max;
  }
  std::span<char> room() override {
    return session_ != nullptr ? session_->room() : std::span<char>();
  }
  void filled(std::size_t size) override { session_->filled(size); }

  void receive_end() override {
    if (session_ != nullptr)
      session_->receive_end();
    else
      closed_ = true;
  }
  void produce(std::string& out) override {
    if (session_ != nullptr) session_->produce(out);
  }
  bool wants_input() const override {
    return session_ != nullptr ? session_->wants_input() : !closed_;
  }
  bool finished() const override { return session_ != nullptr ? session_->finished() : closed_; }
  void drain() override {
    draining_ = true;
    if (session_ != nullptr)
      session_->drain();
    else
      closed_ = first_.empty();
  }
  void tick(Executor::TimePoint now) override {
    if (session_ != nullptr) return session_->tick(now);
    const auto timeout = context_.door.options().header_timeout;
    if (closed_ || timeout.count() == 0 || now - created_ < timeout) return;
    closed_ = true;
    context_.door.ended().timeout.add(1);
  }

 private:
  const ConnectionContext& context_;
  SessionHost& host_;
  const Executor::TimePoint created_;
  std::unique_ptr<Session> session_;
  std::string first_;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Session> make_session(const ConnectionContext& context, SessionHost& host) {
  return std::make_unique<SniffingSession>(context, host);
}

}  // namespace sluice::net
