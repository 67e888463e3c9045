#include "pipeline/ottl/patterns.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "pipeline/attributes/action.h"
#include "pipeline/model/span_view.h"
#include "pipeline/ottl/library.h"

// A search by RE2 costs 90 ns in a text of 20 bytes, and 200 ns if it is to say where the match is.
// A match that is tried at one place costs RE2 70 ns; where the pattern is plain, the whole search
// takes 30, and one that finds no place to try less than 5.
namespace sluice::ottl {
namespace {

/// So many places are tried one by one. RE2 takes time in proportion to the text for all of them
/// together, which trying each would not.
constexpr int places_max = 8;

/// What all matches begin with: they lie between two texts, so it is what these have in common. RE2
/// finds these for a whole text, at whose ends \b and \B say something else than in the middle.
std::string prefix_of(const re2::RE2& pattern) {
  const std::string& text = pattern.pattern();
  if (text.find("\\b") != std::string::npos || text.find("\\B") != std::string::npos) return {};
  std::string least, greatest;
  if (!pattern.PossibleMatchRange(&least, &greatest, 64)) return {};
  return {least.begin(), std::ranges::mismatch(least, greatest).in1};
}

/// `text.find`, by the first bytes of `wanted` at once: faster in texts as short as attributes are.
template <typename Word>
std::size_t find_from(std::string_view text, std::string_view wanted, std::size_t from) {
  Word first;
  std::memcpy(&first, wanted.data(), sizeof first);
  for (; from + wanted.size() <= text.size(); ++from) {
    Word here;
    std::memcpy(&here, text.data() + from, sizeof here);
    if (here == first && same_key(text.substr(from, wanted.size()), wanted)) return from;
  }
  return std::string_view::npos;
}

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
  if (wanted.size() >= 8) return find_from<std::uint64_t>(text, wanted, from);
  if (wanted.size() >= 4) return find_from<std::uint32_t>(text, wanted, from);
  return text.find(wanted, from);
}

}  // namespace

Shortcut::Shortcut(const re2::RE2& pattern) : plain(PlainPattern::of(pattern.pattern())) {
  prefix = plain ? plain->prefix() : prefix_of(pattern);
}

Pattern::Pattern(Evaluation& in, const Call& call, std::size_t index) {
  if (call.pattern) {
    pattern_ = call.pattern.get();
    shortcut_ = call.shortcut.get();
    return;
  }
  const Value text = call.argument(in, index);
  if (text.failed()) return;
  std::string mistake;
  made_ = make_pattern(text.text, mistake);
  if (!made_) in.fail(mistake);
  pattern_ = made_.get();
}

bool Pattern::found_in(std::string_view text) const { return find(text, 0, {}); }

bool Pattern::find(std::string_view text, std::size_t from,
                   std::span<re2::StringPiece> groups) const {
  const auto match = [&](re2::RE2::Anchor anchor) {
    return pattern_->Match(re2::StringPiece(text.data(), text.size()), from, text.size(), anchor,
                           groups.data(), static_cast<int>(groups.size()));
  };
  if (shortcut_ == nullptr || shortcut_->prefix.empty()) return match(re2::RE2::UNANCHORED);
  const auto& [prefix, plain] = *shortcut_;
  for (int i = 0; i < places_max; ++i, ++from) {
    from = find_text(text, prefix, from);
    if (from == std::string_view::npos) return false;
    const std::size_t end =
        plain ? plain->end_of(text, from + prefix.size()) : PlainPattern::unsure;
    if (end == PlainPattern::none) continue;
    if (end == PlainPattern::unsure) {
      if (match(re2::RE2::ANCHOR_START)) return true;
      continue;
    }
    if (!groups.empty()) groups[0] = {text.data() + from, end - from};
    return true;
  }
  return match(re2::RE2::UNANCHORED);
}

std::shared_ptr<const re2::RE2> make_pattern(std::string_view text, std::string& mistake) {
  auto pattern = compiled_pattern(std::string(text));
  if (pattern->ok()) return pattern;
  mistake = "not a regular expression (RE2): " + pattern->error();
  return nullptr;
}

std::string prepare_pattern(Call& call, std::size_t index) {
  const Value* const text = call.arguments[index].value->constant();
  std::string mistake;
  if (text == nullptr) return mistake;
  call.pattern = make_pattern(text->text, mistake);
  if (call.pattern) call.shortcut = std::make_shared<const Shortcut>(*call.pattern);
  return mistake;
}

namespace library {

std::string compile_pattern(Call& call) { return prepare_pattern(call, 1); }

std::string compile_groups(Call& call) {
  std::string mistake = prepare_pattern(call, 1);
  if (mistake.empty() && call.pattern && call.pattern->NamedCapturingGroups().empty())
    mistake = "the pattern needs a named group, such as (?P<name>…)";
  return mistake;
}

Value is_match(Evaluation& in, const Call& call) {
  const Pattern pattern(in, call, 1);
  if (!pattern) return Value::failure();
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  return Value::of_boolean(!text.is_nil() && pattern.found_in(text.text));
}

Value extract_patterns(Evaluation& in, const Call& call) {
  const Pattern pattern(in, call, 1);
  if (!pattern) return Value::failure();
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const re2::RE2& expression = *pattern;
  if (expression.NamedCapturingGroups().empty())
    return in.fail("the pattern needs a named group, such as (?P<name>…)");
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
  MapBuilder map;
  if (expression.Match(re2::StringPiece(text.text.data(), text.text.size()), 0, text.text.size(),
                       re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    for (const auto& [number, name] : expression.CapturingGroupNames()) {
      const re2::StringPiece& group = groups[static_cast<std::size_t>(number)];
      map.put(name, Value::of_string({group.data(), group.size()}));
    }
  }
  return map.finish(in.arena);
}

}  // namespace library
}  // namespace sluice::ottl
