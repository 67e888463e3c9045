#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/ottl/arena.h"
#include "pipeline/ottl/value.h"

namespace sluice::ottl {

/// The attributes of a message, or the entries of any map, as something that can be edited. Reading
/// goes straight to the bytes; the first edit makes a list of what is there, in which values stay
/// encoded: those of the message where they lie, new ones in the arena. So does the first question
/// where the message before was edited or asked about more than one key: messages are much alike,
/// and a question to the list walks over no bytes. Of a repeated key the
/// first counts, and an edit of it takes the others along, so that nothing that was to go stays in
/// a duplicate.
class AttributeList {
 public:
  struct Item {
    std::string_view key;
    std::string_view value;  ///< content of the AnyValue
    std::string_view field;  ///< the whole field in the message; empty for a new one
    std::string_view fresh;  ///< what is to stand in its place
    enum class State : std::uint8_t { kept, changed, erased } state = State::kept;
  };

  /// `number`: the field of the message that holds a KeyValue.
  void begin(std::string_view message, std::uint32_t number);
  /// So much of the message is whole fields, none of them an entry.
  void skip(std::size_t size) { message_.remove_prefix(size); }

  std::optional<std::string_view> find(std::string_view key);
  std::size_t size() const;
  bool changed() const { return changed_; }
  /// All of it as a value; after edits a copy in the arena.
  Value as_map(Arena& arena) const;

  /// New bytes are made in `memory`.
  void set(std::string_view key, std::string_view value, Arena& memory) {
    set(key, {{}, value}, memory);
  }
  /// Without a copy of the text as a value on the way.
  void set_text(std::string_view key, std::string_view text, Arena& memory);
  void erase(std::string_view key);
  /// The items are not erased; `edit` may call `change` and `erase` on them.
  template <typename Edit>
  void each(Edit edit) {
    list();
    for (Item& item : listed()) {
      if (item.state != Item::State::erased) edit(item);
    }
  }
  void change(Item& item, std::string_view value, Arena& memory) {
    change(item, Content{{}, value}, memory);
  }
  void erase(Item& item);
  void clear();

  std::uint32_t number() const { return number_; }
  /// In the order of the message, the new ones at the end. Empty until the first edit.
  std::span<const Item> items() const { return {room_.data(), count_}; }
  /// `edit(field, fresh)` for what goes from the message, in its order.
  template <typename Edit>
  void each_edit(Edit edit) const {
    for (const Item& item : items()) {
      if (item.state != Item::State::kept && !item.field.empty()) edit(item.field, item.fresh);
    }
  }
  /// How much of what is written comes from edits.
  std::size_t fresh_size() const { return fresh_size_; }

 private:
  /// Of an AnyValue, in one piece or in two.
  struct Content {
    std::string_view head;
    std::string_view rest;

    std::size_t size() const { return head.size() + rest.size(); }
    bool is(std::string_view bytes) const {
      return bytes.size() == size() && bytes.starts_with(head) && bytes.ends_with(rest);
    }
  };
  void list();
  std::span<Item> listed() { return {room_.data(), count_}; }
  Item* first(std::string_view key);
  void set(std::string_view key, Content value, Arena& memory);
  void add(std::string_view key, Content value, Arena& memory);
  void change(Item& item, Content value, Arena& memory);
  void put_in_index(std::size_t place);
  void refresh(Item& item, std::string_view key, Content value, Arena& memory);

  std::string_view message_;
  std::uint32_t number_ = 1;
  bool listed_ = false;
  bool changed_ = false;
  bool lists_at_once_ = false;
  std::size_t questions_ = 0;  ///< about this message
  std::size_t fresh_size_ = 0;
  std::vector<Item> room_;  ///< of items, of which `count_` are there
  std::size_t count_ = 0;
  /// Where the first item of a key is, once there are many: what senders write must not cost its
  /// square.
  std::unordered_map<std::string_view, std::size_t> index_;
  bool repeats_ = false;  ///< some key occurs more than once
};

}  // namespace sluice::ottl
