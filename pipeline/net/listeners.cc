#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/log.h"
#include "pipeline/net/acceptor.h"
#include "pipeline/net/connection_set.h"
#include "pipeline/net/datagrams.h"
#include "pipeline/net/door.h"
#include "pipeline/net/server.h"

namespace sluice::net {
namespace {

/// One address with what is needed to open it.
struct Listener {
  std::string address;
  std::string component;  ///< the first that named it
  std::unique_ptr<Door> door;
  std::unique_ptr<Acceptor> acceptor;
  std::uint16_t port = 0;
};

/// One UDP address.
struct DatagramListener {
  std::string address;
  std::string component;
  std::unique_ptr<DatagramDoor> door;
};

void warn_of_others(const Endpoint& endpoint) {
  if (endpoint.is_loopback()) return;
  log::warn("listens on an address that others can reach, without TLS or authentication",
            {{"endpoint", endpoint.to_string()}});
}

/// A quarter of the shortest timeout, but not more often than every 10 ms nor more seldom than
/// every second.
Executor::Duration tick_period(const std::vector<std::unique_ptr<Listener>>& listeners) {
  std::chrono::nanoseconds shortest = std::chrono::seconds(4);
  for (const auto& listener : listeners) {
    const ServerOptions& options = listener->door->options();
    for (const std::chrono::nanoseconds timeout :
         {options.header_timeout, options.idle_timeout, options.read_timeout, options.write_timeout,
          options.connection_age_max, options.connection_age_grace, options.keepalive_time,
          options.keepalive_timeout}) {
      if (timeout.count() > 0) shortest = std::min(shortest, timeout);
    }
  }
  return std::max<Executor::Duration>(shortest / 4, std::chrono::milliseconds(10));
}

}  // namespace

struct Listeners::State {
  EventLoops& loops;
  Metrics& metrics;
  std::vector<std::unique_ptr<ConnectionSet>> sets;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<DatagramListener> datagrams;
  bool opened = false;
  const State* other = nullptr;  ///< must not have the same addresses

