#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pipeline/model/buffer.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "pipeline/ottl/arena.h"
#include "pipeline/ottl/attribute_list.h"

namespace sluice::ottl {

/// A field as it is to stand in a message: tag and value, or nothing.
struct NewField {
  std::uint32_t number;
  wire::Type type;
  std::string_view whole;
};

/// A message that may be edited, over its bytes: what no edit touches is copied as it stands, a
/// changed attribute keeps its place, what is new goes to the end. Beginning with the next message
/// costs nothing where the one before was left alone.
class Draft {
 public:
  /// No message should be asked to grow beyond this.
  static constexpr std::size_t size_max = Buffer::size_max / 2;

  /// `attributes`: the number of the field that holds them.
  void begin(std::string_view message, std::uint32_t attributes);
  std::string_view message() const { return message_; }

  AttributeList attributes;
  Arena memory;  ///< what the new bytes live in, until the next message

  /// The message has this field once, as these bytes, or not at all if there are none. What has its
  /// number but another wire type is no such field and stays.
  void set_field(const NewField& field);
  /// Puts other bytes, or none, in the place of one occurrence of a field.
  void replace(std::string_view whole, std::string_view with);
  /// What stands for a field: the bytes that were set, or else the message.
  std::string_view holder_of(std::uint32_t number) const;

  bool changed() const {
    return rewritten_ || attributes.changed() || !fields_.empty() || !cuts_.empty();
  }
  /// For a message that many spans edit in turn: writes it anew, to itself, once what was replaced
  /// takes more memory than it is worth.
  void consolidate() {
    if (memory.taken() >= consolidated_min) write_to_itself();
  }
  /// The message is not as it came, whatever is done to it here.
  void mark_rewritten() { rewritten_ = true; }
  /// At least what `write` appends.
  std::size_t size() const;
  void write(BufferWriter& out);

 private:
  struct Cut {
    std::string_view whole;
    std::string_view with;
  };
  static constexpr std::size_t consolidated_min = std::size_t{1} << 20;
  void write_to_itself();
  void collect_cuts();

  BufferWriter own_;
  bool rewritten_ = false;
  std::string_view message_;
  std::vector<NewField> fields_;
  std::vector<Cut> cuts_;
};

/// Made in `memory`; zeros and empty texts give nothing, as protobuf has it.
NewField text_field(std::uint32_t number, std::string_view content, Arena& memory);
NewField varint_field(std::uint32_t number, std::uint64_t value, Arena& memory);
NewField fixed64_field(std::uint32_t number, std::uint64_t value, Arena& memory);
NewField fixed32_field(std::uint32_t number, std::uint32_t value, Arena& memory);

}  // namespace sluice::ottl
