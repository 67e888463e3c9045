#include "test/support/readme.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "config/document.h"
#include "config/service.h"
#include "test/config/problems.h"

using namespace sluice;
using test::Lines;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The words between `quote`s in `text`.
std::vector<std::string> between(std::string_view text, char quote) {
  std::vector<std::string> words;
  for (std::size_t open = text.find(quote); open != std::string_view::npos;
       open = text.find(quote)) {
    const std::size_t close = text.find(quote, open + 1);
    if (close == std::string_view::npos) break;
    words.emplace_back(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
  return words;
}

/// The keys that the sources accept without effect.
std::set<std::string> keys_in_sources() {
  constexpr std::string_view call = "accepted_without_effect({";
  std::set<std::string> keys;
  for (const char* folder :
       {"config", "pipeline", "receivers", "processors", "exporters", "extensions"}) {
    const std::filesystem::path root = std::filesystem::path(SLUICE_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cc") continue;
      std::string text = read(entry.path());
      std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
      for (std::size_t at = text.find(call); at != std::string::npos;
           at = text.find(call, at + 1)) {
        const std::string_view arguments(text.data() + at, text.find('}', at) - at);
        for (std::string& key : between(arguments, '"')) keys.insert(std::move(key));
      }
    }
  }
  return keys;
}

/// The second column of the table in config/README.md.
std::set<std::string> keys_in_readme() {
  const std::string text = read(std::filesystem::path(SLUICE_SOURCE_DIR) / "config/README.md");
  const std::size_t begin = text.find("## Keys accepted without effect");
  const std::string section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
  std::set<std::string> keys;
  for (std::size_t row = section.find("\n|"); row != std::string::npos;
       row = section.find("\n|", row + 1)) {
    const std::size_t second = section.find('|', row + 2);
    const std::size_t third = section.find('|', second + 1);
    for (std::string& key : between(section.substr(second, third - second), '`'))
      keys.insert(std::move(key));
  }
  return keys;
}

Lines difference(const std::set<std::string>& a, const std::set<std::string>& b) {
  Lines out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out;
}

}  // namespace

TEST_CASE("the list of keys without effect is that of the sources", "[config][readme]") {
  const std::set<std::string> accepted = keys_in_sources(), listed = keys_in_readme();
  REQUIRE(accepted.size() > 10);
  CHECK(difference(accepted, listed) == Lines{});
  CHECK(difference(listed, accepted) == Lines{});
}

TEST_CASE("the README of the configuration has an example that loads", "[config][readme]") {
  const std::vector<std::string> examples = test::readme_examples("config/README.md");
  REQUIRE(examples.size() == 1);
  config::Problems problems;
  const config::Document document = config::load_text(examples[0], "README.md", problems);
  CHECK(test::lines(problems) == Lines{});
  CHECK(document.service.in_flight_bytes == 128 << 20);
}

TEST_CASE("the README of the configuration lists the options of the service", "[config][readme]") {
  config::Problems problems;
  const std::string example = test::readme_examples("config/README.md").at(0);
  const config::Node service = config::parse_text(example, "README.md", problems).child("service");
  config::decode_service(service);
  std::vector<std::string> documented = test::readme_options("config/README.md");
  std::ranges::sort(documented);
  // Both shapes of the resource are one row.
  CHECK(service.known_keys() == documented);
}

TEST_CASE("a README whose table lies is found out", "[config][readme]") {
  const auto decode = [](const config::Node& node) {
    bool flag = false;
    node.optional("undocumented", flag);
    std::int64_t size = 0;
    node.optional("send_batch_size", size);
    std::chrono::nanoseconds timeout{};
    node.optional("timeout", timeout);
    node.no_other_keys();
  };
  const std::vector<std::string> mistakes =
      test::readme_mistakes("processors/batch/README.md", "processors", "batch", decode);
  const auto told = [&mistakes](std::string_view text) {
    return std::ranges::any_of(mistakes,
                               [text](const std::string& one) { return one.ends_with(text); });
  };
  CHECK(told("the option undocumented is decoded and not documented"));
  CHECK(told("the option metadata_keys is documented and not decoded"));
  CHECK(told("processors.batch.metadata_keys: unknown key"));
  CHECK_FALSE(told("the option timeout is documented and not decoded"));
  CHECK(test::readme_mistakes("processors/batch/README.md", "processors", "other", decode).at(0) ==
        "no example configures other");
}
