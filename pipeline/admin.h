#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/server.h"

namespace sluice {

/// What components have to say about themselves, as JSON on the admin port
/// (`service.admin.endpoint`). Owned by `main`, borrowed by the graph.
class Admin {
 public:
  /// JSON values with commas between them, or empty; called once, on any thread.
  using Items = std::function<void(std::string items)>;
  /// Asked on any worker. `query` is the part of the URL behind '?'.
  using Source = std::function<void(std::string_view query, Items done)>;

  /// On "host:port" of these listeners; with none, nothing is offered.
  Admin(net::Listeners& listeners, std::string_view endpoint);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// `GET path` answers `{"key": [ ... ]}` with the items of all sources of that path. Sources live
  /// until the loops have stopped.
  void offer(std::string path, std::string key, Source source);
  /// Why something that was offered has no place, in a sentence; empty is right.
  const std::string& error() const { return error_; }

 private:
  class Page;
  net::Listeners& listeners_;
  std::optional<net::Endpoint> endpoint_;
  std::map<std::string, std::unique_ptr<Page>> pages_;
  std::string error_;
};

/// The value of `key` in "a=1&b=2", or empty. Values here are words and numbers: no escapes.
std::string_view query_value(std::string_view query, std::string_view key);

}  // namespace sluice
