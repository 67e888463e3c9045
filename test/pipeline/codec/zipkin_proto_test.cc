// The protobuf form against libprotobuf: the same random spans, written by it and read by us, and
// the other way round.
#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "pipeline/codec/zipkin/address.h"
#include "pipeline/codec/zipkin/write.h"
#include "test/support/otlp_builder.h"
#include "test/support/random_zipkin.h"
#include "test/support/zipkin_translation.h"
#include "zipkin.pb.h"

namespace sluice::test {
namespace {

namespace pb = ::zipkin::proto3;

std::string unhex(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

std::string address_bytes(const std::string& text) {
  std::array<char, 16> bytes{};
  return {bytes.data(), sluice::zipkin::address_bytes(sluice::zipkin::parse_address(text), bytes)};
}

void fill(const Json& json, pb::Endpoint& out) {
  out.set_service_name(json.value("serviceName", ""));
  if (json.contains("ipv4")) out.set_ipv4(address_bytes(json["ipv4"]));
  if (json.contains("ipv6")) out.set_ipv6(address_bytes(json["ipv6"]));
  out.set_port(json.value("port", 0));
}

pb::Span message_of(const Json& json) {
  pb::Span out;
  out.set_trace_id(unhex(json["traceId"]));
  out.set_id(unhex(json["id"]));
  if (json.contains("parentId")) out.set_parent_id(unhex(json["parentId"]));
  pb::Span::Kind kind = pb::Span::SPAN_KIND_UNSPECIFIED;
  (void)pb::Span::Kind_Parse(json.value("kind", "SPAN_KIND_UNSPECIFIED"), &kind);
  out.set_kind(kind);
  out.set_name(json.value("name", ""));
  out.set_timestamp(json.value("timestamp", std::uint64_t{0}));
  out.set_duration(json.value("duration", std::uint64_t{0}));
  if (json.contains("localEndpoint")) fill(json["localEndpoint"], *out.mutable_local_endpoint());
  if (json.contains("remoteEndpoint")) fill(json["remoteEndpoint"], *out.mutable_remote_endpoint());
  for (const Json& each : json.value("annotations", Json::array())) {
    pb::Annotation& annotation = *out.add_annotations();
    annotation.set_timestamp(each["timestamp"]);
    annotation.set_value(each["value"]);
  }
  const Json tags = json.value("tags", Json::object());
  for (const auto& [key, value] : tags.items()) (*out.mutable_tags())[key] = value;
  out.set_debug(json.value("debug", false));
  out.set_shared(json.value("shared", false));
  return out;
}

std::string sorted_text(const google::protobuf::Message& message) { return message.DebugString(); }

Translation from_proto(const std::string& bytes) {
  return translate(sluice::zipkin::read_v2_proto, bytes);
}

}  // namespace

TEST_CASE("protobuf and JSON of one span become the same OTLP", "[zipkin]") {
  RandomZipkin random(7);
  for (int i = 0; i < 600; ++i) {
    const Json span = random.span();
    pb::ListOfSpans list;
    *list.add_spans() = message_of(span);
    INFO(span.dump());
    const Translation proto = from_proto(list.SerializeAsString());
    const Translation json = from_v2(Json::array({span}).dump());
    REQUIRE(proto.only().resource == json.only().resource);
    REQUIRE(proto.only().span == json.only().span);
    REQUIRE(proto.only().attributes == json.only().attributes);
  }
}

TEST_CASE("what is written as protobuf is what libprotobuf would write", "[zipkin]") {
  RandomZipkin random(8);
  for (int i = 0; i < 600; ++i) {
    const Json span = random.span();
    const Translation read = from_v2(Json::array({span}).dump());
    ParseReport parsed;
    const auto batch = SpanBatch::parse(Buffer::copy_of(read.bytes), parsed);
    const sluice::zipkin::Written written = sluice::zipkin::write_proto(*batch, {});
    pb::ListOfSpans list;
    REQUIRE(list.ParseFromString(std::string(written.bytes.bytes())));
    REQUIRE(list.spans_size() == 1);
    INFO(span.dump());
    REQUIRE(sorted_text(list.spans(0)) == sorted_text(message_of(span)));
  }
}

TEST_CASE("kinds have Zipkin's numbers, unknown ones are none", "[zipkin]") {
  const auto kind = [](std::uint64_t number) {
    return from_proto(length_field(1, length_field(1, make_id(1, 8)) +
                                          length_field(3, make_id(1, 8)) + varint_field(4, number)))
        .only()
        .span.value("kind", 0);
  };
  CHECK(kind(0) == 0);
  CHECK(kind(1) == 3);
  CHECK(kind(2) == 2);
  CHECK(kind(3) == 4);
  CHECK(kind(4) == 5);
  CHECK(kind(5) == 0);
  CHECK(kind(UINT64_MAX) == 0);
}

TEST_CASE("ids of protobuf spans have 8 bytes, those of traces 8 or 16", "[zipkin]") {
  const auto taken = [](std::size_t trace, std::size_t id, std::size_t parent) {
    const Translation translated = from_proto(length_field(
        1, length_field(1, std::string(trace, 'a')) + length_field(3, std::string(id, 'b')) +
               length_field(2, std::string(parent, 'c'))));
    REQUIRE(translated.read);
    return translated.report.spans_taken == 1;
  };
  CHECK(taken(16, 8, 8));
  CHECK(taken(8, 8, 0));
  CHECK_FALSE(taken(15, 8, 0));
  CHECK_FALSE(taken(17, 8, 0));
  CHECK_FALSE(taken(0, 8, 0));
  CHECK_FALSE(taken(16, 7, 0));
  CHECK_FALSE(taken(16, 16, 0));
  CHECK_FALSE(taken(16, 8, 4));
}

TEST_CASE("protobuf that is malformed anywhere inside refuses the request", "[zipkin]") {
  const std::string ids = length_field(1, make_id(1, 8)) + length_field(3, make_id(1, 8));
  for (const std::string& bad :
       {length_field(8, "\x0a\x05x"), length_field(9, "\x0a"), length_field(10, "\x0b"),
        length_field(11, "\x12\x7f"), std::string("\x08")}) {
    const Translation translated = from_proto(length_field(1, ids) + length_field(1, ids + bad));
    CHECK_FALSE(translated.read);
    CHECK(translated.report.error.starts_with("at byte "));
    CHECK(translated.bytes.empty());
  }
  RandomZipkin random(9);
  pb::ListOfSpans list;
  *list.add_spans() = message_of(random.span());
  const std::string whole = list.SerializeAsString();
  for (std::size_t size = 1; size < whole.size(); ++size)
    REQUIRE_FALSE(from_proto(whole.substr(0, size)).read);
}

}  // namespace sluice::test
