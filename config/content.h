#pragma once

#include <map>
#include <set>

#include "config/value.h"

namespace sluice::config {

/// What a Node points to: a place in the tree, and the record of what was asked there, which all
/// handles to the place share. Absent children are kept too, so that the record knows the options
/// of blocks that the file does not have. Single-threaded, as decoding is.
struct Node::Content {
  Kind kind = Kind::absent;
  ValuePtr value;  ///< null where absent
  std::string path;
  Position position;
  Problems* problems = nullptr;  ///< null: nobody listens
  Position key_position;  ///< of the key that this stands under; `position` where there is none
  std::vector<std::shared_ptr<const Content>>
      entries;  ///< in the order of `value`'s, which have the keys
  std::vector<std::shared_ptr<const Content>> items;

  mutable std::map<std::string, std::shared_ptr<const Content>, std::less<>> absent;
  mutable std::set<std::string, std::less<>> asked;
  mutable std::set<std::string, std::less<>> ignored;  ///< accepted without effect
  mutable std::set<std::string, std::less<>> secrets;  ///< asked for as Secret
  mutable bool free_keys = false;   ///< entries() was called: the keys are the user's own
  mutable bool complained = false;  ///< said already that this is no map

  /// The child under `key`; null where there is none.
  const Content* find(std::string_view key) const;
  std::string path_of(std::string_view key) const;
  /// True for a map; a null or absent one is an empty map, anything else is complained about once.
  bool is_map() const;
};

}  // namespace sluice::config