  Listener* find(const Endpoint& endpoint) const {
    const std::string address = endpoint.to_string();
    for (const auto& listener : listeners) {
      if (listener->address == address) return listener.get();
    }
    return nullptr;
  }
};

Listeners::Listeners(EventLoops& loops, Ledger& ledger, Metrics& metrics)
    : state_(std::make_unique<State>(State{loops, metrics, {}, {}, {}})) {
  for (std::size_t index = 0; index < loops.size(); ++index) {
    state_->sets.push_back(std::make_unique<ConnectionSet>(loops[index], ledger));
  }
}

Listeners::~Listeners() = default;

void Listeners::keep_apart(Listeners& other) {
  state_->other = other.state_.get();
  other.state_->other = state_.get();
}

bool Listeners::route(std::string_view component, const Endpoint& endpoint,
                      const ServerOptions& options, std::string path,
                      const RouteOptions& route_options, Service& service, std::string& error) {
  const bool free_choice = endpoint.port == 0 && endpoint.unix_path.empty();
  const Listener* taken =
      state_->other == nullptr || free_choice ? nullptr : state_->other->find(endpoint);
  if (taken != nullptr) {
    error = taken->address + " is taken by " + taken->component;
    return false;
  }
  Listener* listener = state_->find(endpoint);
  if (listener == nullptr) {
    auto made = std::make_unique<Listener>();
    made->address = endpoint.to_string();
    made->component = component;
    made->door = std::make_unique<Door>(endpoint, options, state_->metrics);
    listener = made.get();
    state_->listeners.push_back(std::move(made));
  } else if (listener->door->options() != options) {
    error = listener->address + " is shared with " + listener->component +
            ", which has other limits or timeouts";
    return false;
  }
  error = listener->door->add(component, std::move(path), route_options, service);
  return error.empty();
}

bool Listeners::datagrams(std::string_view component, const Endpoint& endpoint,
                          const DatagramOptions& options, DatagramService& service,
                          std::string& error) {
  const std::string address = endpoint.to_string();
  for (const DatagramListener& taken : state_->datagrams) {
    if (taken.address != address || endpoint.port == 0) continue;
    error = "udp://" + address + " is taken by " + taken.component;
    return false;
  }
  // Each on a loop of its own, as far as there are enough.
  const std::size_t home = state_->datagrams.size() % state_->loops.size();
  state_->datagrams.push_back(
      {address, std::string(component),
       std::make_unique<DatagramDoor>(state_->loops, home, endpoint, options, service)});
  return true;
}

bool Listeners::open(std::string& error) {
  ensure(!state_->opened, "listeners are opened once");
  const Executor::Duration period = tick_period(state_->listeners);
  for (const auto& set : state_->sets) set->set_tick(period);
  std::vector<std::vector<Descriptor>> sockets;
  for (const auto& listener : state_->listeners) {
    sockets.push_back(listen_on(listener->door->endpoint(), listener->port, error));
    if (sockets.back().empty()) return false;
    warn_of_others(listener->door->endpoint());
  }
  for (const DatagramListener& listener : state_->datagrams) {
    if (!listener.door->open(error)) return false;
    warn_of_others(listener.door->endpoint());
  }
  state_->opened = true;
  EventLoop& loop = state_->loops[0];
  for (std::size_t index = 0; index < sockets.size(); ++index) {
    Listener& listener = *state_->listeners[index];
    listener.acceptor = std::make_unique<Acceptor>(loop, *listener.door, state_->sets,
                                                   state_->metrics, std::move(sockets[index]));
    loop.post([&acceptor = *listener.acceptor] { acceptor.start(); });
    log::info("listens", {{"endpoint", listener.address}, {"component", listener.component}});
  }
  for (const DatagramListener& listener : state_->datagrams) {
    listener.door->start();
    log::info("listens", {{"endpoint", "udp://" + listener.address},
                          {"component", listener.component},
                          {"receive_buffer", std::to_string(listener.door->buffer_size())}});
  }
  return true;
}

std::uint16_t Listeners::port(const Endpoint& endpoint) const {
  const Listener* listener = state_->find(endpoint);
  return listener == nullptr ? 0 : listener->port;
}

std::uint16_t Listeners::datagram_port(const Endpoint& endpoint) const {
  for (const DatagramListener& listener : state_->datagrams) {
    if (listener.address == endpoint.to_string()) return listener.door->port();
  }
  return 0;
}

void Listeners::stop(std::chrono::nanoseconds deadline, Task done) {
  if (!std::exchange(state_->opened, false)) return done();
  for (const auto& listener : state_->listeners) listener->door->drain();
  struct Stop {
    std::atomic<std::size_t> left;
    Task done;
    std::vector<Timer> deadlines;  ///< by loop
  };
  auto stop = std::make_shared<Stop>();
  stop->left = state_->sets.size() + state_->datagrams.size();
  stop->done = std::move(done);
  stop->deadlines.resize(state_->sets.size());
  for (const DatagramListener& listener : state_->datagrams) {
    listener.door->stop([stop] {
      if (stop->left.fetch_sub(1) == 1) stop->done();
    });
  }
  // What has been accepted was posted to its loop before this is.
  state_->loops[0].post([state = state_.get(), stop, deadline] {
    for (const auto& listener : state->listeners) listener->acceptor->stop();
    for (std::size_t index = 0; index < state->sets.size(); ++index) {
      ConnectionSet& set = *state->sets[index];
      set.loop().post([&set, &timer = stop->deadlines[index], stop, deadline] {
        timer = set.loop().after(deadline, [&set] { set.close_all(); });
        set.drain([&timer, stop] {
          timer.cancel();
          if (stop->left.fetch_sub(1) == 1) stop->done();
        });
      });
    }
  });
}

}  // namespace sluice::net
