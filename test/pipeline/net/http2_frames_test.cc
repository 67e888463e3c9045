#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/net/hpack.h"
#include "test/support/http2_frames.h"
#include "test/support/http2_link.h"

namespace sluice::net {
namespace {

using http2::ErrorCode;
using http2::FrameType;
using test::frame;
using test::Frame;
using test::frames_of;
using test::grpc_status;
using test::grpc_text;
using test::Http2Link;
using test::Http2Peer;
using test::NetSession;
namespace flag = http2::flag;

constexpr std::uint8_t whole = flag::end_headers | flag::end_stream;

/// A head: POST, http, "/v1/traces", authority "t"; and what follows.
std::string head(std::string_view more = {}) {
  return std::string("\x83\x86\x04\x0a/v1/traces\x01\x01t") + std::string(more);
}
std::string field(std::string_view name, std::string_view value) {
  std::string out;
  hpack::append(out, name, value);
  return out;
}

/// A door whose handshake is done, and what came of the bytes it was then sent.
struct Raw {
  Raw() {
    door.send(http2::preface);
    door.send(frame(FrameType::settings, 0, 0));
  }
  std::optional<ErrorCode> code_of(FrameType type, std::string_view bytes) {
    for (const Frame& one : frames_of(bytes)) {
      if (one.header.type != type) continue;
      const std::size_t at = type == FrameType::goaway ? 4 : 0;
      return static_cast<ErrorCode>(http2::read_number(one.payload.data() + at, 4));
    }
    return std::nullopt;
  }
  /// The code of the connection error that the bytes are.
  std::optional<ErrorCode> goaway(std::string_view bytes) {
    return code_of(FrameType::goaway, door.send(bytes));
  }
  std::optional<ErrorCode> reset(std::string_view bytes) {
    return code_of(FrameType::rst_stream, door.send(bytes));
  }
  NetSession door;
};

std::optional<ErrorCode> goaway(std::string_view bytes) { return Raw().goaway(bytes); }
std::optional<ErrorCode> reset_by_head(std::string_view block) {
  return Raw().reset(frame(FrameType::headers, whole, 1, block));
}

}  // namespace

TEST_CASE("frames against the protocol end the connection, with the code that RFC 9113 has",
          "[http2]") {
  const std::string request = frame(FrameType::headers, flag::end_headers, 1, head());
  const auto protocol = ErrorCode::protocol_error;
  const auto size = ErrorCode::frame_size_error;
  CHECK(goaway(frame(FrameType::data, 0, 0, "x")) == protocol);
  CHECK(goaway(frame(FrameType::data, 0, 1, "x")) == protocol);  // idle
  CHECK(goaway(frame(FrameType::headers, whole, 0, head())) == protocol);
  CHECK(goaway(frame(FrameType::headers, whole, 2, head())) == protocol);
  CHECK(goaway(frame(FrameType::headers, whole, 1, "\x80")) == ErrorCode::compression_error);
  CHECK(goaway(frame(FrameType::headers, whole, 1, head().substr(0, 5))) ==
        ErrorCode::compression_error);
  CHECK(goaway(frame(FrameType::headers, 0, 1, head()) +
               frame(FrameType::ping, 0, 0, "12345678")) == protocol);
  CHECK(goaway(frame(FrameType::headers, 0, 1, head()) +
               frame(FrameType::continuation, flag::end_headers, 3)) == protocol);
  CHECK(goaway(frame(FrameType::continuation, flag::end_headers, 1)) == protocol);
  CHECK(goaway(frame(FrameType::headers, whole, 1, head()) +
               frame(FrameType::push_promise, flag::end_headers, 1, head())) == protocol);
  CHECK(goaway(frame(FrameType::rst_stream, 0, 0, "1234")) == protocol);
  CHECK(goaway(frame(FrameType::rst_stream, 0, 1, "1234")) == protocol);  // idle
  CHECK(goaway(request + frame(FrameType::rst_stream, 0, 1, "123")) == size);
  CHECK(goaway(frame(FrameType::priority, 0, 0, "12345")) == protocol);
  CHECK(goaway(frame(FrameType::priority, 0, 1, "1234")) == size);
  CHECK(goaway(frame(FrameType::ping, 0, 1, "12345678")) == protocol);
  CHECK(goaway(frame(FrameType::ping, 0, 0, "1234567")) == size);
  CHECK(goaway(frame(FrameType::goaway, 0, 1, "12345678")) == protocol);
  CHECK(goaway(frame(FrameType::goaway, 0, 0, "1234567")) == size);
  CHECK(goaway(frame(FrameType::window_update, 0, 0, "123")) == size);
  CHECK(goaway(frame(FrameType::window_update, 0, 3, std::string_view("\0\0\0\1", 4))) == protocol);
  CHECK(goaway(frame(FrameType::window_update, 0, 0, std::string_view("\0\0\0\0", 4))) == protocol);
  CHECK(goaway(frame(FrameType::window_update, 0, 0, "\x7f\xff\xff\xff")) ==
        ErrorCode::flow_control_error);
  // A header that says more than we said we take.
  CHECK(goaway(std::string("\x04\x00\x01\x00\x00\x00\x00\x00\x01", 9)) == size);
}

TEST_CASE("settings are checked, and acknowledged", "[http2]") {
  const auto setting = [](std::uint32_t id, std::uint32_t value) {
    std::string payload;
    http2::append_number(payload, id, 2);
    http2::append_number(payload, value, 4);
    return frame(FrameType::settings, 0, 0, payload);
  };
  CHECK(goaway(frame(FrameType::settings, 0, 1)) == ErrorCode::protocol_error);
  CHECK(goaway(frame(FrameType::settings, 0, 0, "12345")) == ErrorCode::frame_size_error);
  CHECK(goaway(frame(FrameType::settings, flag::ack, 0, "123456")) == ErrorCode::frame_size_error);
  CHECK(goaway(setting(2, 2)) == ErrorCode::protocol_error);
  CHECK(goaway(setting(4, 0x80000000)) == ErrorCode::flow_control_error);
  CHECK(goaway(setting(5, 16383)) == ErrorCode::protocol_error);
  CHECK(goaway(setting(5, 1 << 24)) == ErrorCode::protocol_error);
  CHECK(goaway(frame(FrameType::settings, 0, 0, std::string(600, '\x7f'))) ==
        ErrorCode::enhance_your_calm);
  Raw raw;
  const std::vector<Frame> answer = frames_of(raw.door.send(setting(4, 0x7fffffff)));
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].header.type == FrameType::settings);
  CHECK(answer[0].header.flags == flag::ack);
  // The first frame is one of settings.
  NetSession door;
  door.send(http2::preface);
  door.send(frame(FrameType::ping, 0, 0, "12345678"));
  CHECK(door.finished());
}

