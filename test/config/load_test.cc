#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/document.h"
#include "test/config/problems.h"

using namespace sluice;
using namespace std::chrono_literals;
using config::Document;
using test::Lines;

namespace {

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "sluice-config-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

const std::string pipeline =
    "exporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: "
    "[debug]}}}\n";

/// The receiver `otlp` with these options, after loading.
struct Loaded {
  explicit Loaded(config::LoadOptions options) : document(config::load(options, problems)) {}
  explicit Loaded(const std::string& body)
      : document(config::load_text("receivers: {otlp: " + body + "}\n" + pipeline, "t", problems)) {
  }

  config::Node otlp() const {
    return document.receivers.empty() ? config::Node() : document.receivers[0].second;
  }
  std::string text(std::string_view key) const {
    std::string out = "default";
    otlp().optional(key, out);
    return out;
  }
  std::int64_t integer(std::string_view key) const {
    std::int64_t out = -1;
    otlp().optional(key, out);
    return out;
  }
  Lines lines() const { return test::lines(problems); }

  config::Problems problems;
  Document document;
};

}  // namespace

TEST_CASE("references are replaced from the environment", "[config][expansion]") {
  const Variable host("SLUICE_T_HOST", "example.org"), port("SLUICE_T_PORT", "4317");
  const Variable name("SLUICE_T_NAME", "HOST");
  const Loaded loaded(
      "{a: \"${env:SLUICE_T_HOST}:${env:SLUICE_T_PORT}\", b: \"${SLUICE_T_PORT}\", c: "
      "\"${env:SLUICE_T_X:-7s}\",\n"
      " d: \"${env:SLUICE_T_${env:SLUICE_T_NAME}}\", e: \"${env:SLUICE_T_X:-}\", f: "
      "\"x${SLUICE_T_X:-y}z\"}");
  CHECK(loaded.text("a") == "example.org:4317");
  CHECK(loaded.integer("b") == 4317);
  CHECK(loaded.text("b") == "4317");
  CHECK(loaded.text("c") == "7s");
  CHECK(loaded.text("d") == "example.org");
  CHECK(loaded.text("e").empty());
  CHECK(loaded.text("f") == "xyz");
  CHECK(loaded.lines() == Lines{});
}

TEST_CASE("a reference inside of text makes text, a whole one has the type of its text",
          "[config][expansion]") {
  const Variable digit("SLUICE_T_D", "5"), flag("SLUICE_T_F", "true"), quoted("SLUICE_T_Q", "'12'");
  const Loaded loaded(
      "{a: \"4${env:SLUICE_T_D}\", b: \"${env:SLUICE_T_F}\", c: \"${env:SLUICE_T_Q}\"}");
  CHECK(loaded.integer("a") == -1);
  CHECK(loaded.lines().at(0).find("expected an integer, found \"45\"") != std::string::npos);
  bool value = false;
  loaded.otlp().optional("b", value);
  CHECK(value);
  CHECK(loaded.text("c") == "'12'");
}

TEST_CASE("a dollar is written twice", "[config][expansion]") {
  const Variable host("SLUICE_T_HOST", "h");
  const Loaded loaded(
      "{a: \"$$${env:SLUICE_T_HOST}\", b: \"$${env:SLUICE_T_HOST}\", c: 5$$, d: \"$1 ${\", e: "
      "\"$$$$${SLUICE_T_HOST}\"}");
  CHECK(loaded.text("a") == "$h");
  CHECK(loaded.text("b") == "${env:SLUICE_T_HOST}");
  CHECK(loaded.text("c") == "5$");
  CHECK(loaded.text("d") == "$1 ${");
  CHECK(loaded.text("e") == "$$h");
}

TEST_CASE("a variable may hold a block and further references", "[config][expansion]") {
  const Variable block("SLUICE_T_B", "{a: [1, '${env:SLUICE_T_HOST}']}"),
      host("SLUICE_T_HOST", "h");
  const Loaded loaded("\"${env:SLUICE_T_B}\"");
  std::vector<std::string> list;
  loaded.otlp().optional("a", list);
  CHECK(list == std::vector<std::string>{"1", "h"});
}

