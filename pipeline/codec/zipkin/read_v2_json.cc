// Zipkin v2 JSON: an array of spans, read in one pass. The members of a span come in any order.

#include <array>
#include <cstring>

#include "pipeline/codec/zipkin/json_values.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/span_builder.h"

namespace sluice::zipkin {
namespace {

class Reader {
 public:
  Reader(std::string_view json, const ReadOptions& options, SpanWriter& out, ReadReport& report)
      : text_(json),
        in_(json),
        builder_(out, json.size() / 2, SpanBuilder::Version::v2, options, report) {}

  bool read();
  const std::string& error() const { return in_.error(); }

 private:
  bool span();
  bool usual_members(SpanHead& head);
  template <typename Value>
  bool unless_null(Value value);
  bool endpoint(Endpoint& out);
  bool member(std::string_view key, SpanHead& head);
  bool kind(SpanKind& out);
  bool time(std::uint64_t& out);
  bool tags();
  bool annotations();
  bool annotation();

  struct Known {
    std::string_view text;
    Endpoint endpoint;
  };
  std::array<Known, 32> known_;
  std::string_view text_;
  json::Scanner in_;
  SpanBuilder builder_;
};

bool Reader::read() {
  if (in_.peek() == 0 && in_.at() == in_.end()) return true;
  if (!in_.open_array()) return false;
  while (in_.next_element()) {
    if (!span()) return false;
  }
  if (!in_.ok() || !in_.at_end()) return false;
  builder_.finish();
  return true;
}

bool Reader::span() {
  in_.peek();
  const auto position = static_cast<std::size_t>(in_.at() - text_.data());
  SpanHead& head = builder_.begin();
  if (in_.take_first_member("{\"traceId\":")) {
    if (!usual_members(head)) return false;
  } else if (!in_.open_object()) {
    return false;
  }
  std::string_view key;
  while (in_.next_key(key)) {
    if (!unless_null([&] { return member(key, head); })) return false;
  }
  if (!in_.ok()) return false;
  builder_.end(position);
  return true;
}

template <typename Value>
bool Reader::unless_null(Value value) {
  return in_.peek() == 'n' ? in_.literal("null") : value();
}

/// The members in the order in which most clients write them, as far as they come in it; behind the
/// first key. Recognised whole, each costs a comparison.
bool Reader::usual_members(SpanHead& head) {
  const auto parent = [&] { return read_id(in_, head.parent_id); };
  if (!unless_null([&] { return read_id(in_, head.trace_id); })) return false;
  if (in_.take_member(",\"parentId\":") && !unless_null(parent)) return false;
  if (in_.take_member(",\"id\":") && !unless_null([&] { return read_id(in_, head.id); }))
    return false;
  if (in_.take_member(",\"parentId\":") && !unless_null(parent)) return false;
  if (in_.take_member(",\"kind\":") && !unless_null([&] { return kind(head.kind); })) return false;
  if (in_.take_member(",\"name\":") && !unless_null([&] { return read_text(in_, head.name); }))
    return false;
  if (in_.take_member(",\"timestamp\":") && !unless_null([&] { return time(head.timestamp); }))
    return false;
  if (in_.take_member(",\"duration\":") && !unless_null([&] { return time(head.duration); }))
    return false;
  return !in_.take_member(",\"localEndpoint\":") ||
         unless_null([&] { return endpoint(head.local); });
}

/// Senders have few endpoints of their own: the last ones are known by their text.
bool Reader::endpoint(Endpoint& out) {
  constexpr std::size_t prefix = 16;  // {"serviceName":"
  in_.peek();
  const char* const start = in_.at();
  const std::string_view rest(start, static_cast<std::size_t>(in_.end() - start));
  std::uint32_t letters = 0;
  if (rest.size() > prefix + 2 * sizeof letters) {
    std::uint32_t more = 0;
    std::memcpy(&letters, start + prefix, sizeof letters);
    std::memcpy(&more, start + prefix + sizeof letters, sizeof more);
    letters = (letters ^ more << 5 ^ more >> 7) * 0x9e3779b1u;
  }
  Known& known = known_[letters >> 27];
  if (!known.text.empty() && rest.starts_with(known.text)) {
    out = known.endpoint;
    in_.seek(start + known.text.size());
    return true;
  }
  if (!read_endpoint(in_, out)) return false;
  known = {{start, static_cast<std::size_t>(in_.at() - start)}, out};
  return true;
}

bool Reader::member(std::string_view key, SpanHead& head) {
  const auto is = [key](std::string_view name) {
    return std::memcmp(key.data(), name.data(), name.size()) == 0;
  };
  switch (key.size()) {
    case 2:
      if (is("id")) return read_id(in_, head.id);
      break;
    case 4:
      if (is("kind")) return kind(head.kind);
      if (is("name")) return read_text(in_, head.name);
      if (is("tags")) return tags();
      break;
    case 5:
      if (is("debug")) return read_boolean(in_, head.debug);
      break;
    case 6:
      if (is("shared")) return read_boolean(in_, head.shared);
      break;
    case 7:
      if (is("traceId")) return read_id(in_, head.trace_id);
      break;
    case 8:
      if (is("parentId")) return read_id(in_, head.parent_id);
      if (is("duration")) return time(head.duration);
      break;
    case 9:
      if (is("timestamp")) return time(head.timestamp);
      break;
    case 11:
      if (is("annotations")) return annotations();
      break;
    case 13:
      if (is("localEndpoint")) return endpoint(head.local);
      break;
    case 14:
      if (is("remoteEndpoint")) return read_endpoint(in_, head.remote);
      break;
    case 17:
      if (is("binaryAnnotations"))
        return in_.fail(
            "\"binaryAnnotations\": this is the v1 format, which goes to /api/v1/spans");
      break;
  }
  return in_.skip();
}

bool Reader::kind(SpanKind& out) {
  in_.peek();
  const char* const start = in_.at();
  Text text;
  if (!read_text(in_, text)) return false;
  const std::string_view word = text.raw();
  if (word == "CLIENT") {
    out = SpanKind::client;
  } else if (word == "SERVER") {
    out = SpanKind::server;
  } else if (word == "PRODUCER") {
    out = SpanKind::producer;
  } else if (word == "CONSUMER") {
    out = SpanKind::consumer;
  } else {
    in_.seek(start);
    return in_.expected("CLIENT, SERVER, PRODUCER or CONSUMER");
  }
  return true;
}

bool Reader::time(std::uint64_t& out) {
  std::int64_t number = 0;
  if (!read_integer(in_, number)) return false;
  out = microseconds(number);
  return true;
}

bool Reader::tags() {
  builder_.forget_tags();
  if (!in_.open_object()) return false;
  Text key;
  Text value;
  while (next_text_key(in_, key)) {
    if (!read_tag_value(in_, value)) return false;
    builder_.tag(key, value);
  }
  return in_.ok();
}

bool Reader::annotations() {
  builder_.forget_annotations();
  if (!in_.open_array()) return false;
  while (in_.next_element()) {
    if (!annotation()) return false;
  }
  return in_.ok();
}

bool Reader::annotation() {
  bool timed = false;
  bool valued = false;
  std::int64_t timestamp = 0;
  Text value;
  in_.peek();
  const char* const start = in_.at();
  const bool read = read_members(in_, [&](std::string_view key) {
    if (key == "timestamp") {
      timed = true;
      return read_integer(in_, timestamp);
    }
    if (key == "value") {
      valued = true;
      return read_text(in_, value);
    }
    return in_.skip();
  });
  if (!read) return false;
  if (!timed || !valued) return in_.fail_at(start, "an annotation without timestamp or value");
  builder_.annotation(microseconds(timestamp), value);
  return true;
}

}  // namespace

bool read_v2_json(std::string_view json, const ReadOptions& options, SpanWriter& out,
                  ReadReport& report) {
  const std::size_t before = out.size();
  Reader reader(json, options, out, report);
  if (reader.read()) return true;
  out.truncate(before);
  report.error = reader.error();
  return false;
}

}  // namespace sluice::zipkin
