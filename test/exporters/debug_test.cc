#include <catch2/catch.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "exporters/debug/debug.h"
#include "exporters/debug/text.h"
#include "pipeline/net/event_loop.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// A debug exporter that writes to a file of its own, and what it wrote.
struct DebugFixture {
  explicit DebugFixture(const std::string& options) {
    path = (std::filesystem::temp_directory_path() /
            ("sluice-debug-" + std::to_string(::getpid()) + ".txt"))
               .string();
    std::filesystem::remove(path);
    config::Problems problems;
    const std::string text =
        "{use_internal_logger: false, output_paths: [\"" + path + "\"], " + options + "}";
    const auto decoded = debug_exporter().decode(config::parse_text(text, "test.yaml", problems));
    for (const auto& problem : problems.list()) FAIL(problem.to_string());
    exporter = decoded.build({{"debug", executor, metrics, ledger}, counters, loops});
    std::string error;
    REQUIRE(exporter->start(error));
  }
  ~DebugFixture() { std::filesystem::remove(path); }

  std::string written() const {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 20};
  net::EventLoops loops{1};
  SpanCounters counters{metrics, "exporter", "debug"};
  std::unique_ptr<Exporter> exporter;
  std::string path;
};

std::vector<std::string> mistakes(std::string_view text) {
  config::Problems problems;
  debug_exporter().decode(config::parse_text(text, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const auto& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

const SpanBatch& rich_batch() {
  static const SpanBatch batch = make_batch(
      {{.service = "shop",
        .schema_url = "https://example.com/schema",
        .spans = {
            {.name = "pay",
             .trace_id = std::string(16, '\x11'),
             .span_id = std::string(8, '\x22'),
             .parent_span_id = std::string(8, '\x33'),
             .trace_state = "a=b",
             .kind = 3,
             .start = 1'581'452'772'000'000'321,
             .end = 1'581'452'773'000'000'789,
             .attributes = {{"text", "hi"},
                            {"number", 5},
                            {"real", 0.5},
                            {"yes", true},
                            {"list", Array{1, "two"}},
                            {"map", KvList{{"k", "v"}}},
                            {"raw", Bytes{"\x01\xff"}},
                            {"none", Value()}},
             .events = {{.name = "cached",
                         .time_unix_nano = 1'581'452'773'000'000'123,
                         .attributes = {{"hit", true}}}},
             .links = {{.trace_id = std::string(16, '\x44'), .span_id = std::string(8, '\x55')}},
             .status_code = 2,
             .status_message = "declined"}}}});
  return batch;
}

}  // namespace

TEST_CASE("basic shows a line a batch with its counts", "[debug]") {
  DebugFixture fixture("verbosity: basic");
  CaptureAnswer answer;
  fixture.exporter->consume(
      make_batch({{.spans = numbered_spans(2)}, {.spans = numbered_spans(3)}}), answer.ack());
  fixture.executor.run();
  CHECK(fixture.written() == "Traces\t{\"resource spans\": 2, \"spans\": 5}\n");
  REQUIRE(answer.answers.size() == 1);
  CHECK(answer.answers[0].verdict == Verdict::accepted);
  CHECK(fixture.counters.out.value() == 5);
}

TEST_CASE("normal shows a line a span", "[debug]") {
  CHECK(debug_text::normal(rich_batch()) ==
        "pay 11111111111111111111111111111111 2222222222222222 text=hi number=5 real=0.5 yes=true "
        "list=[1, two] map={k: v} raw=01ff none=\n");
}

TEST_CASE("detailed shows everything", "[debug]") {
  CHECK(debug_text::detailed(rich_batch()) == R"(ResourceSpans #0
Resource SchemaURL: https://example.com/schema
Resource attributes:
     -> service.name: Str(shop)
ScopeSpans #0
InstrumentationScope test )"
                                              R"(
Span #0
    Trace ID       : 11111111111111111111111111111111
    Parent ID      : 3333333333333333
    ID             : 2222222222222222
    Name           : pay
    Kind           : Client
    TraceState     : a=b
    Start time     : 2020-02-11 20:26:12.000000321 UTC
    End time       : 2020-02-11 20:26:13.000000789 UTC
    Status code    : Error
    Status message : declined
Attributes:
     -> text: Str(hi)
     -> number: Int(5)
     -> real: Double(0.5)
     -> yes: Bool(true)
     -> list: Slice([1, two])
     -> map: Map({k: v})
     -> raw: Bytes(01ff)
     -> none: Empty()
Events:
SpanEvent #0
     -> Name: cached
     -> Timestamp: 2020-02-11 20:26:13.000000123 UTC
     -> Attributes:
          -> hit: Bool(true)
Links:
SpanLink #0
     -> Trace ID: 44444444444444444444444444444444
     -> ID: 5555555555555555
     -> TraceState: 
)");
}

TEST_CASE("nothing in a span reaches the terminal as a command", "[debug]") {
  const std::string text =
      debug_text::normal(make_batch({{.spans = {{.name = "a\x1b[31m\nb\xc2\x9b"
                                                         "c\xff",
                                                 .attributes = {{"\r", "\x7f"}}}}}}));
  CHECK(text.substr(0, text.find(' ')) == "a\\x1b[31m\\nb\\x9bc\xef\xbf\xbd");
  CHECK(text.find("\\x0d=\\x7f") != std::string::npos);
}

TEST_CASE("sampling shows the first batches of a second, then every n-th", "[debug]") {
  DebugFixture fixture("sampling_initial: 2, sampling_thereafter: 3");
  const auto lines_of = [&](int batches) {
    const std::string before = fixture.written();
    for (int i = 0; i < batches; ++i)
      fixture.exporter->consume(make_batch({{.spans = numbered_spans(1)}}), {});
    fixture.executor.run();
    const std::string text = fixture.written().substr(before.size());
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines_of(2) == 2);
  CHECK(lines_of(2) == 0);
  CHECK(lines_of(1) == 1);
  CHECK(lines_of(6) == 2);
  fixture.executor.advance(1s);
  CHECK(lines_of(3) == 2);
}

TEST_CASE("a file that cannot be opened is a sentence at start", "[debug]") {
  config::Problems problems;
  const auto decoded = debug_exporter().decode(config::parse_text(
      "{use_internal_logger: false, output_paths: [/nowhere/at/all.txt]}", "test.yaml", problems));
  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger(1 << 20);
  net::EventLoops loops(1);
  SpanCounters counters(metrics, "exporter", "debug");
  const auto exporter = decoded.build({{"debug", executor, metrics, ledger}, counters, loops});
  std::string error;
  CHECK_FALSE(exporter->start(error));
  CHECK(error == "cannot open \"/nowhere/at/all.txt\": No such file or directory");
}

TEST_CASE("mistakes in the options of debug are found", "[debug]") {
  CHECK(mistakes("{}").empty());
  CHECK(mistakes("verbosity: loud").size() == 1);
  CHECK(mistakes("output_paths: [stdout]").size() == 1);
  CHECK(mistakes("{use_internal_logger: false, output_paths: []}").size() == 1);
  CHECK(mistakes("verbose: true").size() == 1);
  CHECK(mistakes("sending_queue: {queue_size: 0}").size() == 1);
}

TEST_CASE("the README of the debug exporter tells the truth", "[debug]") {
  CHECK(readme_mistakes("exporters/debug/README.md", "exporters", "debug",
                        debug_exporter().decode) == std::vector<std::string>{});
}
