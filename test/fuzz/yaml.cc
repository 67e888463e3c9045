/// Any bytes as a configuration: parsed, decoded as a whole document, every value asked for in
/// every way, and every message written. Nothing may crash, hang, or pass a limit unseen.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/document.h"
#include "config/node.h"

using namespace sluice;

namespace {

std::size_t walk(const config::Node& node) {
  std::string text;
  bool flag = false;
  std::int64_t integer = 0;
  double real = 0;
  std::chrono::nanoseconds duration{};
  std::vector<std::string> list;
  node.scalar();
  std::size_t count = 1;
  if (node.kind() == config::Node::Kind::list) {
    for (const config::Node& item : node.list()) count += walk(item);
  }
  if (node.kind() != config::Node::Kind::map) return count;
  for (const auto& [key, child] : node.entries()) {
    node.optional(key, text);
    node.optional(key, flag);
    node.optional(key, integer);
    node.optional(key, real);
    node.optional(key, duration);
    node.optional(key, list);
    count += walk(child);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Problems problems;
  const config::Node root = config::parse_text(text, "fuzz.yaml", problems);
  if (walk(root) > 10'000) std::abort();
  root.known_keys();
  for (const bool traces_only : {false, true}) {
    // References would read files of the machine; a dollar is all that the text loses.
    std::string harmless(text);
    for (char& c : harmless) c = c == '$' ? 'S' : c;
    config::Problems more;
    config::load_text(harmless, "fuzz.yaml", more, traces_only);
    for (const config::Problem& problem : more.list()) {
      if (problem.to_string().find('\n') != std::string::npos) std::abort();
    }
    more.report();
  }
  return 0;
}
