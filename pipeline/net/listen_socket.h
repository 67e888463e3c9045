#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/net/server.h"

namespace sluice::net {

/// A descriptor that is closed when it goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Bound and listening, not blocking. "localhost" is both loopback addresses, an empty host every
/// address. A stale unix socket is replaced, a live one is an error. Empty with a sentence in
/// `error`; `port` is the one that was got.
std::vector<Descriptor> listen_on(const Endpoint& endpoint, std::uint16_t& port,
                                  std::string& error);
/// The same for UDP: bound, not blocking; no unix sockets.
std::vector<Descriptor> bind_datagrams(const Endpoint& endpoint, std::uint16_t& port,
                                       std::string& error);

}  // namespace sluice::net
