#include "pipeline/net/datagrams.h"

#include <linux/membarrier.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace sluice::net {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr int rounds_per_turn = 8;  // then other work of the loop has its turn
constexpr auto idle_check = std::chrono::seconds(1);

/// Room for one call to the kernel. Memory is committed as datagrams touch it.
class Round {
 public:
  static constexpr std::size_t count = DatagramDoor::round_max;

  explicit Round(std::size_t size_max)
      : size_max_(std::max<std::size_t>(size_max, 1)), bytes_(new char[count * size_max_]) {
    for (std::size_t i = 0; i < count; ++i) {
      pieces_[i] = {bytes_.get() + i * size_max_, size_max_};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// How many came; 0 when none is waiting.
  std::size_t receive(int socket) {
    for (std::size_t i = 0; i < count; ++i) {
      messages_[i].msg_hdr.msg_control = controls_[i].data();
      messages_[i].msg_hdr.msg_controllen = controls_[i].size();
    }
    const int got = ::recvmmsg(socket, messages_.data(), count, MSG_DONTWAIT, nullptr);
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const std::size_t size = std::min<std::size_t>(messages_[i].msg_len, size_max_);
      const bool truncated = (messages_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
      datagrams_[i] = {{bytes_.get() + i * size_max_, size}, truncated};
    }
    return size_;
  }

  std::span<const Datagram> datagrams() const { return {datagrams_.data(), size_}; }

  /// What the kernel had dropped when the last of these came, as it counts; it tells from the first
  /// drop on.
  std::uint32_t drops() const {
    msghdr header = messages_[size_ - 1].msg_hdr;
    for (const cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
         each = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(each))) {
      if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_RXQ_OVFL) continue;
      std::uint32_t drops = 0;
      std::memcpy(&drops, CMSG_DATA(each), sizeof drops);
      return drops;
    }
    return 0;
  }

 private:
  const std::size_t size_max_;
  std::unique_ptr<char[]> bytes_;
  std::array<iovec, count> pieces_;
  std::array<mmsghdr, count> messages_;
  alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(std::uint32_t))>, count> controls_;
  std::array<Datagram, count> datagrams_;
  std::size_t size_ = 0;
};

