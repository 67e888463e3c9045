// Zipkin v2 JSON: an array of spans, read in one pass. The members of a span come in any order.

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "pipeline/codec/zipkin/json_values.h"
#include "pipeline/codec/zipkin/known_keys.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/span_builder.h"

namespace sluice::zipkin {
namespace {

class Reader {
 public:
  Reader(std::string_view json, const ReadOptions& options, SpanWriter& out, ReadReport& report)
      : text_(json),
        in_(json),
        builder_(out, json, json.size() / 2, SpanBuilder::Version::v2, options, report) {}

  bool read();
  const std::string& error() const { return in_.error(); }

 private:
  bool span();
  void forget_texts();
  bool usual_members(SpanHead& head);
  template <typename Value>
  bool unless_null(Value value);
  bool local_endpoint(SpanHead& head);
  bool member(std::string_view key, SpanHead& head);
  bool kind(SpanKind& out);
  bool time(std::uint64_t& out);
  bool tags();
  bool usual_tag();
  bool tag();
  bool annotations();
  bool annotation();

  struct Sender {
    std::string_view text;  ///< empty: forgotten
    KnownLocal known;
    bool is(std::string_view next) const { return !text.empty() && next.starts_with(text); }
  };
  static constexpr std::size_t senders_max = 64;
  std::vector<Sender> senders_;
  std::array<std::uint8_t, KnownKeys::places> sender_at_{};  ///< by the name's place; 1: the first
  KnownKeys keys_;
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
  if (builder_.overflown()) return in_.fail(allowance_exceeded);
  if (builder_.discarded()) forget_texts();
  return true;
}

/// What is known from earlier spans lies in a part of the request that has been let go of.
void Reader::forget_texts() {
  keys_ = KnownKeys();
  for (Sender& each : senders_) each.text = {};
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
         unless_null([&] { return local_endpoint(head); });
}

/// Senders have few endpoints of their own: the last ones are known by their text.
bool Reader::local_endpoint(SpanHead& head) {
  constexpr std::size_t prefix = 16;  // {"serviceName":"
  in_.peek();
  const char* const start = in_.at();
  const std::string_view rest(start, static_cast<std::size_t>(in_.end() - start));
  const char* const name = start + std::min(prefix, rest.size());
  const char* const stop = json::find_string_stop(name, in_.end());
  std::uint8_t& number =
      sender_at_[KnownKeys::place_of({name, static_cast<std::size_t>(stop - name)})];
  if (number != 0 && senders_[number - 1].is(rest)) {
    Sender& sender = senders_[number - 1];
    head.local = sender.known.endpoint;
    head.known_local = &sender.known;
    in_.seek(start + sender.text.size());
    return true;
  }
  if (!read_endpoint(in_, head.local)) return false;
  if (number == 0 && senders_.size() < senders_max) {
    senders_.emplace_back();
    number = static_cast<std::uint8_t>(senders_.size());
  }
  head.known_local = nullptr;
  if (number == 0) return true;
  Sender& sender = senders_[number - 1];
  sender.text = {start, static_cast<std::size_t>(in_.at() - start)};
  sender.known = KnownLocal();
  sender.known.endpoint = head.local;
  head.known_local = &sender.known;
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
      if (is("localEndpoint")) return local_endpoint(head);
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
  if (in_.take("\"CLIENT\"")) {
    out = SpanKind::client;
    return true;
  }
  if (in_.take("\"SERVER\"")) {
    out = SpanKind::server;
    return true;
  }
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
  keys_.begin();
  for (;;) {
    while (usual_tag()) {
    }
    if (!tag()) return in_.ok();
  }
}

/// A tag with a key that other spans had and a short text without escapes; false: nothing was read.
bool Reader::usual_tag() {
  constexpr std::ptrdiff_t block = 16;
  const char* const at = in_.next_member();
  if (at == nullptr || in_.end() - at < static_cast<std::ptrdiff_t>(KnownKeys::margin))
    return false;
  const KnownKeys::Known* const known = keys_.find(at, in_.end());
  if (known == nullptr) return false;
  const char* const value = at + known->size;
  const char* const stop = json::find_string_stop(value, in_.end());
  if (in_.end() - stop < block || *stop != '"') return false;
  if (!builder_.short_tag(*known, {value, static_cast<std::size_t>(stop - value)})) return false;
  in_.seek_member(stop + 1);
  return true;
}

/// Any tag; false at the end and after a mistake.
bool Reader::tag() {
  Text key;
  Text value;
  if (!next_text_key(in_, key)) return false;
  const bool is_text = in_.peek() == '"';
  const char* const start = key.data - 1;
  if (is_text && builder_.is_plain(key))
    keys_.add({start, static_cast<std::size_t>(in_.at() + 1 - start)}, key.raw());
  if (!read_tag_value(in_, value)) return false;
  builder_.tag(key, value);
  if (builder_.discarded()) [[unlikely]]
    forget_texts();
  return true;
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
