#include <catch2/catch.hpp>

#include <future>
#include <optional>

#include "exporters/file/file.h"
#include "exporters/file/file_sender.h"
#include "pipeline/codec/otlp_json.h"
#include "pipeline/net/compression.h"
#include "pipeline/net/event_loop.h"
#include "test/exporters/temporary_directory.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

SpanBatch spans_of(const std::string& service, std::size_t count) {
  return make_batch({{.service = service, .spans = numbered_spans(count)}});
}

/// A sender on the test's own clock.
struct SenderFixture {
  bool start(const FileOptions& options) {
    sender = make_file_sender(options, "file", &executor);
    return sender->start(error);
  }
  SendResult send(SpanBatch batch) {
    std::optional<SendResult> answer;
    sender->send(std::move(batch), 0ns, [&](SendResult result) { answer = std::move(result); });
    executor.run();
    REQUIRE(answer);
    return *answer;
  }

  ManualExecutor executor;
  std::unique_ptr<Sender> sender;
  std::string error;
};

std::string json_line(const SpanBatch& batch) {
  BufferWriter text;
  otlp_json_append(batch, text);
  return std::string(text.bytes()) + "\n";
}

/// The messages behind their big-endian lengths.
std::vector<std::string> messages(std::string_view bytes) {
  std::vector<std::string> out;
  while (bytes.size() >= 4) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    REQUIRE(bytes.size() >= 4 + size);
    out.emplace_back(bytes.substr(4, size));
    bytes.remove_prefix(4 + size);
  }
  CHECK(bytes.empty());
  return out;
}

std::string inflated(std::string_view bytes) {
  BufferWriter out;
  REQUIRE(net::inflate(net::Encoding::zstd, bytes, 1 << 20, out) == net::InflateError::none);
  return std::string(out.bytes());
}

std::vector<std::string> mistakes(std::string_view text) {
  config::Problems problems;
  file_exporter().decode(config::parse_text(text, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const auto& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

class AnswerPromise final : public AckTarget {
 public:
  void answered(Answer answer) noexcept override { promise_.set_value(std::move(answer)); }
  Answer wait() { return promise_.get_future().get(); }

 private:
  std::promise<Answer> promise_;
};

}  // namespace

TEST_CASE("the file exporter answers when the spans are with the file, and stop writes them out",
          "[file]") {
  TemporaryDirectory directory;
  config::Problems problems;
  const auto decoded = file_exporter().decode(
      config::parse_text("path: " + (directory / "t.json"), "test.yaml", problems));
  REQUIRE(problems.list().empty());
  net::EventLoops loops(1);
  loops.start();
  Metrics metrics;
  Ledger ledger(1 << 20);
  SpanCounters counters(metrics, "exporter", "file");
  const auto exporter = decoded.build({{"file", loops[0], metrics, ledger}, counters, loops});
  std::string error;
  REQUIRE(exporter->start(error));
  const SpanBatch batch = spans_of("shop", 3);
  AnswerPromise answer;
  exporter->consume(batch, Ack(answer));
  CHECK(answer.wait().verdict == Verdict::accepted);
  std::promise<void> stopped;
  exporter->stop([&] { stopped.set_value(); });
  stopped.get_future().wait();
  CHECK(directory.content("t.json") == json_line(batch));
  CHECK(counters.out.value() == 3);
  loops.stop();
}

TEST_CASE("JSON is a line a batch, written after flush_interval", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "t.json";
  REQUIRE(fixture.start(options));
  const SpanBatch first = spans_of("shop", 2), second = spans_of("cart", 1);
  CHECK(fixture.send(first).kind == SendResult::Kind::delivered);
  fixture.executor.advance(600ms);
  CHECK(fixture.send(second).kind == SendResult::Kind::delivered);
  CHECK(directory.content("t.json").empty());
  fixture.executor.advance(400ms);
  CHECK(directory.content("t.json") == json_line(first) + json_line(second));
}

TEST_CASE("protobuf is a message behind its length", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "t.bin";
  options.format = FileOptions::Format::proto;
  REQUIRE(fixture.start(options));
  const SpanBatch first = spans_of("shop", 200), second = spans_of("cart", 1);
  fixture.send(first);
  fixture.send(second);
  fixture.sender->stop();
  CHECK(messages(directory.content("t.bin")) ==
        std::vector<std::string>{first.encode().to_string(), second.encode().to_string()});
}

TEST_CASE("compressed messages stand behind their lengths in either format", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "t.zst";
  options.compression = FileOptions::Compression::zstd;
  options.format = GENERATE(FileOptions::Format::json, FileOptions::Format::proto);
  REQUIRE(fixture.start(options));
  const SpanBatch batch = spans_of("shop", 20);
  fixture.send(batch);
  fixture.send(batch);
  fixture.sender->stop();
  const std::vector<std::string> packed = messages(directory.content("t.zst"));
  REQUIRE(packed.size() == 2);
  const std::string line = json_line(batch);
  const std::string expected = options.format == FileOptions::Format::json
                                   ? line.substr(0, line.size() - 1)
                                   : batch.encode().to_string();
  CHECK(inflated(packed[0]) == expected);
  CHECK(inflated(packed[1]) == expected);
}

TEST_CASE("a device that takes nothing makes the sender come back, without a loss", "[file]") {
  SenderFixture fixture;
  FileOptions options;
  options.path = "/dev/full";
  REQUIRE(fixture.start(options));
  const SpanBatch large = spans_of("shop", 2000);
  CHECK(fixture.send(large).kind == SendResult::Kind::delivered);
  const SendResult result = fixture.send(large);
  CHECK(result.kind == SendResult::Kind::retry);
  CHECK(result.message == "cannot write \"/dev/full\": No space left on device");
}

TEST_CASE("a file for each value of a resource attribute", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "out/*.json";
  options.group_by.enabled = true;
  options.group_by.resource_attribute = "team";
  REQUIRE(fixture.start(options));
  const auto from = [](const Value& team, std::size_t count) {
    return ResourceSpec{.attributes = {{"team", team}}, .spans = numbered_spans(count)};
  };
  SECTION("spans go to the file of their resource") {
    const SpanBatch batch = make_batch({from("a", 1), from("b", 2), from("a", 3)});
    CHECK(fixture.send(batch).rejected_spans == 0);
    fixture.sender->stop();
    CHECK(directory.names() == std::set<std::string>{"out/a.json", "out/b.json"});
    CHECK(directory.content("out/b.json") == json_line(batch.slice(1, 2)));
  }
  SECTION("those without the attribute are counted as rejected") {
    const SendResult result =
        fixture.send(make_batch({from("a", 1), from(5, 2), {.spans = numbered_spans(4)}}));
    CHECK(result.kind == SendResult::Kind::delivered);
    CHECK(result.rejected_spans == 6);
  }
  SECTION("no value leads out of the directory") {
    CHECK(fixture
              .send(make_batch(
                  {from("../../x", 1), from("/etc/y", 1), from("a/../../../z", 1), from("..", 1)}))
              .rejected_spans == 0);
    fixture.sender->stop();
    CHECK(directory.names() ==
          std::set<std::string>{"out/x.json", "out/etc/y.json", "out/z.json", "out/.json"});
  }
  SECTION("a value that makes no file name costs nobody else") {
    const SendResult result =
        fixture.send(make_batch({from(std::string(5000, 'n'), 2), from("a", 1)}));
    CHECK(result.kind == SendResult::Kind::delivered);
    CHECK(result.rejected_spans == 2);
    fixture.sender->stop();
    CHECK(directory.names() == std::set<std::string>{"out/a.json"});
  }
}

TEST_CASE("more values than open files: each file holds all of its records", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "*.json";
  options.group_by.enabled = true;
  options.group_by.open_files_max = 2;
  REQUIRE(fixture.start(options));
  std::vector<ResourceSpec> resources;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    resources.push_back(
        {.attributes = {{"fileexporter.path_segment", name}}, .spans = numbered_spans(1)});
  }
  const SpanBatch batch = make_batch(resources);
  for (int i = 0; i < 3; ++i) CHECK(fixture.send(batch).kind == SendResult::Kind::delivered);
  fixture.sender->stop();
  CHECK(directory.names().size() == 5);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const std::string line = json_line(batch.slice(i, 1));
    CHECK(directory.content(std::string(1, static_cast<char>('a' + i)) + ".json") ==
          line + line + line);
  }
}