TEST_CASE("what is no YAML is text", "[config][expansion]") {
  const Variable password("SLUICE_T_P", "@{: x");
  CHECK(Loaded("{a: \"${env:SLUICE_T_P}\"}").text("a") == "@{: x");
}

TEST_CASE("a variable that is not set is a warning and counts as empty", "[config][expansion]") {
  const Loaded loaded("{a: \"${env:SLUICE_T_NONE}\", b: \"x${env:SLUICE_T_NONE}\"}");
  CHECK_FALSE(loaded.problems.any_errors());
  CHECK(loaded.lines() == Lines{"t:1:23: receivers.otlp.a: the environment variable SLUICE_T_NONE "
                                "is not set; it counts as empty",
                                "t:1:50: receivers.otlp.b: the environment variable SLUICE_T_NONE "
                                "is not set; it counts as empty"});
  CHECK(loaded.text("a") == "default");
  CHECK(loaded.text("b") == "x");
}

TEST_CASE("references that cannot be followed are errors", "[config][expansion]") {
  CHECK(Loaded("{a: \"${env:1x}\"}").lines() ==
        Lines{R"(t:1:23: receivers.otlp.a: "1x" is no name of an environment variable)"});
  CHECK(Loaded("{a: \"${https://h/x}\"}").lines() ==
        Lines{"t:1:23: receivers.otlp.a: configuration is read from local files and the "
              "environment only, not "
              "over https"});
  CHECK(Loaded("{a: \"${evn:X}\"}").lines() ==
        Lines{R"(t:1:23: receivers.otlp.a: unknown source "evn"; did you mean "env"?)"});
  CHECK(Loaded("{a: \"${env:X$Y}\"}").lines() ==
        Lines{R"(t:1:23: receivers.otlp.a: "${env:X$Y}" holds a dollar that starts no reference)"});
  CHECK(Loaded("{a: \"${file:/nowhere/x}\"}").lines() ==
        Lines{R"(t:1:23: receivers.otlp.a: cannot read "/nowhere/x": No such file or directory)"});
}

