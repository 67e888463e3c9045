#include <re2/re2.h>

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "processors/tail_sampling/policies/attribute_condition.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

struct Texts {
  std::unordered_set<std::string> exact;  ///< never the empty text
  std::vector<std::unique_ptr<const re2::RE2>> patterns;

  bool match(std::string_view text) const {
    if (patterns.empty()) return exact.contains(std::string(text));
    for (const auto& pattern : patterns) {
      if (re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern)) return true;
    }
    return false;
  }
};

/// A value of another type reads as the empty text, which of a span never matches, as in the
/// collector.
class HasText final : public AttributeCondition {
 public:
  HasText(std::string key, Texts texts)
      : AttributeCondition(std::move(key)), texts_(std::move(texts)) {}

 private:
  bool meets(const AnyValueView& value) const override { return texts_.match(text_of(value)); }
  bool meets_of_span(const AnyValueView& value) const override {
    return !text_of(value).empty() && meets(value);
  }
  static std::string_view text_of(const AnyValueView& value) {
    return value.type() == AnyValueView::Type::string ? value.string() : std::string_view();
  }
  Texts texts_;
};

void add_pattern(const config::Node& node, const std::string& text, Texts& texts) {
  auto pattern = std::make_unique<re2::RE2>(text, re2::RE2::Quiet);
  if (!pattern->ok()) node.error("", "not a regular expression: " + pattern->error());
  texts.patterns.push_back(std::move(pattern));
}

}  // namespace

std::unique_ptr<Policy> decode_string_attribute(const config::Node& options,
                                                Conditions& conditions) {
  std::string key;
  bool are_patterns = false, inverted = false;
  Texts texts;
  options.required("key", key);
  options.optional("enabled_regex_matching", are_patterns);
  options.optional("invert_match", inverted);
  const std::vector<config::Node> values = options.child("values").list();
  for (const config::Node& value : values) {
    const std::string text = value.as_string();
    if (are_patterns)
      add_pattern(value, text, texts);
    else if (!text.empty())
      texts.exact.insert(text);
  }
  if (values.empty()) options.error("values", "at least one value is required");
  options.accepted_without_effect({"cache_max_size"});
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasText>(std::move(key), std::move(texts)),
                  inverted);
}

}  // namespace sluice::tail_sampling
