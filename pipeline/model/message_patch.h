#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "pipeline/model/buffer.h"

namespace sluice {

/// New bytes for some fields of one message, the rest of it as it stands. The new bytes are made
/// here too and live until the next message; scratch memory is kept, so there is no allocation in a
/// steady state.
class MessagePatch {
 public:
  /// What no buffer should be asked to hold; a new message may be as large as this.
  static constexpr std::size_t size_max = Buffer::size_max / 2;

  MessagePatch() : memory_(scratch_.data(), scratch_.size()) {}

  /// Begins anew; `message` is there until `write`.
  void begin(std::string_view message);
  /// `field` is a whole field of the message, and comes behind those that were replaced before;
  /// nothing instead of it erases it. Returns what `amend` takes, to put something else there.
  std::size_t replace(std::string_view field, std::string_view bytes);
  void amend(std::size_t replaced, std::string_view bytes);
  void erase(std::string_view field) { replace(field, {}); }
  /// At the end.
  void append(std::string_view bytes);

  bool empty() const { return pieces_.empty(); }
  /// What `write` takes.
  std::size_t size() const { return size_; }
  void write(BufferWriter& out) const;

  // --- Whole fields, made to be put in. ---
  std::string_view copy(std::string_view bytes);
  std::string_view string_field(std::uint32_t number, std::string_view text);
  /// KeyValues; the value is the content of an AnyValue.
  std::string_view attribute(std::uint32_t number, std::string_view key, std::string_view value);
  std::string_view string_attribute(std::uint32_t number, std::string_view key,
                                    std::string_view text);
  std::string_view integer_attribute(std::uint32_t number, std::string_view key,
                                     std::int64_t value);
  /// The field `number` that holds what another patch makes of its message.
  std::string_view message_field(std::uint32_t number, const MessagePatch& inner);

 private:
  struct Piece {
    std::string_view field;  ///< of the message; empty: at the end
    std::string_view bytes;
  };
  char* memory(std::size_t size) { return static_cast<char*>(memory_.allocate(size + 1, 1)); }
  char* write_to(char* out) const;

  std::string_view message_;
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
  std::array<std::byte, 4096> scratch_;
  std::pmr::monotonic_buffer_resource memory_;
};

}  // namespace sluice
