// Beside a request's body a translation holds its output and its tables: together never more than
// twice the body, 64 bytes a span and 64 KiB, whatever the body holds. Measured are the highest
// byte of the output that was ever written, the heap at its peak (where a sanitizer counts it), and
// the pages of the body that were let go of.
#include "pipeline/codec/allowance.h"

#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/codec/thrift/binary_reader.h"
#include "pipeline/codec/thrift/compact_reader.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/read_v1_thrift.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

// Of sanitizer/allocator_interface.h, which GCC does not install.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                              void (*)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void*);
}
#endif

namespace sluice::test {
namespace {

using namespace std::string_literals;

/// The heap of this thread while one lives.
class HeapPeak {
 public:
  HeapPeak() {
    live_ = peak_ = 0;
#if defined(__SANITIZE_ADDRESS__)
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t size) { change(static_cast<std::ptrdiff_t>(size)); },
        [](const volatile void* block) {
          if (counting_ && block != nullptr)
            change(-static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(block)));
        });
    REQUIRE(installed != 0);
#endif
    counting_ = true;
  }
  ~HeapPeak() { counting_ = false; }
  std::size_t stop() {
    counting_ = false;
    return static_cast<std::size_t>(peak_);
  }

 private:
  static void change(std::ptrdiff_t bytes) {
    if (!counting_) return;
    live_ += bytes;
    peak_ = std::max(peak_, live_);
  }
  static thread_local std::ptrdiff_t live_, peak_;
  static thread_local bool counting_;
};
thread_local std::ptrdiff_t HeapPeak::live_ = 0, HeapPeak::peak_ = 0;
thread_local bool HeapPeak::counting_ = false;

/// Of the bytes of a buffer, how many are on pages that were given back.
std::size_t discarded(const Buffer& buffer) {
  constexpr std::uintptr_t page = 4096;
  const auto start = reinterpret_cast<std::uintptr_t>(buffer.data());
  std::size_t bytes = 0;
  for (std::uintptr_t at = (start + page - 1) & ~(page - 1); at + page <= start + buffer.size();
       at += page) {
#if defined(__SANITIZE_ADDRESS__)
    const bool gone = __asan_address_is_poisoned(reinterpret_cast<void*>(at)) != 0;
#else
    unsigned char resident = 0;
    REQUIRE(mincore(reinterpret_cast<void*>(at), page, &resident) == 0);
    const bool gone = (resident & 1) == 0;
#endif
    if (gone) bytes += page;
  }
  return bytes;
}

struct Result {
  bool taken = false;
  std::uint64_t spans = 0;
  std::string error;
};
using Read = std::function<Result(std::string_view, SpanWriter&)>;

template <bool read(std::string_view, const zipkin::ReadOptions&, SpanWriter&, zipkin::ReadReport&)>
Result zipkin_request(std::string_view body, SpanWriter& out) {
  zipkin::ReadReport report;
  const zipkin::ReadOptions options{.now_unix_nano = 1, .read_once = true};
  const bool taken = read(body, options, out, report);
  return {taken, report.spans_taken, report.error};
}
const Read v2_json = zipkin_request<zipkin::read_v2_json>;
const Read v2_proto = zipkin_request<zipkin::read_v2_proto>;
const Read v1_json = zipkin_request<zipkin::read_v1_json>;
const Read v1_thrift = zipkin_request<zipkin::read_v1_thrift>;

Result v1_compact(std::string_view body, SpanWriter& out) {
  thrift::CompactReader reader(body);
  zipkin::ReadReport report;
  const bool taken = zipkin::read_v1_thrift_list(reader, {.now_unix_nano = 1}, out, report);
  return {taken, report.spans_taken, reader.error()};
}
template <typename Reader>
Result jaeger_thrift(std::string_view body, SpanWriter& out) {
  Reader reader(body);
  jaeger::Report report;
  const bool taken = jaeger::translate_batch(reader, out, report);
  return {taken, report.spans, report.error};
}
const Read jaeger_binary = jaeger_thrift<thrift::BinaryReader>;
const Read jaeger_compact = jaeger_thrift<thrift::CompactReader>;
Result jaeger_proto(std::string_view body, SpanWriter& out) {
  jaeger::Report report;
  const bool taken = jaeger::translate_post_spans(body, Allowance::Input::read_once, out, report);
  return {taken, report.spans, report.error};
}

