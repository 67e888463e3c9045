#include "config/error.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

namespace sluice::config {
namespace {

constexpr std::size_t quoted_bytes_max = 80;
constexpr std::size_t problems_max =
    1000;  // nobody reads more, and each is put in its place by moving others

/// One message is one line on a terminal, whatever the file holds.
std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  if (text.size() <= quoted_bytes_max) return '"' + escaped(text) + '"';
  std::size_t end = quoted_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;  // whole characters
  return '"' + escaped(text.substr(0, end)) + "…\"";
}

std::string Problem::to_string() const {
  std::string out = escaped(position.file);
  if (position.line > 0) {
    out += ':' + std::to_string(position.line) + ':' + std::to_string(position.column);
  }
  if (!out.empty()) out += ": ";
  if (!path.empty()) out += escaped(path) + ": ";
  return out + escaped(message);
}

void Problems::error(Position position, std::string path, std::string message) {
  add({std::move(position), std::move(path), std::move(message), true});
}

void Problems::warning(Position position, std::string path, std::string message) {
  add({std::move(position), std::move(path), std::move(message), false});
}

void Problems::add(Problem problem) {
  if (list_.size() == problems_max) {
    ++unlisted_count_;
    if (problem.fatal) ++error_count_;
    return;
  }
  const auto order = [this](const Problem& one) {
    return std::tuple(rank(one.position), one.position.line, one.position.column);
  };
  const auto place = order(problem);
  const auto after = std::ranges::upper_bound(list_, place, {}, order);
  for (auto same = after; same != list_.begin() && order(*std::prev(same)) == place; --same) {
    const Problem& one = *std::prev(same);
    if (one.path == problem.path && one.message == problem.message) return;
  }
  if (problem.fatal) ++error_count_;
  list_.insert(after, std::move(problem));
}

void Problems::without_effect(std::string path) {
  if (std::ranges::find(without_effect_, path) == without_effect_.end()) {
    without_effect_.push_back(std::move(path));
  }
}

void Problems::source(std::string file, std::string text) {
  for (auto& [name, known] : sources_) {
    if (name == file) {
      known = std::move(text);
      return;
    }
  }
  sources_.emplace_back(std::move(file), std::move(text));
}

std::string_view Problems::source_of(std::string_view file) const {
  for (const auto& [name, text] : sources_) {
    if (name == file) return text;
  }
  return {};
}

/// What concerns no file that was read (a file that is missing) comes first.
std::size_t Problems::rank(const Position& position) const {
  const auto source = std::ranges::find_if(
      sources_, [&position](const auto& one) { return one.first == position.file; });
  return source == sources_.end() ? 0 : static_cast<std::size_t>(source - sources_.begin()) + 1;
}

}  // namespace sluice::config
