#include "pipeline/ottl/glob.h"

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/ottl/utf8.h"

namespace sluice::ottl {
namespace {

/// How many alternatives in braces are tried, over all of them.
constexpr std::size_t alternatives_max = 256;

/// Behind the set that begins with a bracket at the start of `glob`; 0 where none is closed.
std::size_t set_size(std::string_view glob) {
  const std::size_t end = glob.find(']', glob.size() > 1 && glob[1] == '!' ? 3 : 2);
  return end == std::string_view::npos ? 0 : end + 1;
}

bool in_set(std::string_view set, std::uint32_t code) {
  set = set.substr(1, set.size() - 2);
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const Character low = first_character(set);
    set.remove_prefix(low.size);
    Character high = low;
    if (set.size() > 1 && set[0] == '-') {
      high = first_character(set.substr(1));
      set.remove_prefix(1 + high.size);
    }
    found = found || (low.code <= code && code <= high.code);
  }
  return found != negated;
}

/// One element of a glob without braces against the start of `text`: how much of each it takes.
struct Step {
  std::size_t glob = 0, text = 0;
  bool fits = false;
};
Step step(std::string_view glob, std::string_view text) {
  const Character character = first_character(text);
  if (glob[0] == '?') return {1, character.size, true};
  if (glob[0] == '[') {
    if (const std::size_t size = set_size(glob))
      return {size, character.size, in_set(glob.substr(0, size), character.code)};
  }
  const std::size_t escape = glob[0] == '\\' && glob.size() > 1 ? 1 : 0;
  return {escape + 1, 1, glob[escape] == text[0]};
}

/// Without braces: on a mismatch the last star takes one more character.
bool plain_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size() || g < glob.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = ++g;
      star_text = t;
      continue;
    }
    if (g < glob.size() && t < text.size()) {
      const Step taken = step(glob.substr(g), text.substr(t));
      if (taken.fits) {
        g += taken.glob;
        t += taken.text;
        continue;
      }
    }
    if (star == std::string_view::npos || star_text >= text.size()) return false;
    t = ++star_text;
    g = star;
  }
  return true;
}

/// Where the braces that open at `open` close, and the commas between; empty where they do not.
std::vector<std::size_t> alternatives(std::string_view glob, std::size_t open) {
  std::vector<std::size_t> marks = {open};
  int depth = 0;
  for (std::size_t i = open; i < glob.size(); ++i) {
    if (glob[i] == '\\') {
      ++i;
    } else if (glob[i] == '{') {
      ++depth;
    } else if (glob[i] == ',' && depth == 1) {
      marks.push_back(i);
    } else if (glob[i] == '}' && --depth == 0) {
      marks.push_back(i);
      return marks;
    }
  }
  return {};
}

std::size_t find_brace(std::string_view glob) {
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '\\') {
      ++i;
    } else if (glob[i] == '{') {
      return i;
    }
  }
  return std::string_view::npos;
}

bool matches(std::string_view glob, std::string_view text, std::size_t& tries) {
  const std::size_t open = find_brace(glob);
  const std::vector<std::size_t> marks =
      open == std::string_view::npos ? std::vector<std::size_t>() : alternatives(glob, open);
  if (marks.empty()) return plain_matches(glob, text);
  for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
    if (tries++ == alternatives_max) return false;
    std::string one(glob.substr(0, open));
    one += glob.substr(marks[i] + 1, marks[i + 1] - marks[i] - 1);
    one += glob.substr(marks.back() + 1);
    if (matches(one, text, tries)) return true;
  }
  return false;
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t tries = 0;
  return matches(glob, text, tries);
}

}  // namespace sluice::ottl
