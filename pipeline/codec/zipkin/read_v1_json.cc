// Zipkin v1 JSON. What a span becomes is known only when all of its annotations are, so its two
// lists are gone over several times: for their syntax, for what they say, and once for each part.

#include <optional>

#include "pipeline/codec/zipkin/json_values.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/span_builder.h"
#include "pipeline/codec/zipkin/v1_span.h"

namespace sluice::zipkin {
namespace {

/// The lists of one span; a scanner that stands at the list is a bookmark.
class Items {
 public:
  Items(json::Scanner& problems) : problems_(problems) {}
  std::optional<json::Scanner> annotations_at, binary_annotations_at;

  template <typename Visit>
  bool annotations(Visit visit) {
    return list(annotations_at, [&](json::Scanner& in) {
      V1Annotation each;
      if (!read(in, each)) return false;
      visit(each);
      return true;
    });
  }
  template <typename Visit>
  bool binary_annotations(Visit visit) {
    return list(binary_annotations_at, [&](json::Scanner& in) {
      V1BinaryAnnotation each;
      bool counts = false;
      if (!read(in, each, counts)) return false;
      if (counts) visit(each);
      return true;
    });
  }

 private:
  template <typename Element>
  bool list(const std::optional<json::Scanner>& at, Element element) {
    if (!at) return true;
    json::Scanner in = *at;
    bool good = in.open_array();
    while (good && in.next_element()) good = element(in);
    if (in.ok()) return true;
    problems_ = in;
    return false;
  }
  static bool read(json::Scanner& in, V1Annotation& out);
  static bool read(json::Scanner& in, V1BinaryAnnotation& out, bool& counts);

  json::Scanner& problems_;
};

bool Items::read(json::Scanner& in, V1Annotation& out) {
  bool timed = false;
  bool valued = false;
  in.peek();
  const char* const start = in.at();
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "timestamp") {
      std::int64_t number = 0;
      timed = true;
      if (!read_integer(in, number)) return false;
      out.timestamp = microseconds(number);
      return true;
    }
    if (key == "value") {
      valued = true;
      return read_text(in, out.value);
    }
    if (key == "endpoint") return read_endpoint(in, out.host);
    return in.skip();
  });
  if (!read) return false;
  return (timed && valued) || in.fail_at(start, "an annotation without timestamp or value");
}

/// A boolean counts as an address alone; numbers and whatever else a value is do not count.
bool Items::read(json::Scanner& in, V1BinaryAnnotation& out, bool& counts) {
  bool keyed = false;
  in.peek();
  const char* const start = in.at();
  const bool read = read_members(in, [&](std::string_view key) {
    if (key == "key") {
      keyed = true;
      return read_text(in, out.key);
    }
    if (key == "endpoint") return read_endpoint(in, out.host);
    if (key != "value") return in.skip();
    const char first = in.peek();
    if (first == '"') {
      counts = true;
      out.type = V1BinaryAnnotation::Type::text;
      return read_text(in, out.value);
    }
    counts = first == 't';
    if (!counts) return in.skip();
    out.type = V1BinaryAnnotation::Type::boolean;
    out.integer = 1;
    return in.literal("true");
  });
  if (!read) return false;
  if (!keyed) return in.fail_at(start, "a binary annotation without a key");
  if (out.type == V1BinaryAnnotation::Type::boolean) counts = counts && out.is_address();
  return true;
}

class Reader {
 public:
  Reader(std::string_view json, const ReadOptions& options, SpanWriter& out, ReadReport& report)
      : text_(json),
        in_(json),
        builder_(out, json, json.size() / 3, SpanBuilder::Version::v1, options, report) {}

  bool read();
  const std::string& error() const { return in_.error(); }

 private:
  bool span();
  bool member(std::string_view key, V1Head& head, Items& items);
  bool list(std::optional<json::Scanner>& at);
  bool time(std::uint64_t& out);

  std::string_view text_;
  json::Scanner in_;
  SpanBuilder builder_;
  V1Parts parts_;
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
  V1Head head;
  Items items(in_);
  const bool read =
      read_members(in_, [&](std::string_view key) { return member(key, head, items); });
  if (!read || !convert_v1(head, items, parts_, builder_, position)) return false;
  return !builder_.overflown() || in_.fail(allowance_exceeded);
}

bool Reader::member(std::string_view key, V1Head& head, Items& items) {
  if (key == "traceId") return read_id(in_, head.trace_id);
  if (key == "id") return read_id(in_, head.id);
  if (key == "parentId") return read_id(in_, head.parent_id);
  if (key == "name") return read_text(in_, head.name);
  if (key == "timestamp") return time(head.timestamp);
  if (key == "duration") return time(head.duration);
  if (key == "debug") return read_boolean(in_, head.debug);
  if (key == "annotations") return list(items.annotations_at);
  if (key == "binaryAnnotations") return list(items.binary_annotations_at);
  if (key == "tags" || key == "localEndpoint" || key == "remoteEndpoint")
    return in_.fail("\"" + std::string(key) +
                    "\": this is the v2 format, which goes to /api/v2/spans");
  return in_.skip();
}

bool Reader::list(std::optional<json::Scanner>& at) {
  if (in_.peek() != '[') return in_.expected("an array");
  at = in_;
  return in_.skip();
}

bool Reader::time(std::uint64_t& out) {
  std::int64_t number = 0;
  if (!read_integer(in_, number)) return false;
  out = microseconds(number);
  return true;
}

}  // namespace

bool read_v1_json(std::string_view json, const ReadOptions& options, SpanWriter& out,
                  ReadReport& report) {
  const std::size_t before = out.size();
  Reader reader(json, options, out, report);
  if (reader.read()) return true;
  out.truncate(before);
  report.error = reader.error();
  return false;
}

}  // namespace sluice::zipkin
