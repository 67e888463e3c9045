// The rules of the tree that a compiler does not check, over the text of every source file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string, std::less<>>;

struct SourceFile {
  std::string path;  ///< from the root
  std::vector<std::string> lines;
  bool header() const { return path.ends_with(".h"); }
};

const std::vector<SourceFile>& sources() {
  static const std::vector<SourceFile> all = [] {
    std::vector<SourceFile> files;
    const fs::path root(SLUICE_SOURCE_DIR);
    for (const char* top : {"cmd", "config", "pipeline", "receivers", "processors", "exporters",
                            "extensions", "test"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
        const std::string suffix = entry.path().extension().string();
        if (suffix != ".h" && suffix != ".cc") continue;
        SourceFile file{fs::relative(entry.path(), root).string(), {}};
        std::ifstream text(entry.path());
        for (std::string line; std::getline(text, line);) file.lines.push_back(line);
        files.push_back(std::move(file));
      }
    }
    return files;
  }();
  return all;
}

struct Include {
  std::string target;
  bool ours = false;  ///< in quotes
};

std::vector<Include> includes(const SourceFile& file) {
  std::vector<Include> found;
  for (const std::string& line : file.lines) {
    if (!line.starts_with("#include ")) continue;
    const char end = line[9] == '<' ? '>' : '"';
    found.push_back({line.substr(10, line.find(end, 10) - 10), end == '"'});
  }
  return found;
}

/// "receivers/otlp/otlp.h" → "receivers/otlp": where a component lives; "config/x.h" → "config".
std::string place(std::string_view path) {
  const std::size_t first = path.find('/');
  const std::string top(path.substr(0, first));
  if (top == "config" || top == "pipeline" || top == "cmd" || top == "test") return top;
  return std::string(path.substr(0, path.find('/', first + 1)));
}

bool is_component(std::string_view where) { return where.find('/') != std::string_view::npos; }

bool may_include(const std::string& from, const std::string& to) {
  if (from == "test" || from == "cmd") return to != "test" || from == "test";
  if (is_component(from)) return to == from || to == "pipeline" || to == "config";
  return to == from || (from == "pipeline" && to == "config");
}

/// Lines like "receivers/otlp/otlp.cc: exporters/file/file.h": empty is what a test wants.
std::string listed(const std::vector<std::string>& offences) {
  std::ostringstream text;
  std::copy(offences.begin(), offences.end(), std::ostream_iterator<std::string>(text, "\n"));
  return text.str();
}

