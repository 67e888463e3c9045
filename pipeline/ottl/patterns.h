#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/expression.h"
#include "pipeline/ottl/plain_pattern.h"

namespace re2 {
class RE2;
class StringPiece;
}  // namespace re2

namespace sluice::ottl {

/// The regular expression (RE2) that an argument is: compiled with the statement where it is
/// constant, each time where it is not.
class Pattern {
 public:
  Pattern(Evaluation& in, const Call& call, std::size_t index);
  Pattern(const re2::RE2& pattern, const Shortcut& shortcut)
      : pattern_(&pattern), shortcut_(&shortcut) {}
  /// False where there is none: the evaluation has failed.
  explicit operator bool() const { return pattern_ != nullptr; }
  const re2::RE2& operator*() const { return *pattern_; }
  bool found_in(std::string_view text) const;
  /// The first match at `from` or behind it, with as many of its groups as there is room for.
  bool find(std::string_view text, std::size_t from, std::span<re2::StringPiece> groups) const;

 private:
  std::shared_ptr<const re2::RE2> made_;
  const re2::RE2* pattern_ = nullptr;
  const Shortcut* shortcut_ = nullptr;
};

/// What makes a search cheap: where every match of a pattern begins with the same text, RE2 need
/// not be asked about any other place; and where it goes on plainly, not at all.
struct Shortcut {
  explicit Shortcut(const re2::RE2& pattern);

  std::string prefix;
  std::optional<PlainPattern> plain;
};

/// Null, with what is wrong, where it is none.
std::shared_ptr<const re2::RE2> make_pattern(std::string_view text, std::string& mistake);
/// For `prepare`: compiles the constant at `index` into call.pattern.
std::string prepare_pattern(Call& call, std::size_t index);

}  // namespace sluice::ottl
