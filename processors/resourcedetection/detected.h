#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::resourcedetection {

/// What a detector found: keys with their encoded values, in order.
struct Detected {
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string schema_url;  ///< empty: says nothing about it

  void add(std::string_view key, std::string value) {
    attributes.emplace_back(key, std::move(value));
  }
};

}  // namespace sluice::resourcedetection
