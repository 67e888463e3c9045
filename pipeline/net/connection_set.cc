#include "pipeline/net/connection_set.h"

#include <utility>

namespace sluice::net {
namespace {

// Takes a whole request of 512 spans in one read. Measured: 64, 128 and 256 KiB cost the same a
// span; what was read must stay in the cache until it is copied to its body.
constexpr std::size_t scratch_size = 256 * 1024;

}  // namespace

void ConnectionSet::adopt(const Door& door, int descriptor, std::string peer, Task closed) {
  if (scratch_ == nullptr) scratch_ = std::unique_ptr<char[]>(new char[scratch_size]);
  ConnectionContext context{door, ledger_, loop_, std::move(peer), loop_.index()};
  auto connection =
      std::make_shared<Connection>(std::move(context), make_plain_stream(loop_, descriptor),
                                   std::span<char>(scratch_.get(), scratch_size),
                                   [this, told = std::move(closed)](Connection& gone) mutable {
                                     remove(gone);
                                     told();
                                   });
  connection->position = connections_.size();
  connections_.push_back(connection);
  connection->start();
  if (emptied_) connection->drain();
  if (!timer_) timer_ = loop_.after(period_, [this] { tick(); });
}

void ConnectionSet::remove(Connection& connection) {
  const std::size_t position = connection.position;
  connections_.back()->position = position;
  std::swap(connections_[position], connections_.back());
  connections_.pop_back();
  if (!connections_.empty()) return;
  timer_.cancel();
  if (Task emptied = std::exchange(emptied_, nullptr)) emptied();
}

void ConnectionSet::tick() {
  const Executor::TimePoint now = loop_.now();
  // A copy: connections close, and leave the list, while it is walked.
  const std::vector<std::shared_ptr<Connection>> all = connections_;
  timer_ = loop_.after(period_, [this] { tick(); });
  for (const auto& connection : all) connection->tick(now);
}

void ConnectionSet::drain(Task emptied) {
  if (connections_.empty()) return emptied();
  emptied_ = std::move(emptied);
  const std::vector<std::shared_ptr<Connection>> all = connections_;
  for (const auto& connection : all) connection->drain();
}

void ConnectionSet::close_all() {
  const std::vector<std::shared_ptr<Connection>> all = connections_;
  for (const auto& connection : all) connection->close();
}

}  // namespace sluice::net
