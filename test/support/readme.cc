#include "test/support/readme.h"

#include <algorithm>
#include <fstream>
#include <set>

namespace sluice::test {
namespace {

std::vector<std::string> lines_of(std::string_view readme) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + '/' + std::string(readme));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The words in backquotes of a table row's first cell.
std::vector<std::string> names_in_row(std::string_view row) {
  std::vector<std::string> names;
  std::string_view cell = row.substr(1, row.find('|', 1) - 1);
  for (std::size_t open = cell.find('`'); open != std::string_view::npos; open = cell.find('`')) {
    const std::size_t close = cell.find('`', open + 1);
    if (close == std::string_view::npos) break;
    names.emplace_back(cell.substr(open + 1, close - open - 1));
    cell.remove_prefix(close + 1);
  }
  return names;
}

/// "tls" covers "tls.insecure" and "actions" covers "actions[].key".
bool covers(const std::string& block, const std::string& key) {
  return key == block || key.starts_with(block + '.') || key.starts_with(block + "[]");
}

void compare(const std::vector<std::string>& documented, const std::set<std::string>& asked,
             std::vector<std::string>& mistakes) {
  for (const std::string& key : asked) {
    const bool found = std::ranges::any_of(
        documented, [&key](const std::string& name) { return covers(name, key); });
    if (!found) mistakes.push_back("the option " + key + " is decoded and not documented");
  }
  for (const std::string& name : documented) {
    const bool found =
        std::ranges::any_of(asked, [&name](const std::string& key) { return covers(name, key); });
    if (!found) mistakes.push_back("the option " + name + " is documented and not decoded");
  }
}

}  // namespace

std::vector<std::string> readme_examples(std::string_view readme) {
  std::vector<std::string> examples;
  bool inside = false;
  for (const std::string& line : lines_of(readme)) {
    if (inside && line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      examples.back() += line + '\n';
    } else if (line.starts_with("```yaml")) {
      inside = true;
      examples.emplace_back();
    }
  }
  return examples;
}

std::vector<std::string> readme_options(std::string_view readme) {
  std::vector<std::string> options;
  int depth = 0;  // of the heading "Options"; deeper headings belong to it
  for (const std::string& line : lines_of(readme)) {
    const int level = static_cast<int>(std::min(line.find_first_not_of('#'), line.size()));
    if (level > 0) {
      const bool heading = line.substr(static_cast<std::size_t>(level)).find("Options") == 1;
      if (heading || level <= depth) depth = heading ? level : 0;
    } else if (depth > 0 && line.starts_with('|')) {
      for (std::string& name : names_in_row(line)) options.push_back(std::move(name));
    }
  }
  return options;
}

std::vector<std::string> readme_mistakes(std::string_view readme, std::string_view section,
                                         std::string_view type,
                                         const std::function<void(const config::Node&)>& decode) {
  std::vector<std::string> mistakes;
  std::set<std::string> asked;
  std::size_t decoded = 0;
  for (const std::string& example : readme_examples(readme)) {
    config::Problems problems;
    const config::Node root = config::parse_text(example, std::string(readme), problems);
    for (const auto& [id, node] : root.child(section).entries()) {
      if (id.substr(0, id.find('/')) != type) continue;
      decode(node);
      ++decoded;
      for (const std::string& key : node.known_keys()) asked.insert(key);
    }
    for (const config::Problem& problem : problems.list()) mistakes.push_back(problem.to_string());
  }
  if (decoded == 0) mistakes.push_back("no example configures " + std::string(type));
  compare(readme_options(readme), asked, mistakes);
  return mistakes;
}

}  // namespace sluice::test