/// The result, after checking that nothing more was held on the way than is promised for `spans`.
Result bounded(const Read& read, const std::string& text, std::size_t spans,
               std::string* otlp = nullptr) {
  constexpr char untouched = '\xA5';
  const Buffer body = Buffer::copy_of(text);
  // So large that it never moves.
  SpanWriter out(4 * body.size() + 64 * spans + (1 << 20));
  const std::size_t capacity = out.out().capacity();
  std::memset(out.out().data(), untouched, capacity);
  HeapPeak heap;
  const Result result = read(body.bytes(), out);
  const std::size_t tables = heap.stop();
  std::size_t output = capacity;
  while (output > 0 && out.out().data()[output - 1] == untouched) --output;
  const std::size_t held = body.size() - discarded(body) + output + tables;
  INFO(body.size() << " bytes, of them gone " << discarded(body) << ", output " << output
                   << ", tables " << tables << ", spans " << spans << ' ' << result.error);
  CHECK(output < capacity);
  CHECK(held <= 2 * body.size() + 64 * spans + (64 << 10));
  CHECK(result.taken == result.error.empty());
  if (!result.taken) {
    CHECK(result.error.find(allowance_exceeded) != std::string::npos);
    CHECK(out.size() == 0);
  }
  if (otlp != nullptr) *otlp = std::string(out.out().bytes());
  return result;
}
bool taken(const Read& read, const std::string& text, std::size_t spans) {
  return bounded(read, text, spans).taken;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}
/// One behind the other, with the number of each.
template <typename Make>
std::string joined(std::size_t count, const std::string& between, Make make) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += (i > 0 ? between : "") + make(i);
  return all;
}
/// Big-endian.
std::string number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

// JSON.
const std::string json_ids = R"("traceId":"1","id":"2")";
std::string json_span(const std::string& members) { return "{" + json_ids + members + "}"; }
/// Keys of one byte, 160 of them in turn, so that none replaces another.
std::string tiny_tags(std::size_t count) {
  return joined(count, ",", [](std::size_t i) {
    return '"' + std::string(1, static_cast<char>(0x60 + i % 160)) + "\":\"\"";
  });
}

// Zipkin's protobuf.
const std::string proto_ids = length_field(1, make_id(1, 8)) + length_field(3, make_id(2, 8));

// Thrift's binary protocol: a field of a struct, a list of structs.
std::string field(char type, int id, const std::string& content) {
  return type + number(static_cast<std::uint64_t>(id), 2) + content;
}
std::string text_field(int id, const std::string& text) {
  return field('\x0B', id, number(text.size(), 4) + text);
}
std::string list_field(int id, std::size_t count, const std::string& structs) {
  return field('\x0F', id, '\x0C' + number(count, 4) + structs);
}
std::string v1_thrift_list(std::size_t count, const std::string& spans) {
  return '\x0C' + number(count, 4) + spans;
}
const std::string v1_thrift_ids = field('\x0A', 1, number(1, 8)) + field('\x0A', 4, number(2, 8));
std::string batch(std::size_t count, const std::string& spans, const std::string& process = "") {
  return field('\x0C', 1, process + '\0') + list_field(2, count, spans) + '\0';
}
const std::string jaeger_ids = field('\x0A', 1, number(1, 8)) + field('\x0A', 3, number(2, 8));
std::string jaeger_tag(const std::string& key, const std::string& value) {
  return text_field(1, key) + field('\x08', 2, number(0, 4)) + text_field(3, value) + '\0';
}

// Jaeger's protobuf.
std::string post_spans(const std::string& spans, const std::string& process = "") {
  return length_field(1, spans + (process.empty() ? "" : length_field(2, process)));
}
const std::string jaeger_proto_ids =
    length_field(1, make_id(1, 16)) + length_field(2, make_id(2, 8));
std::string jaeger_proto_tag(const std::string& key, const std::string& value) {
  return length_field(8, length_field(1, key) + length_field(3, value));
}

}  // namespace