TEST_CASE("a preface that goes wrong ends the connection", "[http2]") {
  NetSession door;
  door.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX");
  CHECK(door.finished());
}

TEST_CASE("a malformed head resets its stream alone", "[http2]") {
  const auto protocol = ErrorCode::protocol_error;
  CHECK_FALSE(reset_by_head(head()));
  CHECK_FALSE(reset_by_head(head(field("te", "trailers"))));
  CHECK_FALSE(reset_by_head(head(field("te", "Trailers"))));
  CHECK(reset_by_head(head("\x40\x01X\x01y")) == protocol);  // upper case
  CHECK(reset_by_head(head(field("a", "b\nc"))) == protocol);
  CHECK(reset_by_head(head(field(":path", "/"))) == protocol);      // twice
  CHECK(reset_by_head(head(field(":status", "200"))) == protocol);  // none of a request
  CHECK(reset_by_head(head(field("a", "b")) + field(":method", "GET")) == protocol);
  CHECK(reset_by_head(field("a", "b") + head()) == protocol);
  CHECK(reset_by_head(head(field("connection", "close"))) == protocol);
  CHECK(reset_by_head(head(field("transfer-encoding", "chunked"))) == protocol);
  CHECK(reset_by_head(head(field("te", "gzip"))) == protocol);
  CHECK(reset_by_head(head(field("content-length", "x"))) == protocol);
  CHECK(reset_by_head(head(field("content-length", "0") + field("content-length", "0"))) ==
        protocol);
  CHECK(reset_by_head(head(field("content-length", "1"))) == protocol);  // and no body
  CHECK(reset_by_head("\x83\x86\x84") == protocol);                      // no authority
  CHECK_FALSE(reset_by_head(std::string("\x83\x86\x84") + field("host", "t")));
  CHECK(reset_by_head("\x83\x84\x01\x01t") == protocol);           // no scheme
  CHECK(reset_by_head("\x83\x86\x01\x01t") == protocol);           // no path
  CHECK(reset_by_head("\x86\x84\x01\x01t") == protocol);           // no method
  CHECK(reset_by_head("\x83\x86\x04\x01x\x01\x01t") == protocol);  // a path without a slash

  Raw raw;
  raw.door.send(frame(FrameType::headers, whole, 1, head("\x40\x01X\x01y")));
  // The table is still in step.
  raw.door.send(frame(FrameType::headers, whole, 3, head(field("a", "b"))));
  CHECK(raw.door.service.seen.size() == 1);
}