TEST_CASE("dependencies go from cmd to components to pipeline to config, never between components",
          "[tidy]") {
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    for (const Include& each : includes(file)) {
      if (!each.ours || may_include(place(file.path), place(each.target))) continue;
      offences.push_back(file.path + ": " + each.target);
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("the model stands on itself and the standard library", "[tidy]") {
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    if (!file.path.starts_with("pipeline/model/")) continue;
    for (const Include& each : includes(file)) {
      const bool standard =
          !each.ours && each.target.find('/') == std::string::npos && !each.target.ends_with(".h");
      const bool model = each.ours && each.target.starts_with("pipeline/model/");
      // Pages, and what malloc makes of them, are what the standard library cannot give.
      const bool kernel =
          !each.ours && (each.target.starts_with("sys/") || each.target == "malloc.h");
      const bool ensure = each.target == "pipeline/ensure.h";
      if (!standard && !model && !kernel && !ensure)
        offences.push_back(file.path + ": " + each.target);
    }
  }
  CHECK(listed(offences) == "");
}

/// Which library an include belongs to; empty for the standard library and the system.
std::string library(std::string_view target) {
  const std::string top(target.substr(0, target.find('/')));
  static const Names by_folder = {"boost",    "yaml-cpp", "nghttp2",  "spdlog", "fmt",
                                  "nlohmann", "openssl",  "re2",      "CLI",    "google",
                                  "catch2",   "isa-l",    "benchmark"};
  if (target.find('/') != std::string_view::npos) return by_folder.contains(top) ? top : "";
  static const std::map<std::string, std::string, std::less<>> by_file = {
      {"simdjson.h", "simdjson"}, {"zlib.h", "zlib"},    {"zstd.h", "zstd"},
      {"lz4frame.h", "lz4"},      {"lz4.h", "lz4"},      {"snappy.h", "snappy"},
      {"pugixml.hpp", "pugixml"}, {"xxhash.h", "xxhash"}};
  const auto found = by_file.find(target);
  return found == by_file.end() ? "" : found->second;
}

TEST_CASE("headers outside of tests include no library", "[tidy]") {
  // nghttp2_nv is a typedef without a tag, which cannot be declared ahead.
  const Names excused = {"pipeline/net/http2_stream.h"};
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    if (!file.header() || file.path.starts_with("test/") || excused.contains(file.path)) continue;
    for (const Include& each : includes(file)) {
      if (!each.ours && !library(each.target).empty())
        offences.push_back(file.path + ": " + each.target);
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("each library has its room", "[tidy]") {
  // What is not named here may be used by any .cc.
  static const std::map<std::string, std::vector<std::string>, std::less<>> rooms = {
      {"yaml-cpp", {"config/"}},
      {"nghttp2", {"pipeline/net/"}},
      {"openssl", {"pipeline/net/", "pipeline/ottl/", "pipeline/attributes/"}},
      {"simdjson", {"pipeline/codec/", "pipeline/utf8.cc"}},
      {"pugixml", {"pipeline/ottl/"}},
      {"xxhash", {"pipeline/ottl/"}},
      {"spdlog", {"pipeline/log.cc"}},
      {"CLI", {"cmd/"}},
      {"google", {}},
      {"benchmark", {}},
      {"catch2", {}},
  };
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    if (file.path.starts_with("test/")) continue;
    for (const Include& each : includes(file)) {
      const auto room = each.ours ? rooms.end() : rooms.find(library(each.target));
      if (room == rooms.end()) continue;
      const bool home =
          std::any_of(room->second.begin(), room->second.end(),
                      [&](const std::string& prefix) { return file.path.starts_with(prefix); });
      if (!home) offences.push_back(file.path + ": " + each.target);
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("a header is included once, and each source file includes its own first", "[tidy]") {
  Names paths;
  for (const SourceFile& file : sources()) paths.insert(file.path);
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    if (file.header()) {
      const bool once =
          std::find(file.lines.begin(), file.lines.end(), "#pragma once") != file.lines.end();
      if (!once) offences.push_back(file.path + ": no #pragma once");
      continue;
    }
    const std::string own = file.path.substr(0, file.path.size() - 3) + ".h";
    const std::vector<Include> all = includes(file);
    if (paths.contains(own) && (all.empty() || all.front().target != own))
      offences.push_back(file.path);
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("no file names a place of one machine", "[tidy]") {
  // In pieces, so that this file does not name them itself.
  const std::vector<std::string> places = {std::string("/") + "home/", std::string("/") + "root/",
                                           std::string("/") + "work/", std::string("/") + "Users/"};
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    for (const std::string& line : file.lines) {
      for (const std::string& each : places) {
        if (line.find(each) != std::string::npos) offences.push_back(file.path + ": " + line);
      }
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("no file is longer than a reader can hold", "[tidy]") {
  constexpr std::size_t lines_max = 500, test_lines_max = 800;
  // Tests hold texts that are compared or loaded as they stand.
  constexpr std::ptrdiff_t columns_max = 100, test_columns_max = 160;
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    const bool is_test = file.path.starts_with("test/");
    const std::size_t most = is_test ? test_lines_max : lines_max;
    if (file.lines.size() > most)
      offences.push_back(file.path + ": " + std::to_string(file.lines.size()));
    for (const std::string& line : file.lines) {
      const bool tab = line.find('\t') != std::string::npos;
      const auto columns =
          std::ranges::count_if(line, [](unsigned char c) { return (c & 0xc0) != 0x80; });
      if (tab || columns > (is_test ? test_columns_max : columns_max))
        offences.push_back(file.path + ": " + line);
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("unfinished work is not left in the sources", "[tidy]") {
  const std::vector<std::string> words = {std::string("TO") + "DO", std::string("FIX") + "ME"};
  std::vector<std::string> offences;
  for (const SourceFile& file : sources()) {
    for (const std::string& line : file.lines) {
      for (const std::string& word : words) {
        if (line.find(word) != std::string::npos) offences.push_back(file.path + ": " + line);
      }
    }
  }
  CHECK(listed(offences) == "");
}

TEST_CASE("the tidy rules see the sources and know an offence", "[tidy]") {
  CHECK(sources().size() > 50);
  CHECK_FALSE(may_include("config", "pipeline"));
  CHECK_FALSE(may_include("pipeline", "receivers/otlp"));
  CHECK_FALSE(may_include("receivers/otlp", "exporters/otlp"));
  CHECK_FALSE(may_include("receivers/otlp", "receivers/zipkin"));
  CHECK_FALSE(may_include("cmd", "test"));
  CHECK(may_include("receivers/otlp", "pipeline"));
  CHECK(library("boost/asio/post.hpp") == "boost");
  CHECK(library("vector").empty());
}

}  // namespace
