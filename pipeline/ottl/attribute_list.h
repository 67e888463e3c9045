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

    bool is_new() const { return begin == nullptr; }
    bool is_kept() const { return fresh_size == 0; }
    bool is_erased() const { return fresh_size == gone; }
    /// The whole field in the message; empty for a new one.
    std::string_view field() const { return {begin, size}; }
    /// What is to stand in its place.
    std::string_view fresh() const {
      return is_erased() ? std::string_view()
                         : std::string_view(value.data() + value.size() - fresh_size, fresh_size);
    }

    static constexpr std::uint32_t gone = UINT32_MAX;
    const char* begin = nullptr;
    std::uint32_t size = 0;
    std::uint32_t fresh_size = 0;  ///< of a field that ends with the value; or `gone`
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
    set(key, Content{{&value, 1}, value.size()}, memory);
  }
  /// A text, in so many pieces, without a copy as a value on the way.
  void set_text(std::string_view key, std::span<const std::string_view> pieces, Arena& memory) {
    set(key, Content::of_text(pieces), memory);
  }
  void set_text(std::string_view key, std::string_view text, Arena& memory) {
    set_text(key, {&text, 1}, memory);
  }
  void erase(std::string_view key);
  /// The items are not erased; `edit` may call `change` and `erase` on them.
  template <typename Edit>
  void each(Edit edit) {
    list();
    for (Item& item : listed()) {
      if (!item.is_erased()) edit(item);
    }
  }
  void change(Item& item, std::string_view value, Arena& memory) {
    change(item, Content{{&value, 1}, value.size()}, memory);
  }
  void change_text(Item& item, std::span<const std::string_view> pieces, Arena& memory) {
    change(item, Content::of_text(pieces), memory);
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
      if (!item.is_kept() && !item.is_new()) edit(item.field(), item.fresh());
    }
  }
  /// How much of what is written comes from edits.
  std::size_t fresh_size() const { return fresh_size_; }

 private:
  /// Of an AnyValue, as it is or as the text that it holds.
  struct Content {
    static constexpr std::size_t none = SIZE_MAX;
    static Content of_text(std::span<const std::string_view> pieces);

    char* write(char* out) const;
    bool is(std::string_view bytes) const;

    std::span<const std::string_view> pieces;
    std::size_t size;              ///< of all of it
    std::size_t text_size = none;  ///< where the pieces are a text
  };
  void list() {
    if (!listed_) make_list();
  }
  void make_list();
  std::span<Item> listed() { return {room_.data(), count_}; }
  Item* first(std::string_view key);
  void set(std::string_view key, const Content& value, Arena& memory);
  void add(std::string_view key, const Content& value, Arena& memory);
  void change(Item& item, const Content& value, Arena& memory);
  void put_in_index(std::size_t place);
  void refresh(Item& item, std::string_view key, const Content& value, Arena& memory);

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
