// HTTP/2 frames on a connection of a door whose handshake is done, and what is gRPC in them. Input:
//
//   byte 0    how large the pieces are that arrive (0: all at once)
//   byte 1    bit 0: answers wait until all has come; bit 1: raw bytes follow; otherwise operations
//   the rest  operations: 0 open a stream with a grpc-encoding, 1 send bytes on it, 2 end it, 3
//   reset it,
//             4 let time pass, 5 ping; one byte of operation, one of stream, one of length, then
//             the bytes
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pipeline/ensure.h"
#include "test/support/http2_link.h"

namespace {

using sluice::test::Http2Link;
using sluice::test::Http2Peer;
using sluice::test::NetSession;

class Operations {
 public:
  Operations(Http2Link& link, std::size_t piece) : link_(link), piece_(piece) {}

  void run(std::string_view bytes) {
    while (bytes.size() >= 3) {
      const int operation = bytes[0] & 7, stream = bytes[1] & 7;
      const std::size_t size =
          std::min<std::size_t>(static_cast<unsigned char>(bytes[2]), bytes.size() - 3);
      apply(operation, static_cast<std::size_t>(stream), bytes.substr(3, size));
      bytes.remove_prefix(3 + size);
    }
  }

 private:
  void apply(int operation, std::size_t slot, std::string_view bytes) {
    constexpr std::array<std::string_view, 6> encodings = {"identity", "gzip",    "zstd",
                                                           "snappy",   "deflate", "br"};
    std::int32_t& stream = streams_[slot];
    if (operation == 0) {
      Http2Peer::Fields fields = Http2Peer::grpc_fields(NetSession::method);
      fields.emplace_back("grpc-encoding", encodings[bytes.size() % encodings.size()]);
      if (bytes.size() > 8) fields.emplace_back("grpc-timeout", "50m");
      stream = link_.peer.begin(fields, true);
    } else if (operation == 4) {
      link_.door.executor.advance(std::chrono::milliseconds(bytes.size()));
      link_.door.session().tick(link_.door.executor.now());
    } else if (operation == 5) {
      link_.peer.ping();
    } else if (stream != 0) {
      if (operation == 1) link_.peer.data(stream, bytes, false);
      if (operation == 2) link_.peer.data(stream, bytes, true);
      if (operation == 3) link_.peer.reset(stream, 8);
    }
    link_.peer.receive(link_.door.send_in_pieces(link_.peer.output(), piece_));
  }

  Http2Link& link_;
  std::size_t piece_;
  std::array<std::int32_t, 8> streams_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Http2Link link({}, {}, 1 << 20);
  link.door.service.body_bytes_max = 1 << 16;
  link.door.service.hold = (data[1] & 1) != 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t piece = data[0] == 0 ? rest.size() + 100'000 : data[0];
  if ((data[1] & 2) != 0)
    link.door.send_in_pieces(rest, piece);
  else
    Operations(link, piece).run(rest);
  link.door.service.held.clear();
  link.door.output();
  link.door.disconnect();
  sluice::ensure(link.door.ledger.used() == 0, "what a connection holds goes with it");
  return 0;
}
