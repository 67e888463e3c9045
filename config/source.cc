#include "config/source.h"

#include <algorithm>
#include <cstdlib>

#include "config/merge.h"
#include "config/provider.h"
#include "config/yaml.h"

namespace sluice::config {
namespace {

ValuePtr refuse(Position position, std::string message, Problems& problems) {
  problems.error(std::move(position), "", std::move(message));
  return nullptr;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

/// "a::b::c" and a value become {a: {b: {c: value}}}.
Entry nested(std::string_view key, const Position& position, const ValuePtr& value) {
  const std::size_t separator = key.find("::");
  if (separator == std::string_view::npos) return {std::string(key), position, value};
  auto map = std::make_shared<Value>();
  map->kind = Node::Kind::map;
  map->position = position;
  map->entries.push_back(nested(key.substr(separator + 2), position, value));
  return {std::string(key.substr(0, separator)), position, std::move(map)};
}

ValuePtr map_of(Entry entry) {
  auto map = std::make_shared<Value>();
  map->kind = Node::Kind::map;
  map->position = entry.position;
  map->entries.push_back(std::move(entry));
  return map;
}

bool too_deep(std::string_view key) { return std::ranges::count(key, ':') > 2 * limits::depth; }

/// Keys at the top may be paths: `processors::batch::timeout: 2s`.
ValuePtr with_paths_opened(const ValuePtr& root, Problems& problems) {
  if (root->kind != Node::Kind::map) return root;
  ValuePtr out;
  for (const Entry& entry : root->entries) {
    if (too_deep(entry.key)) return refuse(entry.position, "nested deeper than 64", problems);
    const ValuePtr one = map_of(nested(entry.key, entry.position, entry.value));
    out = out == nullptr ? one : merge(out, one);
  }
  return out == nullptr ? root : out;
}

ValuePtr read_environment(const std::string& source, const std::string& name, Problems& problems) {
  const EnvironmentUri uri = parse_environment_uri(name);
  const char* text = is_environment_name(uri.name) ? std::getenv(uri.name.c_str()) : nullptr;
  if (text == nullptr && uri.fallback) text = uri.fallback->c_str();
  if (text == nullptr) {
    return refuse({source}, "the environment variable " + uri.name + " is not set", problems);
  }
  return parse_yaml(text, source, problems);
}

ValuePtr read_path(const std::string& path, Problems& problems) {
  std::string error;
  const std::optional<std::string> text = read_file(path, error);
  if (!text) return refuse({path}, "cannot be read: " + error, problems);
  return parse_yaml(*text, path, problems);
}

Position shifted(Position position, int line, int columns) {
  position.line += line - 1;
  position.column += columns;
  return position;
}

/// The same values at the place that they have in the flag.
ValuePtr shifted(const ValuePtr& value, int line, int columns) {
  auto out = std::make_shared<Value>(*value);
  out->position = shifted(value->position, line, columns);
  for (Entry& entry : out->entries) {
    entry.position = shifted(entry.position, line, columns);
    entry.value = shifted(entry.value, line, columns);
  }
  for (ValuePtr& item : out->items) item = shifted(item, line, columns);
  return out;
}

ValuePtr read_set(const std::string& set, int line, Problems& problems) {
  const Position start{"--set", line, 1};
  const std::size_t sign = set.find('=');
  if (sign == std::string::npos) {
    return refuse(start, "expected KEY=VALUE, found " + in_quotes(set), problems);
  }
  std::string key;
  for (const char c : trimmed(std::string_view(set).substr(0, sign))) {
    key += c == '.' ? "::" : std::string(1, c);
  }
  if (key.empty()) return refuse(start, "expected KEY=VALUE, found no key", problems);
  if (too_deep(key)) return refuse(start, "nested deeper than 64", problems);
  Problems here;
  const ValuePtr value = parse_yaml(std::string_view(set).substr(sign + 1), "--set", here);
  const int columns = static_cast<int>(sign) + 1;
  for (const Problem& problem : here.list()) {
    problems.error(shifted(problem.position, line, columns), problem.path, problem.message);
  }
  if (value == nullptr) return nullptr;
  return map_of(nested(key, start, shifted(value, line, columns)));
}

}  // namespace

ValuePtr read_source(const std::string& source, Problems& problems) {
  ValuePtr value;
  const std::optional<Uri> uri = parse_uri(source);
  if (!uri) {
    value = read_path(source, problems);
  } else if (uri->scheme == "file") {
    value = read_path(std::string(uri->rest), problems);
  } else if (uri->scheme == "env") {
    value = read_environment(source, std::string(uri->rest), problems);
  } else if (uri->scheme == "yaml") {
    value = parse_yaml(uri->rest, "yaml", problems);
  } else {
    return refuse({source}, scheme_refusal(uri->scheme), problems);
  }
  return value == nullptr ? nullptr : with_paths_opened(value, problems);
}

ValuePtr read_sets(const std::vector<std::string>& sets, Problems& problems) {
  std::string text;
  for (const std::string& set : sets) text += set + '\n';
  if (!sets.empty()) problems.source("--set", text);
  ValuePtr out = std::make_shared<Value>();
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const ValuePtr one = read_set(sets[i], static_cast<int>(i) + 1, problems);
    if (one != nullptr) out = merge(out, one);
  }
  return out;
}

}  // namespace sluice::config
