#include "pipeline/ottl/patterns.h"

#include <re2/re2.h>

#include <vector>

#include "pipeline/attributes/action.h"
#include "pipeline/ottl/library.h"

namespace sluice::ottl {

Pattern::Pattern(Evaluation& in, const Call& call, std::size_t index) {
  if (call.pattern) {
    pattern_ = call.pattern.get();
    return;
  }
  const Value text = call.argument(in, index);
  if (text.failed()) return;
  std::string mistake;
  made_ = make_pattern(text.text, mistake);
  if (!made_) in.fail(mistake);
  pattern_ = made_.get();
}

bool Pattern::found_in(std::string_view text) const {
  return pattern_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                         re2::RE2::UNANCHORED, nullptr, 0);
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
  if (text != nullptr) call.pattern = make_pattern(text->text, mistake);
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
