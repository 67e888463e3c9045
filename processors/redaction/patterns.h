#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace re2 {
class RE2;
}

namespace sluice::redaction {

/// A list of patterns, decoded once and shared by all instances. Whether any of them is found in a
/// text takes one pass over it, however many there are.
class Patterns {
 public:
  Patterns() = default;
  /// Reads the list under `key`.
  Patterns(const config::Node& node, std::string_view key);

  bool empty() const { return list_.empty(); }
  /// In what is no UTF-8, patterns do not find what they should: it is looked at as if it were
  /// repaired.
  bool found_in(std::string_view text) const;

  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

 private:
  struct Together;
  bool any_found_in(std::string_view text) const;
  std::vector<std::shared_ptr<const re2::RE2>> list_;
  std::shared_ptr<const Together> together_;  ///< null where it is of no use
};

}  // namespace sluice::redaction
