#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/error.h"
#include "config/node.h"

namespace sluice::config {

struct Value;
using ValuePtr = std::shared_ptr<const Value>;

/// One key of a map with what it holds.
struct Entry {
  std::string key;
  Position position;  ///< of the key
  ValuePtr value;
};

/// What was written, before anyone asks for it: immutable, shared between aliases, merged files and
/// nodes. Merging and expansion make new values and keep the positions of the old.
struct Value {
  Node::Kind kind = Node::Kind::null;
  Position position;
  std::string text;             ///< a scalar as it was written, without quotes
  bool plain = false;           ///< a scalar without quotes: YAML's rules give it its type
  bool flow = false;            ///< a map or list in braces or brackets
  std::vector<Entry> entries;   ///< a map, in order of the file, keys unique
  std::vector<ValuePtr> items;  ///< a list

  const Entry* find(std::string_view key) const;
};

/// Everything that bounds what a configuration may cost.
namespace limits {
constexpr std::size_t file_bytes = 1 << 20;
constexpr int depth = 64;
constexpr std::size_t nodes = 10'000;  ///< counted as visited: an alias counts what it stands for
}  // namespace limits

/// Nodes over a tree of values, for decoding. `problems` outlives them.
Node make_node(const ValuePtr& value, std::string path, Problems& problems);

}  // namespace sluice::config