TEST_CASE("a body is held against its Content-Length", "[http2]") {
  const std::string request =
      frame(FrameType::headers, flag::end_headers, 1, head(field("content-length", "3")));
  Raw raw;
  SECTION("as said") {
    CHECK_FALSE(raw.reset(request + frame(FrameType::data, 0, 1, "ab") +
                          frame(FrameType::data, flag::end_stream, 1, "c")));
    REQUIRE(raw.door.service.seen.size() == 1);
    CHECK(raw.door.service.seen[0].body == "abc");
  }
  SECTION("more") {
    CHECK(raw.reset(request + frame(FrameType::data, 0, 1, "abcd")) == ErrorCode::protocol_error);
    CHECK(raw.door.ledger.used() == 0);
  }
  SECTION("less") {
    CHECK(raw.reset(request + frame(FrameType::data, flag::end_stream, 1, "ab")) ==
          ErrorCode::protocol_error);
  }
}

TEST_CASE("padding and priorities are stepped over, in pieces of any size", "[http2]") {
  const std::string request =
      frame(FrameType::headers, flag::end_headers | flag::padded | flag::priority, 1,
            std::string("\x03\x00\x00\x00\x00\x10", 6) + head() + "ppp") +
      frame(FrameType::data, flag::padded, 1, std::string("\x05hello.....")) +
      frame(FrameType::data, flag::padded, 1, std::string("\x02..")) +
      frame(static_cast<FrameType>(77), 0xff, 1, "of a kind that nobody knows") +
      frame(FrameType::data, flag::padded | flag::end_stream, 1, std::string("\0, all", 6));
  for (const std::size_t size : {1UL, 2UL, 5UL, 1000UL}) {
    Raw raw;
    raw.door.send_in_pieces(request, size);
    CAPTURE(size);
    REQUIRE(raw.door.service.seen.size() == 1);
    CHECK(raw.door.service.seen[0].body == "hello, all");
  }
  const std::string start = frame(FrameType::headers, flag::end_headers, 1, head());
  CHECK(goaway(start + frame(FrameType::data, flag::padded, 1, "\x05hell")) ==
        ErrorCode::protocol_error);
  CHECK(goaway(start + frame(FrameType::data, flag::padded, 1)) == ErrorCode::frame_size_error);
}

TEST_CASE("a head may go on in CONTINUATIONs, cut inside a field", "[http2]") {
  const std::string block = head(field("a", std::string(300, 'b')));
  Raw raw;
  raw.door.send(frame(FrameType::headers, flag::end_stream, 1, block.substr(0, 30)) +
                frame(FrameType::continuation, 0, 1, block.substr(30, 100)) +
                frame(FrameType::continuation, flag::end_headers, 1, block.substr(130)));
  CHECK(raw.door.service.seen.size() == 1);
}

