#include "pipeline/net/connection_caps.h"

namespace sluice::net {
namespace {

bool is_local(const std::string& peer) {
  return peer.empty() || peer == "::1" || peer.starts_with("127.");
}

}  // namespace

ConnectionCaps::Verdict ConnectionCaps::admit(const std::string& peer) {
  if (options_.connections_max != 0 && count_ >= options_.connections_max) return Verdict::too_many;
  if (!is_local(peer)) {
    const auto found = by_peer_.find(peer);
    const std::size_t held = found == by_peer_.end() ? 0 : found->second;
    if (options_.connections_per_peer_max != 0 && held >= options_.connections_per_peer_max) {
      return Verdict::too_many_of_peer;
    }
    ++by_peer_[peer];
  }
  ++count_;
  return Verdict::admitted;
}

void ConnectionCaps::closed(const std::string& peer) {
  --count_;
  const auto found = by_peer_.find(peer);
  if (found != by_peer_.end() && --found->second == 0) by_peer_.erase(found);
}

}  // namespace sluice::net
