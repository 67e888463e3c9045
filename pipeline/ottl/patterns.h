#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/expression.h"

namespace re2 {
class RE2;
}

namespace sluice::ottl {

/// The regular expression (RE2) that an argument is: compiled with the statement where it is
/// constant, each time where it is not.
class Pattern {
 public:
  Pattern(Evaluation& in, const Call& call, std::size_t index);
  /// False where there is none: the evaluation has failed.
  explicit operator bool() const { return pattern_ != nullptr; }
  const re2::RE2& operator*() const { return *pattern_; }
  bool found_in(std::string_view text) const;

 private:
  std::shared_ptr<const re2::RE2> made_;
  const re2::RE2* pattern_ = nullptr;
};

/// Null, with what is wrong, where it is none.
std::shared_ptr<const re2::RE2> make_pattern(std::string_view text, std::string& mistake);
/// For `prepare`: compiles the constant at `index` into call.pattern.
std::string prepare_pattern(Call& call, std::size_t index);

}  // namespace sluice::ottl