TEST_CASE("trailers end a request; others of a second head are errors", "[http2]") {
  const std::string start = frame(FrameType::headers, flag::end_headers, 1, head()) +
                            frame(FrameType::data, 0, 1, "body");
  Raw raw;
  SECTION("as they should be") {
    CHECK_FALSE(raw.reset(start + frame(FrameType::headers, whole, 1, field("checksum", "1"))));
    REQUIRE(raw.door.service.seen.size() == 1);
    CHECK(raw.door.service.seen[0].body == "body");
  }
  SECTION("that do not end it") {
    CHECK(raw.reset(start + frame(FrameType::headers, flag::end_headers, 1, field("a", "1"))) ==
          ErrorCode::protocol_error);
  }
  SECTION("with a pseudo-header field") {
    CHECK(raw.reset(start + frame(FrameType::headers, whole, 1, field(":path", "/"))) ==
          ErrorCode::protocol_error);
  }
  SECTION("behind the end") {
    raw.door.service.hold = true;
    raw.door.send(start + frame(FrameType::data, flag::end_stream, 1));
    CHECK(raw.goaway(frame(FrameType::headers, whole, 1, field("a", "1"))) ==
          ErrorCode::stream_closed);
  }
}

TEST_CASE("DATA behind the end of a stream resets it", "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  const std::string request = frame(FrameType::headers, whole, 1, head());
  CHECK(raw.reset(request + frame(FrameType::data, 0, 1, "x")) == ErrorCode::stream_closed);
  // To one that is forgotten it is nothing: it may have crossed our last word.
  CHECK_FALSE(raw.reset(frame(FrameType::data, 0, 1, "x")));
  CHECK_FALSE(raw.door.finished());
}

TEST_CASE("streams over the limit are refused, and may come again", "[http2]") {
  ServerOptions options;
  options.streams_max = 1;
  NetSession door(options);
  door.service.hold = true;
  door.send(http2::preface);
  door.send(frame(FrameType::settings, 0, 0) + frame(FrameType::headers, whole, 1, head()));
  const std::string out = door.send(frame(FrameType::headers, whole, 3, head(field("a", "b"))));
  REQUIRE(frames_of(out).size() == 1);
  CHECK(frames_of(out)[0].payload == std::string_view("\0\0\0\x07", 4));
  door.service.held.clear();
  door.output();
  door.send(frame(FrameType::headers, whole, 5, head()));
  CHECK(door.service.seen.size() == 2);
}

