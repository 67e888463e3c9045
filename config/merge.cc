#include "config/merge.h"

namespace sluice::config {

ValuePtr merge(const ValuePtr& base, const ValuePtr& over) {
  if (base->kind != Node::Kind::map || over->kind != Node::Kind::map) return over;
  auto merged = std::make_shared<Value>(*base);
  for (const Entry& entry : over->entries) {
    const Entry* known = base->find(entry.key);
    if (known == nullptr) {
      merged->entries.push_back(entry);
      continue;
    }
    Entry& target = merged->entries[static_cast<std::size_t>(known - base->entries.data())];
    const bool maps = known->value->kind == Node::Kind::map && entry.value->kind == Node::Kind::map;
    if (!maps) target.position = entry.position;
    target.value = merge(known->value, entry.value);
  }
  return merged;
}

}  // namespace sluice::config
