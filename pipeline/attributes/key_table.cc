#include "pipeline/attributes/key_table.h"

#include <algorithm>
#include <utility>

#include "pipeline/ensure.h"

namespace sluice {

KeyTable::KeyTable(std::vector<std::string> keys) : keys_(std::move(keys)) {
  const auto shorter = [](const std::string& left, const std::string& right) {
    return std::pair(left.size(), std::string_view(left)) <
           std::pair(right.size(), std::string_view(right));
  };
  std::sort(keys_.begin(), keys_.end(), shorter);
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  ensure(keys_.size() < none, "the configuration names fewer keys than there are numbers");
  std::size_t at = 0;
  for (std::size_t length = 0; length < begin_.size(); ++length) {
    while (at < keys_.size() && std::min(keys_[at].size(), lengths_max) < length) ++at;
    begin_[length] = static_cast<std::uint16_t>(at);
  }
}

}  // namespace sluice