TEST_CASE("directories are made where that is asked for", "[file]") {
  TemporaryDirectory directory;
  SenderFixture fixture;
  FileOptions options;
  options.path = directory / "deep/er/t.json";
  CHECK_FALSE(fixture.start(options));
  CHECK(fixture.error == "cannot open \"" + options.path + "\": No such file or directory");
  options.create_directory = true;
  options.directory_permissions = 0700;
  REQUIRE(fixture.start(options));
  CHECK(std::filesystem::status(directory / "deep").permissions() ==
        std::filesystem::perms::owner_all);
}

TEST_CASE("mistakes in the options of file are found", "[file]") {
  CHECK(mistakes("path: a.json").empty());
  CHECK(mistakes("{path: a.json, rotation: }").empty());
  CHECK(mistakes("{path: a.json, compression: none}").empty());
  CHECK(mistakes("{}").size() == 1);
  CHECK(mistakes("path: ''").size() == 1);
  CHECK(mistakes("{path: a, format: xml}").size() == 1);
  CHECK(mistakes("{path: a, compression: gzip}").size() == 1);
  CHECK(mistakes("{path: a, append: true, compression: zstd}").size() == 1);
  CHECK(mistakes("{path: a, append: true, rotation: {}}").size() == 1);
  CHECK(mistakes("{path: a, flush_interval: -1s}").size() == 1);
  CHECK(mistakes("{path: a, encoding: otlp_encoding}").size() == 1);
  CHECK(mistakes("{path: a, directory_permissions: '0755'}").size() == 1);
  CHECK(mistakes("{path: a, create_directory: true, directory_permissions: '0999'}").size() == 1);
  CHECK(mistakes("{path: a, create_directory: true, directory_permissions: '7777'}").size() == 1);
  CHECK(mistakes("{path: a, group_by: {enabled: true}}").size() == 1);
  CHECK(mistakes("{path: '*.json', group_by: {enabled: true}}").size() == 1);
  CHECK(mistakes("{path: 'x*.json', group_by: {enabled: true, resource_attribute: ''}}").size() ==
        1);
  CHECK(mistakes("{path: a, rotation: {max_megabytes: 0}}").size() == 1);
  CHECK(mistakes("{path: a, sending_queue: {}}").size() == 1);
}

TEST_CASE("the README of the file exporter tells the truth", "[file]") {
  CHECK(readme_mistakes("exporters/file/README.md", "exporters", "file", file_exporter().decode) ==
        std::vector<std::string>{});
}
