#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/attributes/action.h"
#include "pipeline/model/buffer.h"
#include "pipeline/model/request_context.h"

namespace sluice {

/// Applies a list of actions to one message after the other (a Span, a Resource), on its bytes:
/// what no action touches is copied as it stands, a changed attribute keeps its place, a new one
/// goes to the end. An action on a key applies to all attributes of that key, should a sender
/// repeat it, so that nothing that was to be hidden stays in a duplicate; one that reads takes the
/// last. Scratch memory is kept from message to message: no allocation in a steady state.
class AttributeEdit {
 public:
  /// A message may hold this many attributes that actions look at; of one with more, the rest is
  /// left out.
  static constexpr std::size_t attributes_max = 16384;
  /// What no buffer should be asked to hold; a new message may be as large as this.
  static constexpr std::size_t size_max = Buffer::size_max / 2;

  /// `actions` outlives it.
  explicit AttributeEdit(const AttributeActions& actions);

  /// What from_context reads for the messages that follow; may be null.
  void set_context(const RequestContext* context);
  /// False: the message stays as it is. True: `write` gives the new one, while `message` is there.
  bool apply(std::string_view message);
  void write(BufferWriter& out) const;
  /// At least what `write` takes. Copies of one large value can make it more than `size_max`.
  std::size_t size() const { return message_.size() + growth_; }

 private:
  /// An attribute that an action names (all of them, where one goes by a pattern).
  struct Item {
    std::string_view key;
    std::string_view field;  ///< the whole field in the message; empty for a new attribute
    std::string_view value;  ///< content of the AnyValue
    const std::string* ready = nullptr;  ///< the whole new field, where configuration gives it
    std::uint16_t number = KeyTable::none;
    enum class State : std::uint8_t { kept, changed, erased } state = State::kept;
  };
  struct Source {
    std::string_view value;
    const std::string* ready = nullptr;
  };

  bool read(std::string_view message);
  const char* step(const char* at, const char* end);
  Item* list(std::string_view key);
  void run(const AttributeAction& action, std::size_t index);
  std::optional<Source> source(const AttributeAction& action, std::size_t index) const;
  const Item* find(std::uint16_t number) const;
  bool replace(std::uint16_t number, const Source& source);
  void append(std::uint16_t number, std::string_view key, const Source& source);
  void set(Item& item, const Source& source);
  void erase(Item& item);
  void hash(Item& item);
  void convert(Item& item, AttributeAction::Type type);
  void extract(const AttributeAction& action);
  std::string_view keep(std::string_view bytes);
  char* put(char* out, const Item& item) const;
  char* put_without_attributes(char* out, const char* from) const;

  const AttributeActions& actions_;
  std::vector<std::optional<std::string>> from_context_;  ///< encoded values, by action
  std::string_view message_;
  std::vector<Item> items_;
  std::size_t original_count_ = 0;  ///< items of the message; the rest is new
  bool cut_ = false;                ///< there were more than attributes_max
  bool changed_ = false;
  std::size_t growth_ = 0;  ///< at least what the new fields take
  std::array<std::byte, 4096> scratch_;
  std::pmr::monotonic_buffer_resource memory_;  ///< values made for this message
};

}  // namespace sluice