TEST_CASE("expansion that does not end, or grows without end, is refused", "[config][expansion]") {
  const Variable again("SLUICE_T_A", "x${env:SLUICE_T_A}"),
      block("SLUICE_T_B", "[\"${env:SLUICE_T_B}\"]");
  CHECK(Loaded("{a: \"${env:SLUICE_T_A}\"}").lines() ==
        Lines{"t:1:23: receivers.otlp.a: more than 100 references in one configuration"});
  CHECK(Loaded("{a: \"${env:SLUICE_T_B}\"}").problems.any_errors());
  const Variable big("SLUICE_T_L", std::string(60'000, 'x'));
  std::string many;
  for (int i = 0; i < 20; ++i) many += "${SLUICE_T_L}";
  CHECK(Loaded("{a: \"" + many + "\"}").lines() ==
        Lines{"t:1:23: receivers.otlp.a: larger than 1 MiB after expansion"});
}

TEST_CASE("files are named relative to the file that names them", "[config][expansion]") {
  const Folder folder;
  folder.write("token", "secret: x\n");
  folder.write("name", "hello\n");
  folder.write("otlp.yaml", "a: 1\nb: \"${file:name}\"\n");
  const std::string main =
      folder.write("main.yaml", "receivers: {otlp: \"${file:otlp.yaml}\"}\n" + pipeline);
  const Loaded loaded(config::LoadOptions{{main}, {}, false, ""});
  CHECK(loaded.lines() == Lines{});
  CHECK(loaded.integer("a") == 1);
  CHECK(loaded.text("b") == "hello");
  CHECK(loaded.otlp().child("a").position().file.ends_with("/otlp.yaml"));
}

TEST_CASE("several sources are merged, later ones win", "[config][load]") {
  const Folder folder;
  const std::string base = folder.write(
      "base.yaml", "receivers: {otlp: {a: 1, b: [1, 2], c: {x: 1, y: 2}, d: {z: 1}}}\n" + pipeline);
  const std::string over =
      folder.write("over.yaml", "receivers: {otlp: {b: [3], c: {y: 5}, d: }}\n");
  const Variable more("SLUICE_T_MORE", "receivers: {otlp: {a: 7}}");
  const Loaded loaded(config::LoadOptions{
      {base, "file:" + over, "env:SLUICE_T_MORE", "yaml:receivers::otlp::e: 9", "yaml:"},
      {},
      false,
      ""});
  CHECK(loaded.lines() == Lines{});
  CHECK(loaded.integer("a") == 7);
  std::vector<std::string> list;
  loaded.otlp().optional("b", list);
  CHECK(list == std::vector<std::string>{"3"});
  CHECK(loaded.otlp().child("c").child("x").as_string() == "1");
  CHECK(loaded.otlp().child("c").child("y").as_string() == "5");
  CHECK(loaded.otlp().child("d").kind() == config::Node::Kind::null);
  CHECK(loaded.integer("e") == 9);
}

TEST_CASE("settings of the command line come last", "[config][load]") {
  const Loaded loaded(config::LoadOptions{{"yaml:{receivers: {otlp: {a: 1, b: {c: 2, d: 3}}}, "
                                           "exporters: {debug: }, service: {pipelines: {traces: "
                                           "{receivers: [otlp], exporters: [debug]}}}}"},
                                          {"receivers.otlp.a=2", "receivers::otlp::b::c=[x, y]",
                                           "receivers.otlp.e = text", "receivers.otlp.f="},
                                          false,
                                          ""});
  CHECK(loaded.lines() == Lines{});
  CHECK(loaded.integer("a") == 2);
  CHECK(loaded.otlp().child("b").child("c").list().size() == 2);
  CHECK(loaded.otlp().child("b").child("d").as_string() == "3");
  CHECK(loaded.text("e") == "text");
  CHECK(loaded.otlp().child("f").kind() == config::Node::Kind::null);
  std::chrono::nanoseconds duration{};
  loaded.otlp().optional("a", duration);
  CHECK(loaded.lines() ==
        Lines{R"(--set:1:18: receivers.otlp.a: expected a duration such as "200ms", found "2")"});
  CHECK(loaded.problems.report().find("1 | receivers.otlp.a=2\n    |                  ^\n") !=
        std::string::npos);
}

TEST_CASE("settings that are none are errors", "[config][load]") {
  const Loaded loaded(config::LoadOptions{
      {"yaml:receivers: {otlp: }\n" + pipeline}, {"a.b", "=c", "a=[b"}, false, ""});
  REQUIRE(loaded.lines().size() == 3);
  CHECK(loaded.lines()[0] == R"(--set:1:1: expected KEY=VALUE, found "a.b")");
  CHECK(loaded.lines()[1] == "--set:2:1: expected KEY=VALUE, found no key");
  CHECK(loaded.lines()[2].starts_with("--set:3:"));
}

TEST_CASE("sources that cannot be read are errors, all of them", "[config][load]") {
  const Folder folder;
  const std::string big = folder.write("big.yaml", std::string((1 << 20) + 1, '#'));
  const Loaded loaded(config::LoadOptions{
      {"/nowhere/a.yaml", "env:SLUICE_T_NONE", "https://host/x", "ftp:x", big, "/"},
      {},
      false,
      ""});
  CHECK(loaded.lines() ==
        Lines{"/nowhere/a.yaml: cannot be read: No such file or directory",
              "env:SLUICE_T_NONE: the environment variable SLUICE_T_NONE is not set",
              "https://host/x: configuration is read from local files and the environment only, "
              "not over https",
              "ftp:x: unknown source \"ftp\"", big + ": cannot be read: larger than 1 MiB",
              "/: cannot be read: Is a directory"});
}

TEST_CASE("without a source the built-in configuration is used", "[config][load]") {
  const Loaded loaded(config::LoadOptions{
      {}, {"service.drain_timeout=1s"}, false, "receivers: {otlp: }\n" + pipeline});
  CHECK(loaded.lines() == Lines{});
  CHECK(loaded.document.service.drain_timeout == 1s);
}
