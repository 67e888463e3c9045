#include "pipeline/model/request_context.h"

#include <algorithm>

namespace sluice {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

}  // namespace

std::vector<std::string_view> RequestContext::metadata_values(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : metadata) {
    if (same_name(name, key)) values.push_back(value);
  }
  return values;
}

std::string RequestContext::metadata_value(std::string_view key) const {
  std::string joined;
  bool any = false;
  for (const std::string_view value : metadata_values(key)) {
    if (any) joined += ';';
    joined += value;
    any = true;
  }
  return joined;
}

}  // namespace sluice
