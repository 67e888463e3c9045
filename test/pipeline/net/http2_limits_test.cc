#include <string>

#include <catch2/catch.hpp>

#include "test/support/http2_frames.h"
#include "test/support/http2_link.h"

namespace sluice::net {
namespace {

using http2::FrameType;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::frame;
using test::grpc_status;
using test::Http2Link;
using test::Http2Peer;
using test::NetSession;

constexpr std::uint32_t no_error = 0, cancel = 8, enhance_your_calm = 11;

}  // namespace

TEST_CASE("heads over the limits are refused", "[http2]") {
  ServerOptions options;
  options.header_bytes_max = 1000;
  options.header_lines_max = 10;
  Http2Link link(options);
  CHECK(link.peer.peer_settings[6] == 1000);
  CHECK(link.grpc("x", {{"a", std::string(400, 'x')}}).field(":status") == "200");
  CHECK(link.grpc("x", {{"a", std::string(1000, 'x')}}).field(":status") == "431");
  Http2Peer::Fields lines;
  for (int index = 0; index < 10; ++index) lines.emplace_back("a", "b");
  CHECK(link.grpc("x", lines).field(":status") == "431");
  CHECK(link.grpc("x").field(":status") == "200");
}

TEST_CASE("a header bomb ends the connection before it costs much", "[http2]") {
  Http2Link link;
  // 4000 bytes into the dynamic table, then references to them in one or two bytes each, which
  // would be 64 MB of header: to the whole, and to the name, which makes an entry of its own.
  const std::string entry = "\x40\x7f\xa1\x1e" + std::string(4000, 'x') +
                            "\x01"
                            "a";
  const std::string start = "\x83\x86\x84\x41\x01t" + entry;
  std::string block = start;
  SECTION("whole") { block += std::string(12'000, '\xbe'); }
  SECTION("name") {
    for (int index = 0; index < 6'000; ++index) block += std::string_view("\x7e\0", 2);
  }
  link.peer.receive(link.door.send(frame(FrameType::headers, 4 | 1, 1, block)));
  CHECK(link.peer.goaway() == enhance_your_calm);
  CHECK(link.door.finished());
  CHECK(link.door.service.heads.empty());
}

TEST_CASE("a head several times over the limit is still answered", "[http2]") {
  Http2Link link;
  CHECK(link.grpc("x", {{"cookie", std::string(40'000, 'c')}}).field(":status") == "431");
  CHECK(link.grpc("x").field(":status") == "200");
}

TEST_CASE("at most so many streams are open at once", "[http2]") {
  ServerOptions options;
  options.streams_max = 3;
  Http2Link link(options);
  link.door.service.hold = true;
  CHECK(link.peer.peer_settings[3] == 3);
  for (int index = 0; index < 5; ++index) link.peer.grpc(NetSession::method, "x");
  link.exchange();
  CHECK(link.door.service.held.size() == 3);
}

TEST_CASE("rapid resets end the connection, those of answered requests do not", "[http2]") {
  Http2Link link;
  SECTION("opened and reset") {
    for (int index = 0; index < 100 && !link.peer.goaway(); ++index) {
      const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
      link.exchange();
      link.peer.reset(stream, cancel);
      link.exchange();
    }
    CHECK_FALSE(link.peer.goaway());
    const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
    link.exchange();
    link.peer.reset(stream, cancel);
    link.exchange();
    CHECK(link.peer.goaway() == enhance_your_calm);
    CHECK(link.door.finished());
    CHECK(link.ended("abuse") == 1);
  }
  SECTION("slow enough") {
    for (int index = 0; index < 300; ++index) {
      const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
      link.exchange();
      link.peer.reset(stream, cancel);
      link.exchange();
      link.door.executor.advance(milliseconds(110));
    }
    CHECK_FALSE(link.peer.goaway());
  }
  SECTION("in answer to a refusal") {
    link.door.service.refusal.emplace().grpc = GrpcCode::unavailable;
    for (int index = 0; index < 300; ++index) {
      const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
      const std::string request = link.peer.output();
      const std::string reply = link.door.send(request);
      link.peer.reset(stream, cancel);
      link.door.send(link.peer.output());
      link.peer.receive(reply);
    }
    link.exchange();
    CHECK_FALSE(link.peer.goaway());
  }
}

TEST_CASE("too many pings end the connection as gRPC servers do", "[http2]") {
  ServerOptions options;
  options.ping_interval_min = seconds(10);
  Http2Link link(options);
  const auto ping = [&] {
    link.peer.ping();
    link.exchange();
  };
  SECTION("without a stream they may come every two hours") {
    for (int index = 0; index < 4; ++index) {
      CHECK_FALSE(link.peer.goaway());
      ping();
    }
    CHECK(link.peer.goaway() == enhance_your_calm);
    CHECK(link.peer.goaway_text() == "too_many_pings");
  }
  SECTION("with a stream, as often as allowed") {
    link.door.service.hold = true;
    link.grpc("x");
    for (int index = 0; index < 10; ++index) {
      ping();
      link.door.executor.advance(seconds(10));
    }
    CHECK_FALSE(link.peer.goaway());
    for (int index = 0; index < 4; ++index) ping();
    CHECK(link.peer.goaway() == enhance_your_calm);
  }
  SECTION("with answers in between, at any time") {
    for (int index = 0; index < 20; ++index) {
      link.grpc("x");
      ping();
    }
    CHECK_FALSE(link.peer.goaway());
    CHECK(link.peer.ping_acks() == 20);
  }
}

TEST_CASE("pings may be permitted without a stream", "[http2]") {
  ServerOptions options;
  options.ping_interval_min = seconds(10);
  options.ping_without_stream = true;
  Http2Link link(options);
  for (int index = 0; index < 10; ++index) {
    link.peer.ping();
    link.exchange();
    link.door.executor.advance(seconds(10));
  }
  CHECK_FALSE(link.peer.goaway());
}

TEST_CASE("frames that carry nothing are rationed", "[http2]") {
  Http2Link link;
  SECTION("empty DATA") {
    const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
    link.exchange();
    std::string flood;
    for (int index = 0; index < 1100; ++index) flood += frame(FrameType::data, 0, stream, "");
    link.peer.receive(link.door.send(flood));
  }
  SECTION("PRIORITY") {
    std::string flood;
    for (int index = 0; index < 1100; ++index)
      flood += frame(FrameType::priority, 0, 3, std::string_view("\0\0\0\0\x10", 5));
    link.peer.receive(link.door.send(flood));
  }
  SECTION("SETTINGS") {
    for (int index = 0; index < 1100 && !link.peer.goaway(); ++index) {
      link.peer.settings();
      link.exchange();
    }
  }
  SECTION("PING faster than it can be answered") {
    std::string flood;
    for (int index = 0; index < 200; ++index) flood += frame(FrameType::ping, 0, 0, "12345678");
    link.peer.receive(link.door.send(flood));
  }
  REQUIRE(link.peer.goaway());
  CHECK(*link.peer.goaway() == enhance_your_calm);
  CHECK(link.door.finished());
}

TEST_CASE("CONTINUATION without end is refused", "[http2]") {
  Http2Link link;
  std::string flood = frame(FrameType::headers, 0, 1, "\x83\x86\x84\x41\x01t");
  for (int index = 0; index < 20; ++index)
    flood += frame(FrameType::continuation, 0, 1,
                   std::string("\x00\x01"
                               "a\x01"
                               "b",
                               5));
  link.peer.receive(link.door.send(flood));
  CHECK(link.peer.goaway());
  CHECK(link.door.finished());
}

TEST_CASE("a head that does not come to its end closes the connection after the header time",
          "[http2]") {
  Http2Link link;
  const std::string head = frame(FrameType::headers, 0, 1, "\x83\x86\x84\x41\x01t");
  SECTION("no CONTINUATION follows") { link.door.send(head); }
  SECTION("the frame itself is cut off") {
    link.door.send(std::string_view(head).substr(0, head.size() - 2));
  }
  link.door.pass(milliseconds(9900));
  CHECK_FALSE(link.door.finished());
  link.door.pass(milliseconds(200));
  CHECK(link.door.finished());
  CHECK(link.ended("timeout") == 1);
}

TEST_CASE("a head that was refused does not close the connection later", "[http2]") {
  Http2Link link;
  // Field names in upper case are an error of the stream alone.
  link.door.send(
      frame(FrameType::headers, 4 | 1, 1, std::string("\x83\x86\x84\x41\x01t\x40\x01X\x01y", 11)));
  link.door.pass(seconds(11));
  CHECK_FALSE(link.door.finished());
}

TEST_CASE("heads that are large only once unpacked are charged to the ledger", "[http2]") {
  ServerOptions options;
  Http2Link link(options, {}, 100'000);
  // Each is some 20 bytes on the wire after the first: the table holds the rest.
  const Http2Peer::Fields large = {{"a", std::string(1900, 'a')}, {"b", std::string(1900, 'b')}};
  Http2Peer::Fields fields = Http2Peer::grpc_fields(NetSession::method);
  for (int turn = 0; turn < 4; ++turn) fields.insert(fields.end(), large.begin(), large.end());
  std::vector<std::int32_t> streams;
  for (int turn = 0; turn < 20; ++turn) streams.push_back(link.peer.begin(fields, true));
  link.exchange();
  CHECK(link.door.ledger.used() > 80'000);
  CHECK_FALSE(link.peer.reply(streams.front()).ended);
  CHECK(grpc_status(link.peer.reply(streams.back())) == "14");
  for (const std::int32_t stream : streams) link.peer.reset(stream, cancel);
  link.exchange();
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("bytes that are not HTTP/2 after its preface end the connection", "[http2]") {
  Http2Link link;
  link.peer.receive(link.door.send(std::string(100, '\xff')));
  CHECK(link.peer.goaway());
  CHECK(link.door.finished());
}

TEST_CASE("a client whose window stays shut loses the stream, not the door", "[http2]") {
  Http2Link link({}, {}, 128 << 20, 0);
  const std::int32_t stream = link.peer.grpc(NetSession::method, "x");
  link.exchange();
  CHECK_FALSE(link.peer.reply(stream).ended);
  link.pass(seconds(29));
  CHECK_FALSE(link.peer.reply(stream).reset);
  link.pass(seconds(2));
  CHECK(link.peer.reply(stream).reset == cancel);
}

TEST_CASE("draining lets requests end that crossed it, then says the last stream", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  const std::int32_t before = link.peer.grpc(NetSession::method, "x");
  link.exchange();
  link.door.session().drain();
  const std::int32_t crossing = link.peer.grpc(NetSession::method, "y");
  const std::string crossed = link.peer.output();
  link.peer.receive(link.door.output());
  CHECK(link.peer.goaway() == no_error);
  CHECK(link.peer.goaway_last_stream() == 0x7fffffff);
  CHECK(link.peer.pings() == 1);
  link.door.send(crossed);
  link.exchange();
  CHECK(link.peer.goaway_last_stream() == crossing);
  CHECK_FALSE(link.door.finished());
  link.door.service.held.clear();
  link.exchange();
  CHECK(grpc_status(link.peer.reply(before)) == "14");
  CHECK(link.peer.reply(crossing).ended);
  CHECK(link.door.finished());
}

TEST_CASE("a peer that does not answer the drain's ping is not waited for", "[http2]") {
  Http2Link link;
  link.door.session().drain();
  link.door.pass(seconds(2));
  CHECK(link.door.finished());
}

TEST_CASE("idle connections are drained", "[http2]") {
  ServerOptions options;
  options.idle_timeout = seconds(30);
  Http2Link link(options);
  link.door.service.hold = true;
  link.grpc("x");
  link.pass(seconds(60));
  CHECK_FALSE(link.peer.goaway());
  link.door.service.held.clear();
  link.exchange();
  link.pass(seconds(29));
  CHECK_FALSE(link.peer.goaway());
  link.pass(seconds(3));
  CHECK(link.peer.goaway() == no_error);
  CHECK(link.door.finished());
}

TEST_CASE("connections have a greatest age, and then a grace", "[http2]") {
  ServerOptions options;
  options.connection_age_max = seconds(100);
  options.connection_age_grace = seconds(5);
  options.idle_timeout = {};
  Http2Link link(options);
  link.door.service.hold = true;
  link.grpc("x");
  link.pass(seconds(99));
  CHECK_FALSE(link.peer.goaway());
  link.pass(seconds(2));
  CHECK(link.peer.goaway() == no_error);
  CHECK_FALSE(link.door.finished());
  link.pass(seconds(5));
  CHECK(link.door.finished());
}

TEST_CASE("a silent peer is pinged, and given up when it does not answer", "[http2]") {
  ServerOptions options;
  options.keepalive_time = seconds(20);
  options.keepalive_timeout = seconds(5);
  options.idle_timeout = {};
  Http2Link link(options);
  SECTION("it answers") {
    for (int turn = 0; turn < 5; ++turn) link.pass(seconds(20));
    CHECK(link.peer.pings() >= 4);
    CHECK_FALSE(link.door.finished());
  }
  SECTION("it does not") {
    link.door.pass(seconds(24));
    CHECK_FALSE(link.door.finished());
    link.door.pass(seconds(2));
    CHECK(link.door.finished());
    CHECK(link.ended("timeout") == 1);
  }
}

TEST_CASE("streams whose body dribbles in are timed out", "[http2]") {
  Http2Link link;
  const std::int32_t stream = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
  link.exchange();
  link.pass(milliseconds(10'900));
  CHECK_FALSE(link.peer.reply(stream).ended);
  link.pass(milliseconds(200));
  CHECK(grpc_status(link.peer.reply(stream)) == "1");
  CHECK_FALSE(link.door.finished());
  CHECK(link.door.service.errors == std::vector<TransportError>{TransportError::timeout});
}

TEST_CASE("a connection that says nothing, or half a preface, is closed after the header time",
          "[http2]") {
  for (const std::string_view start : {"", "PRI * HTTP/2.0\r\n"}) {
    NetSession door;
    if (!start.empty()) CHECK(door.send(start).empty());
    door.pass(milliseconds(9900));
    CHECK_FALSE(door.finished());
    door.pass(milliseconds(200));
    CHECK(door.finished());
  }
}

}  // namespace sluice::net
