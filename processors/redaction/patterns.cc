#include "processors/redaction/patterns.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <string>
#include <utility>

#include "pipeline/attributes/action.h"
#include "pipeline/utf8.h"

namespace sluice::redaction {

struct Patterns::Together {
  re2::RE2::Set set{re2::RE2::Quiet, re2::RE2::UNANCHORED};
};

Patterns::Patterns(const config::Node& node, std::string_view key) {
  std::vector<std::string> texts;
  node.optional(key, texts);
  for (std::string& text : texts) {
    if (auto pattern = decode_pattern(node, key, std::move(text)))
      list_.push_back(std::move(pattern));
  }
  if (list_.size() < 2) return;
  auto together = std::make_shared<Together>();
  const bool complete = std::all_of(list_.begin(), list_.end(), [&](const auto& pattern) {
    return together->set.Add(pattern->pattern(), nullptr) >= 0;
  });
  if (complete && together->set.Compile()) together_ = std::move(together);
}

bool Patterns::found_in(std::string_view text) const {
  if (list_.empty()) return false;
  return valid_utf8(text) ? any_found_in(text) : any_found_in(repair_utf8(text));
}

bool Patterns::any_found_in(std::string_view text) const {
  const re2::StringPiece piece(text.data(), text.size());
  if (together_) {
    re2::RE2::Set::ErrorInfo error{};
    if (together_->set.Match(piece, nullptr, &error)) return true;
    if (error.kind == re2::RE2::Set::kNoError) return false;
  }
  return std::any_of(list_.begin(), list_.end(), [&piece](const auto& pattern) {
    return re2::RE2::PartialMatch(piece, *pattern);
  });
}

}  // namespace sluice::redaction
