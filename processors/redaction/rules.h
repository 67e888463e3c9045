#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pipeline/attributes/key_table.h"
#include "processors/redaction/options.h"

namespace re2 {
class RE2;
}

namespace sluice::redaction {

/// What a key alone decides.
enum class Verdict : std::uint8_t {
  ignored,   ///< passes as it is
  redacted,  ///< goes
  blocked,   ///< its value is masked, unless the value is an allowed one
  looked_at  ///< its value decides
};

/// Bound: remembers 4096 keys of 256 bytes, and looks at every pattern for any other.
class KeyRules {
 public:
  /// `options` outlive it.
  explicit KeyRules(const Options& options);
  Verdict verdict(std::string_view key);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  Verdict judge(std::string_view key) const;

  const Options& options_;
  KeyTable allowed_, ignored_;
  bool patterns_ = false;
  std::unordered_map<std::string, Verdict, Hash, std::equal_to<>> known_;
};

/// What a value decides.
class ValueRules {
 public:
  /// `options` outlive it.
  explicit ValueRules(const Options& options);

  bool any() const { return !options_.blocked_values.empty() || !options_.allowed_values.empty(); }
  bool allowed(std::string_view text) const;
  /// Masks what the patterns find; nothing where that leaves the text as it is. The result is there
  /// until the next call.
  const std::string* masked(std::string_view text);
  /// Masks the whole text, line by line.
  const std::string& masked_whole(std::string_view text);

 private:
  bool mask_matches(const re2::RE2& pattern, std::string_view text, std::string& out) const;
  void append_mask(std::string_view match, std::string& out) const;

  const Options& options_;
  const bool nothing_allowed_,
      nothing_blocked_;  ///< the empty text, which values of other types have
  std::string now_, next_;
};

}  // namespace sluice::redaction
