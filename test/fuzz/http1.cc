// Any bytes on a connection of a door, in pieces: HTTP/1.1, and HTTP/2 where the preface says so.
// The first byte chooses how large the pieces are.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pipeline/ensure.h"
#include "test/support/net_session.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sluice::net::RouteOptions route;
  route.include_metadata = true;
  route.cors_origins = {"http://*.test"};
  sluice::test::NetSession door({}, route, 1 << 20);
  door.service.body_bytes_max = 1 << 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] == 0 ? bytes.size() + 1 : data[0];
  door.send_as_read(bytes, piece);
  door.pass(std::chrono::seconds(1));
  door.disconnect();
  sluice::ensure(door.ledger.used() == 0, "what a connection holds goes with it");
  return 0;
}
