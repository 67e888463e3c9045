#include "processors/redaction/rules.h"

#include <re2/re2.h>

#include <algorithm>

#include "pipeline/utf8.h"

namespace sluice::redaction {
namespace {

constexpr std::size_t keys_max = 4096, key_size_max = 256;

/// The summary's own attributes pass, but for those of allowed values: as in the collector.
std::vector<std::string> with_summary(std::vector<std::string> keys) {
  for (const char* key :
       {"redaction.redacted.keys", "redaction.redacted.count", "redaction.masked.keys",
        "redaction.masked.count", "redaction.ignored.count"}) {
    keys.emplace_back(key);
  }
  return keys;
}

}  // namespace

KeyRules::KeyRules(const Options& options)
    : options_(options),
      allowed_(with_summary(options.allowed_keys)),
      ignored_(options.ignored_keys),
      patterns_(!options.ignored_key_patterns.empty() || !options.blocked_key_patterns.empty()) {}

Verdict KeyRules::verdict(std::string_view key) {
  if (!patterns_) return judge(key);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const Verdict verdict = judge(key);
  if (known_.size() < keys_max && key.size() <= key_size_max) known_.emplace(key, verdict);
  return verdict;
}

Verdict KeyRules::judge(std::string_view key) const {
  if (ignored_.find(key) != KeyTable::none || options_.ignored_key_patterns.found_in(key))
    return Verdict::ignored;
  if (!options_.allow_all_keys && allowed_.find(key) == KeyTable::none) return Verdict::redacted;
  return options_.blocked_key_patterns.found_in(key) ? Verdict::blocked : Verdict::looked_at;
}

ValueRules::ValueRules(const Options& options)
    : options_(options),
      nothing_allowed_(options.allowed_values.found_in("")),
      nothing_blocked_(options.blocked_values.found_in("")) {}

bool ValueRules::allowed(std::string_view text) const {
  return text.empty() ? nothing_allowed_ : options_.allowed_values.found_in(text);
}

const std::string* ValueRules::masked(std::string_view text) {
  if (!(text.empty() ? nothing_blocked_ : options_.blocked_values.found_in(text))) return nullptr;
  now_ = text;
  if (!valid_utf8(text)) now_ = repair_utf8(text);
  for (const auto& pattern : options_.blocked_values) {
    next_.clear();
    if (mask_matches(*pattern, now_, next_)) now_.swap(next_);
  }
  return now_ != text ? &now_ : nullptr;
}

/// As Go replaces all matches: from left to right, each leftmost one; an empty one right behind the
/// match before does not count.
bool ValueRules::mask_matches(const re2::RE2& pattern, std::string_view text,
                              std::string& out) const {
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece match;
  std::size_t at = 0;
  std::size_t copied = 0;
  std::size_t last_end = std::string_view::npos;
  while (at <= text.size() &&
         pattern.Match(piece, at, piece.size(), re2::RE2::UNANCHORED, &match, 1)) {
    const auto begin = static_cast<std::size_t>(match.data() - text.data());
    const std::size_t end = begin + match.size();
    if (!match.empty() || begin != last_end) {
      out.append(text, copied, begin - copied);
      append_mask({match.data(), match.size()}, out);
      copied = last_end = end;
    }
    at = end;
    if (!match.empty()) continue;
    do ++at;  // to the next character
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  }
  if (last_end == std::string_view::npos) return false;
  out.append(text, copied);
  return true;
}

const std::string& ValueRules::masked_whole(std::string_view text) {
  now_.clear();
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_mask(text.substr(0, end), now_);
    if (end == text.size()) return now_;
    now_ += '\n';
    text.remove_prefix(end + 1);
  }
}

void ValueRules::append_mask(std::string_view match, std::string& out) const {
  if (!options_.digest || !options_.digest->append(match, out)) out += options_.masking_string;
}

}  // namespace sluice::redaction