std::uint32_t drops_of(int socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

/// As much as is wished for or the kernel allows; returns what was got. Beyond its limit for all
/// (net.core.rmem_max) the kernel goes for CAP_NET_ADMIN alone.
std::size_t set_buffer(int socket, std::size_t wished) {
  const int bytes = static_cast<int>(std::min<std::size_t>(wished, 1 << 30));
  if (bytes > 0 && ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  int got = 0;
  socklen_t size = sizeof got;
  (void)::getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &got, &size);
  return static_cast<std::size_t>(got) / 2;  // the kernel doubles what it is told
}

/// From here on the kernel refuses what is sent to the socket as if it were closed, but what it
/// holds can be read: it is connected to its own address, from which nobody sends.
void shut(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (::getsockname(socket, address, &size) == 0) (void)::connect(socket, address, size);
}

/// The kernel finds the socket of a datagram and fills its buffer as a reader of RCU, and this
/// waits until all readers of before are gone: 10 to 40 ms measured.
void wait_for_deliveries() { (void)::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

}  // namespace

/// Lives on its door's home loop; rounds visit others.
class DatagramDoor::Socket {
 public:
  Socket(DatagramDoor& door, Descriptor socket)
      : door_(door), descriptor_(door.home().context(), socket.release()) {
    const std::size_t helpers = std::min(door.options_.workers_max, door.loops_.size()) - 1;
    for (std::size_t i = 0; i <= helpers; ++i)
      spare_.push_back(std::make_unique<Round>(door.options_.size_max));
    helpers_ = helpers;
  }

  void start() {
    wait();
    watch();
  }

  void shut() { net::shut(descriptor_.native_handle()); }

  /// After `shut`.
  void stop(Task done) {
    stopped_ = std::move(done);
    timer_.cancel();
    while (take_round() == Round::count) continue;
    note_drops(drops_of(descriptor_.native_handle()));
    closed_ = true;
    descriptor_.close();
    finish();
  }

 private:
  void wait() {
    descriptor_.async_wait(stream_descriptor::wait_read,
                           [this](const boost::system::error_code& error) {
                             if (!error && !closed_) read();
                           });
  }

  void watch() {
    timer_ = door_.home().after(idle_check, [this] {
      note_drops(drops_of(descriptor_.native_handle()));
      watch();
    });
  }

  void read() {
    for (int turn = 0; turn < rounds_per_turn; ++turn) {
      if (take_round() < Round::count) break;
    }
    wait();
  }

  /// Reads a round and sees that it is worked on; returns how many datagrams it had.
  std::size_t take_round() {
    Round& round = *spare_.back();
    const std::size_t count = round.receive(descriptor_.native_handle());
    if (count == 0) return 0;
    note_drops(round.drops());
    if (count == Round::count && spare_.size() > 1)
      deal_out();
    else
      door_.service_.receive(round.datagrams(), door_.home_);
    return count;
  }

  void deal_out() {
    next_ = next_ % helpers_ + 1;
    const std::size_t worker = (door_.home_ + next_) % door_.loops_.size();
    ++away_;
    auto work = [this, worker, round = std::move(spare_.back())]() mutable {
      door_.service_.receive(round->datagrams(), worker);
      door_.home().post([this, back = std::move(round)]() mutable {
        spare_.push_back(std::move(back));
        --away_;
        finish();
      });
    };
    spare_.pop_back();
    door_.loops_[worker].post(std::move(work));
  }

  void finish() {
    if (!closed_ || away_ > 0 || !stopped_) return;
    Task done = std::exchange(stopped_, nullptr);
    done();
  }

  /// `total` may lie a little back; it wraps at 2^32.
  void note_drops(std::uint32_t total) {
    const auto more = static_cast<std::int32_t>(total - drops_);
    if (more <= 0) return;
    drops_ = total;
    door_.service_.dropped_by_kernel(static_cast<std::uint32_t>(more));
  }

  DatagramDoor& door_;
  stream_descriptor descriptor_;
  std::vector<std::unique_ptr<Round>> spare_;
  Timer timer_;
  Task stopped_;
  std::size_t helpers_ = 0;
  std::size_t next_ = 0;
  std::size_t away_ = 0;
  std::uint32_t drops_ = 0;
  bool closed_ = false;
};

DatagramDoor::DatagramDoor(EventLoops& loops, std::size_t home, const Endpoint& endpoint,
                           const DatagramOptions& options, DatagramService& service)
    : loops_(loops), home_(home), endpoint_(endpoint), options_(options), service_(service) {}

DatagramDoor::~DatagramDoor() = default;

bool DatagramDoor::open(std::string& error) {
  opened_ = bind_datagrams(endpoint_, port_, error);
  const int on = 1;
  for (const Descriptor& socket : opened_) {
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    buffer_size_ = set_buffer(socket.get(), options_.buffer_size);
  }
  return !opened_.empty();
}

void DatagramDoor::start() {
  for (Descriptor& socket : std::exchange(opened_, {}))
    sockets_.push_back(std::make_unique<Socket>(*this, std::move(socket)));
  home().post([this] {
    for (const auto& socket : sockets_) socket->start();
  });
}

void DatagramDoor::stop(Task done) {
  if (sockets_.empty()) return done();
  home().post([this, done = std::move(done)]() mutable {
    auto last = std::make_shared<std::pair<std::size_t, Task>>(sockets_.size(), std::move(done));
    for (const auto& socket : sockets_) socket->shut();
    wait_for_deliveries();
    for (const auto& socket : sockets_) {
      socket->stop([last] {
        if (--last->first == 0) last->second();
      });
    }
  });
}

}  // namespace sluice::net
