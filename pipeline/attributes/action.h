#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/node.h"
#include "pipeline/attributes/key_table.h"

namespace re2 {
class RE2;
}

namespace sluice {

/// An attribute with a value that configuration gives: encoded once, copied into every span.
struct ConstantAttribute {
  std::string value;  ///< content of the AnyValue
  std::string field;  ///< the whole KeyValue as a field of its parent
};

/// One of the collector's attribute actions.
struct AttributeAction {
  enum class Kind { insert, update, upsert, erase, hash, extract, convert };
  enum class Type { string, integer, real };

  Kind kind = Kind::insert;
  std::string key;  ///< empty: erase and hash go by the pattern alone
  std::uint16_t key_number = KeyTable::none;
  std::optional<ConstantAttribute> value, default_value;
  std::string from_attribute, from_context;
  std::uint16_t from_number = KeyTable::none;
  std::shared_ptr<const re2::RE2> pattern;  ///< of keys (erase, hash) or of the value (extract)
  std::vector<std::string> groups;          ///< extract: the keys that the pattern's groups give
  std::vector<std::uint16_t> group_numbers;
  Type converted_type = Type::string;
};

/// A list of actions, decoded once and shared by all instances.
struct AttributeActions {
  /// Reads the list under `key`; `number` is the field that holds the attributes in the message to
  /// be edited.
  static AttributeActions decode(const config::Node& node, std::string_view key,
                                 std::uint32_t number);

  /// Sets each of these keys to its encoded value; where one is there already, only if `overrides`.
  static AttributeActions setting(
      const std::vector<std::pair<std::string, std::string>>& attributes, bool overrides,
      std::uint32_t number);

  bool reads_context() const;

  std::vector<AttributeAction> list;
  std::uint32_t number = 0;
  KeyTable keys;              ///< all that the actions name
  bool looks_at_all = false;  ///< an action goes by a pattern of keys
};

/// A regular expression, which says itself whether it is `ok`. Go's `(?<name>` is understood.
std::shared_ptr<const re2::RE2> compiled_pattern(const std::string& text);
/// One of the configuration, or null with the error recorded.
std::shared_ptr<const re2::RE2> decode_pattern(const config::Node& node, std::string_view key,
                                               std::string text);

}  // namespace sluice