TEST_CASE("hostile Zipkin JSON is held within twice its size", "[allowance][zipkin]") {
  CHECK_FALSE(taken(v2_json, "[" + json_span(",\"tags\":{" + tiny_tags(100'000) + "}") + "]", 1));
  // Within the 64 KiB, and then not.
  CHECK(taken(v2_json, "[" + json_span(",\"tags\":{" + tiny_tags(9'000) + "}") + "]", 1));
  CHECK_FALSE(taken(v2_json, "[" + json_span(",\"tags\":{" + tiny_tags(20'000) + "}") + "]", 1));
  // Tiny ones until all room is taken, and then one that has the rest of the request.
  const std::string large = ",\"b\":\"" + std::string(600'000, 'x') + '"';
  CHECK_FALSE(
      taken(v2_json, "[" + json_span(",\"tags\":{" + tiny_tags(80'000) + large + "}") + "]", 1));
  const std::string error = ",\"tags\":{\"error\":\"" + std::string(600'000, 'x') + "\"}";
  CHECK(taken(v2_json, "[" + json_span(error) + "]", 1));
  const std::string list = "|{\\\"\\\":[" + repeated("1,", 15'000) + "1]}|0";
  const std::string event = R"({"timestamp":1,"value":")" + list + "\"}";
  CHECK_FALSE(taken(
      v2_json, "[" + json_span(",\"annotations\":[" + event + repeated("," + event, 9) + "]") + "]",
      1));
  const std::string host = joined(60, ",", [](std::size_t i) {
    return "\"host." + std::to_string(i) + "\":\"" + std::string(250, 'h') + '"';
  });
  (void)taken(v2_json,
              "[" +
                  joined(60, ",",
                         [&](std::size_t i) {
                           return json_span(",\"tags\":{\"host.id\":\"" + std::to_string(i) +
                                            "\"," + host + "}");
                         }) +
                  "]",
              60);
  const std::string addresses =
      R"(,"localEndpoint":{"ipv4":"1.1.1.1","port":1},"shared":true,"debug":true)";
  CHECK(taken(v2_json,
              "[" + joined(3'000, ",", [&](std::size_t) { return json_span(addresses); }) + "]",
              3'000));
}

TEST_CASE("hostile Zipkin v1 is held within twice its size", "[allowance][zipkin]") {
  const std::string tags = joined(60'000, ",", [](std::size_t i) {
    return "{\"key\":\"" + std::to_string(i) + "\",\"value\":\"\"}";
  });
  CHECK(taken(v1_json, "[" + json_span(",\"binaryAnnotations\":[" + tags + "]") + "]", 1));
  // One name that 16 spans would have.
  const std::string services = joined(16, ",", [](std::size_t i) {
    return R"({"timestamp":1,"value":"x","endpoint":{"serviceName":")" + std::to_string(i) + "\"}}";
  });
  CHECK_FALSE(taken(v1_json,
                    "[" +
                        json_span(",\"name\":\"" + std::string(200'000, 'n') +
                                  "\",\"annotations\":[" + services + "]") +
                        "]",
                    16));
  const auto key = [](std::size_t i) {
    return text_field(1, std::string(1, static_cast<char>(i % 200 + 1))) + '\0';
  };
  CHECK(taken(
      v1_thrift,
      v1_thrift_list(1, v1_thrift_ids + list_field(8, 50'000, joined(50'000, "", key)) + '\0'), 1));
  const std::string bytes = text_field(1, "k") + text_field(2, std::string(600'000, 'x')) +
                            field('\x08', 3, number(1, 4)) + '\0';
  CHECK_FALSE(
      taken(v1_thrift, v1_thrift_list(1, v1_thrift_ids + list_field(8, 1, bytes) + '\0'), 1));
  CHECK(taken(v1_thrift, v1_thrift_list(5'000, repeated(v1_thrift_ids + '\0', 5'000)), 5'000));
  // The same keys in 5 bytes each.
  const std::string compact_keys = joined(100'000, "", [](std::size_t i) {
    return "\x18\x01"s + static_cast<char>(i % 200 + 1) + '\0';
  });
  const std::string compact_head = "\x1C\x16\x02\x36\x04\x49\xFC\xA0\x8D\x06"s;
  CHECK_FALSE(taken(v1_compact, compact_head + compact_keys + '\0', 1));
}

TEST_CASE("hostile Zipkin protobuf is held within twice its size", "[allowance][zipkin]") {
  const std::string tags = joined(200'000, "", [](std::size_t i) {
    return length_field(11, length_field(1, std::string(1, static_cast<char>(i % 200))));
  });
  CHECK_FALSE(taken(v2_proto, length_field(1, proto_ids + tags), 1));
  const std::string few = joined(100, "", [](std::size_t i) {
    return length_field(11, length_field(1, std::string(1, static_cast<char>(i))));
  });
  CHECK(taken(v2_proto, repeated(length_field(1, proto_ids + few), 1'000), 1'000));
}

TEST_CASE("hostile Jaeger batches are held within twice their size", "[allowance][jaeger]") {
  const std::string blank(300'000, '\0');
  const auto with_list = [&](int id) {
    return batch(1, jaeger_ids + list_field(id, blank.size(), blank) + '\0');
  };
  CHECK_FALSE(taken(jaeger_binary, with_list(10), 1));  // empty tags
  CHECK_FALSE(taken(jaeger_binary, with_list(11), 1));  // empty logs
  const std::string unknown = repeated(field('\x08', 2, number(0x80000000, 4)) + '\0', 40'000);
  CHECK_FALSE(
      taken(jaeger_binary, batch(1, jaeger_ids + list_field(10, 40'000, unknown) + '\0'), 1));
  CHECK_FALSE(
      taken(jaeger_binary, batch(1, jaeger_ids + '\0', list_field(2, blank.size(), blank)), 1));
  const std::string twice = jaeger_tag("http.status_message", std::string(400'000, 'm')) +
                            text_field(1, "error") + field('\x08', 2, number(2, 4)) +
                            field('\x02', 5, "\x01") + '\0';
  CHECK_FALSE(taken(jaeger_binary, batch(1, jaeger_ids + list_field(10, 2, twice) + '\0'), 1));
  CHECK(taken(jaeger_binary, batch(5'000, repeated(jaeger_ids + '\0', 5'000)), 5'000));
  CHECK(taken(jaeger_binary, batch(blank.size(), blank), 0));
  // In five bytes a reference, each of which is a link of 66.
  const std::string references = repeated("\x26\x04\x26\x02\x00"s, 100'000);
  CHECK_FALSE(taken(jaeger_compact,
                    "\x1C\x00\x19\x1C\x16\x02\x26\x02\x39\xFC\xA0\x8D\x06"s + references + "\0\0"s,
                    1));
  const std::string tags = repeated(length_field(8, ""), 200'000);
  CHECK_FALSE(taken(jaeger_proto, post_spans(length_field(1, jaeger_proto_ids + tags)), 1));
  CHECK_FALSE(taken(
      jaeger_proto,
      post_spans(length_field(1, jaeger_proto_ids), repeated(length_field(2, ""), 200'000)), 1));
}

TEST_CASE("spans that belong to groups of their own are held within twice their size",
          "[allowance][jaeger][zipkin]") {
  constexpr std::size_t count = 5'000;
  const auto name = [](std::size_t i) { return std::to_string(i); };
  CHECK(taken(
      jaeger_binary,
      batch(count, joined(count, "",
                          [&](std::size_t i) {
                            return jaeger_ids +
                                   list_field(10, 1, jaeger_tag("otel.scope.name", name(i))) + '\0';
                          })),
      count));
  CHECK(taken(jaeger_proto,
              post_spans(joined(count, "",
                                [&](std::size_t i) {
                                  return length_field(
                                      1, jaeger_proto_ids +
                                             jaeger_proto_tag("otel.scope.name", name(i)));
                                })),
              count));
  (void)taken(
      jaeger_proto,
      post_spans(joined(count, "",
                        [&](std::size_t i) {
                          return length_field(
                              1, jaeger_proto_ids + length_field(10, length_field(1, name(i))));
                        })),
      count);
  CHECK_FALSE(taken(jaeger_proto,
                    post_spans(joined(2, "",
                                      [&](std::size_t i) {
                                        return length_field(
                                            1, jaeger_proto_ids +
                                                   jaeger_proto_tag("otel.scope.name", name(i)));
                                      }) +
                               repeated(length_field(1, ""), 200'000)),
                    2));
  (void)taken(
      v2_json,
      "[" +
          joined(count, ",",
                 [&](std::size_t i) {
                   return json_span(R"(,"localEndpoint":{"serviceName":")" + name(i) + "\"}");
                 }) +
          "]",
      count);
}

TEST_CASE("what real senders send is taken, within the same", "[allowance][jaeger][zipkin]") {
  // As brave writes them: addresses of 6 bytes here are attributes of 38 there.
  const std::string brave =
      length_field(1, make_id(7, 16)) + length_field(2, make_id(5, 8)) +
      length_field(3, make_id(6, 8)) + "\x20\x01" + length_field(5, "get") + "\x31" + number(1, 8) +
      "\x38\xC0\xC4\x07" +
      length_field(8, length_field(1, "frontend") + length_field(2, "\x0A\x00\x00\x01"s)) +
      length_field(9, length_field(2, "\x0A\x00\x00\x02"s) + "\x20\x91\xC2\x02") +
      length_field(11, length_field(1, "http.method") + length_field(2, "GET")) +
      length_field(11, length_field(1, "http.path") + length_field(2, "/api")) + "\x68\x01";
  std::string otlp;
  CHECK(bounded(v2_proto, repeated(length_field(1, brave), 6'000), 6'000, &otlp).taken);
  ParseReport report;
  const std::optional<SpanBatch> spans = SpanBatch::parse(Buffer::copy_of(otlp), report);
  REQUIRE(spans.has_value());
  CHECK(spans->span_count() == 6'000);

  // As many short tags as an SDK keeps in one span.
  const auto tags = [](auto make) {
    return joined(128, "",
                  [&](std::size_t i) { return make("key." + std::to_string(i), "value"); });
  };
  const std::string jaeger_tags = tags(jaeger_proto_tag);
  const auto jaeger_spans = [&](std::size_t count) {
    return joined(count, "", [&](std::size_t i) {
      return length_field(1, jaeger_proto_ids + length_field(3, std::to_string(i)) + jaeger_tags);
    });
  };
  CHECK(bounded(jaeger_proto, post_spans(jaeger_spans(600)), 600, &otlp).taken);
  const std::optional<SpanBatch> tagged = SpanBatch::parse(Buffer::copy_of(otlp), report);
  REQUIRE(tagged.has_value());
  std::vector<std::string> names, expected;
  for (std::size_t i = 0; i < 600; ++i) expected.push_back(std::to_string(i));
  CHECK(span_names(*tagged) == expected);
  CHECK(taken(v2_proto,
              repeated(length_field(1, proto_ids + tags([](auto key, auto value) {
                                         return length_field(
                                             11, length_field(1, key) + length_field(2, value));
                                       })),
                       600),
              600));
  const std::string json_tags =
      joined(128, ",", [](std::size_t i) { return "\"key." + std::to_string(i) + "\":\"value\""; });
  CHECK(taken(v2_json,
              "[" +
                  joined(600, ",",
                         [&](std::size_t) { return json_span(",\"tags\":{" + json_tags + "}"); }) +
                  "]",
              600));
}

TEST_CASE("services stay told apart when the request that names them is let go of",
          "[allowance][zipkin]") {
  // Endpoints grow so much that the front of the request goes while the rest is read.
  std::string otlp;
  const std::string spans = joined(40'000, ",", [](std::size_t i) {
    return json_span(R"(,"localEndpoint":{"serviceName":")" + std::to_string(i / 100 % 3) +
                     R"(","ipv4":"1.1.1.1","port":1},"shared":true,"debug":true)");
  });
  CHECK(bounded(v2_json, "[" + spans + "]", 40'000, &otlp).taken);
  ParseReport report;
  const std::optional<SpanBatch> batch = SpanBatch::parse(Buffer::copy_of(otlp), report);
  REQUIRE(batch.has_value());
  CHECK(batch->span_count() == 40'000);
}

}  // namespace sluice::test