TEST_CASE("an answer flows as the peer's windows let it", "[http2]") {
  const std::string body(300'000, 'b');
  Response answer;
  answer.content_type = "text/plain";
  answer.body = body;
  SECTION("small ones") {
    Http2Link link({}, {}, 128 << 20, 1000);
    link.door.service.answer = answer;
    const std::int32_t stream = link.peer.post(NetSession::path, "x");
    for (int turn = 0; turn < 1000 && !link.peer.reply(stream).ended; ++turn) link.exchange();
    CHECK(link.peer.reply(stream).data == body);
  }
  SECTION("that open after the answer, and shrink below nothing") {
    Raw raw;
    raw.door.service.answer = answer;
    const auto window = [](std::uint32_t size) {
      std::string payload;
      http2::append_number(payload, 4, 2);
      http2::append_number(payload, size, 4);
      return frame(FrameType::settings, 0, 0, payload);
    };
    const auto more = [](std::int32_t stream, std::uint32_t size) {
      std::string payload;
      http2::append_number(payload, size, 4);
      return frame(FrameType::window_update, 0, stream, payload);
    };
    std::size_t received = 0;
    const auto data = [&received](std::string_view out) {
      std::size_t size = 0;
      for (const Frame& one : frames_of(out)) {
        if (one.header.type != FrameType::data) continue;
        CHECK(one.payload.size() <= http2::default_frame_size_max);
        size += one.payload.size();
      }
      received += size;
      return size;
    };
    CHECK(data(raw.door.send(frame(FrameType::headers, whole, 1, head()))) == 65'535);
    CHECK(data(raw.door.send(more(1, 100'000))) == 0);  // that of the connection is shut
    CHECK(data(raw.door.send(more(0, 50'000))) == 50'000);
    CHECK(data(raw.door.send(window(0))) == 0);  // 15,535 less than nothing
    CHECK(data(raw.door.send(more(0, 1'000'000))) == 0);
    CHECK(data(raw.door.send(more(1, 15'535))) == 0);
    CHECK(data(raw.door.send(more(1, 1))) == 1);
    CHECK(data(raw.door.send(window(1'000'000))) == body.size() - 65'535 - 50'000 - 1);
    CHECK(received == body.size());
  }
}

TEST_CASE("a peer that wants a smaller table is told that ours is empty, once", "[http2]") {
  Raw raw;
  const auto table = [](std::uint32_t size) {
    std::string payload;
    http2::append_number(payload, 1, 2);
    http2::append_number(payload, size, 4);
    return frame(FrameType::settings, 0, 0, payload);
  };
  const auto first_of_block = [&raw](std::int32_t stream) {
    for (const Frame& one :
         frames_of(raw.door.send(frame(FrameType::headers, whole, stream, head()))))
      if (one.header.type == FrameType::headers) return one.payload.at(0);
    return char{};
  };
  CHECK(first_of_block(1) == '\x88');
  raw.door.send(table(100'000));
  CHECK(first_of_block(3) == '\x88');
  raw.door.send(table(100));
  CHECK(first_of_block(5) == hpack::empty_table);
  CHECK(first_of_block(7) == '\x88');
  raw.door.send(table(0));
  CHECK(first_of_block(9) == '\x88');
}

TEST_CASE("resets that a peer provokes while its request is served are rationed", "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  std::int32_t stream = 1;
  std::string provocation;
  SECTION("by a WINDOW_UPDATE of nothing") { provocation = "window"; }
  SECTION("by DATA behind the end") { provocation = "data"; }
  const std::string_view no_increment("\0\0\0\0", 4);
  for (; stream < 10'000 && !raw.door.finished(); stream += 2) {
    raw.door.send(frame(FrameType::headers, whole, stream, head()) +
                  (provocation == "data"
                       ? frame(FrameType::data, flag::end_stream, stream)
                       : frame(FrameType::window_update, 0, stream, no_increment)));
  }
  CHECK(raw.door.finished());
  CHECK(raw.door.service.held.size() <= 102);
  CHECK(raw.door.service.seen.size() == raw.door.service.held.size());
}

TEST_CASE("a frame of ours stays small, however large the peer takes them", "[http2]") {
  Raw raw;
  Response answer;
  answer.body = std::string(4 << 20, 'b');
  raw.door.service.answer = answer;
  std::string settings;
  for (const auto& [id, value] : {std::pair{5, (1 << 24) - 1}, std::pair{4, 0x7fffffff}}) {
    http2::append_number(settings, static_cast<std::uint32_t>(id), 2);
    http2::append_number(settings, static_cast<std::uint32_t>(value), 4);
  }
  raw.door.send(frame(FrameType::settings, 0, 0, settings) +
                frame(FrameType::window_update, 0, 0, std::string_view("\0\x7f\0\0", 4)));
  raw.door.session().receive(frame(FrameType::headers, whole, 1, head()));
  std::string out;
  raw.door.session().produce(out);
  CHECK(out.size() < 512 * 1024);
  std::size_t size = 0;
  for (const Frame& one : frames_of(out + raw.door.output()))
    size += one.header.type == FrameType::data ? one.payload.size() : 0;
  CHECK(size == answer.body.size());
}

TEST_CASE("what was served is answered although the connection ends in the same read", "[http2]") {
  Raw raw;
  const std::string out = raw.door.send(frame(FrameType::headers, whole, 1, head()) +
                                        frame(FrameType::rst_stream, 0, 0, "1234"));
  CHECK(raw.door.service.seen.size() == 1);
  int answers = 0;
  for (const Frame& one : frames_of(out)) answers += one.header.type == FrameType::headers;
  CHECK(answers == 1);
  CHECK(raw.door.finished());
}

TEST_CASE("blanks around a value are stripped", "[http2]") {
  RouteOptions route;
  route.include_metadata = true;
  NetSession door({}, route);
  door.send(http2::preface);
  door.send(frame(FrameType::settings, 0, 0) +
            frame(FrameType::headers, whole, 1, head(field("api-key", " secret\t "))));
  REQUIRE(door.service.seen.size() == 1);
  const auto& metadata = door.service.seen[0].context->metadata;
  CHECK(std::ranges::count(metadata, std::pair<std::string, std::string>("api-key", "secret")) ==
        1);
}

TEST_CASE("a window that is raised over its limit resets the stream", "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  raw.door.send(frame(FrameType::headers, whole, 1, head()));
  CHECK(raw.reset(frame(FrameType::window_update, 0, 1, "\x7f\xff\xff\xff")) ==
        ErrorCode::flow_control_error);
  CHECK_FALSE(raw.door.finished());
}

TEST_CASE("a head of an answer that is larger than a frame goes in several", "[http2]") {
  Http2Link link;
  Response response;
  response.grpc = GrpcCode::invalid_argument;
  response.message = std::string(40'000, 'm');
  link.door.service.answer = response;
  const Http2Peer::Reply& reply = link.grpc("x");
  CHECK(grpc_status(reply) == "3");
  CHECK(grpc_text(reply) == response.message);
}

TEST_CASE("a client that closes its sending side still gets its answers over HTTP/2", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  const std::int32_t whole_one = link.peer.grpc(NetSession::method, "x");
  const std::int32_t begun = link.peer.begin(Http2Peer::grpc_fields(NetSession::method), true);
  link.exchange();
  link.door.session().receive_end();
  CHECK_FALSE(link.door.session().wants_input());
  CHECK_FALSE(link.door.finished());
  link.door.service.held.clear();
  link.peer.receive(link.door.output());
  CHECK(link.peer.reply(whole_one).ended);
  CHECK_FALSE(link.peer.reply(begun).ended);
  CHECK(link.door.finished());
  CHECK(link.door.ledger.used() == 0);
}

TEST_CASE("what was refused is answered to a client that has closed its sending side", "[http2]") {
  Raw raw;
  raw.door.service.refusal.emplace().status = 403;
  raw.door.session().receive(frame(FrameType::headers, flag::end_headers, 1, head()));
  raw.door.session().receive_end();
  const std::vector<Frame> out = frames_of(raw.door.output());
  REQUIRE_FALSE(out.empty());
  CHECK(out[0].header.type == FrameType::headers);
  CHECK(raw.door.finished());
}

TEST_CASE("a head that the end of input cuts off does not cost the answers", "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  raw.door.send(frame(FrameType::headers, whole, 1, head()) +
                frame(FrameType::headers, 0, 3, head()));
  raw.door.session().receive_end();
  raw.door.pass(std::chrono::seconds(20));
  CHECK_FALSE(raw.door.finished());
  raw.door.service.held.clear();
  CHECK_FALSE(raw.door.output().empty());
  CHECK(raw.door.finished());
}

TEST_CASE("a reply that is overwritten answers as one that is dropped", "[http2]") {
  Http2Link link;
  link.door.service.hold = true;
  const std::int32_t first = link.peer.grpc(NetSession::method, "x");
  const std::int32_t second = link.peer.grpc(NetSession::method, "y");
  link.exchange();
  REQUIRE(link.door.service.held.size() == 2);
  link.door.service.held.front() = std::move(link.door.service.held.back());
  link.exchange();
  CHECK(grpc_status(link.peer.reply(first)) == "14");
  CHECK_FALSE(link.peer.reply(second).ended);
}

TEST_CASE("a peer that says GOAWAY is answered what it asked, then the connection ends",
          "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  raw.door.send(frame(FrameType::headers, whole, 1, head()) +
                frame(FrameType::goaway, 0, 0, std::string(8, '\0') + "bye"));
  CHECK_FALSE(raw.door.finished());
  raw.door.service.held.clear();
  CHECK_FALSE(raw.door.output().empty());
  CHECK(raw.door.finished());
}

TEST_CASE("requests behind the last stream of a GOAWAY are passed over", "[http2]") {
  Raw raw;
  raw.door.service.hold = true;
  raw.door.send(frame(FrameType::headers, whole, 1, head()));
  raw.door.session().drain();
  raw.door.send(frame(FrameType::ping, flag::ack, 0, "12345678"));
  const std::string late = frame(FrameType::headers, flag::end_headers, 3, head()) +
                           frame(FrameType::data, flag::end_stream, 3, "late") +
                           frame(FrameType::rst_stream, 0, 3, std::string_view("\0\0\0\x08", 4));
  CHECK(raw.door.send(late).empty());
  CHECK_FALSE(raw.door.finished());
  CHECK(raw.door.service.seen.size() == 1);
}

}  // namespace sluice::net
