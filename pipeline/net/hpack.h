#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// Header compression of HTTP/2 (RFC 7541): a decoder for requests, and as much of an encoder as
/// answers need.
namespace sluice::net::hpack {

/// What a table may hold (SETTINGS_HEADER_TABLE_SIZE, of which we do not ask for more).
inline constexpr std::size_t table_size_max = 4096;
inline constexpr std::size_t entry_overhead = 32;  ///< RFC 7541, section 4.1

/// A decoded field. Views into the block, the decoder's table or its scratch: they hold until the
/// next call to any decoder on the thread.
struct Field {
  std::string_view name;
  std::string_view value;
  /// Name and value have only characters that RFC 9113, section 8.2.1, allows.
  bool has_good_name = true;
  bool has_good_value = true;
};

/// One peer's side of the compression, for the life of its connection.
class Decoder {
 public:
  enum class Step : std::uint8_t {
    field,       ///< `field` is the next one
    end,         ///< the block is used up
    incomplete,  ///< what is left of the block is the beginning of a field
    broken,      ///< COMPRESSION_ERROR: the table cannot be kept in step any more
  };

  /// A new header block begins.
  void begin() { may_resize_ = true; }
  /// Takes the next field off the front of `block`; unless it says `field`, `block` starts where
  /// decoding must go on.
  Step next(std::string_view& block, Field& field);

 private:
  /// The entries that the peer has added: the bytes of names and values one behind the other, the
  /// oldest first, in a memory of twice the size, so that they move rarely.
  class Table {
   public:
    /// 0 is the one added last.
    bool get(std::size_t index, Field& field) const;
    void resize(std::size_t size);
    /// Neither name nor value may lie in the table. The views of `field` are set to those in the
    /// table, where it has room for it.
    void add(Field& field);

   private:
    struct Entry {
      std::uint32_t offset = 0;
      std::uint16_t name_size = 0;
      std::uint16_t value_size = 0;
      bool has_good_name = true;
      bool has_good_value = true;
      std::size_t size() const { return std::size_t{name_size} + value_size + entry_overhead; }
    };
    static constexpr std::size_t entries_max = table_size_max / entry_overhead;
    static constexpr std::size_t memory_size = 2 * table_size_max;

    void evict(std::size_t size_max);
    Entry& at(std::size_t index) { return entries_[index % entries_max]; }
    const Entry& at(std::size_t index) const { return entries_[index % entries_max]; }

    std::unique_ptr<char[]> memory_;  ///< once there is an entry
    std::array<Entry, entries_max> entries_;
    std::size_t first_ = 0, count_ = 0;  ///< the oldest, in `entries_`
    std::size_t end_ = 0;                ///< of what is used of `memory_`
    std::size_t size_ = 0;               ///< as section 4.1 counts it
    std::size_t size_max_ = table_size_max;
  };

  bool indexed(std::size_t index, Field& field) const;

  Table table_;
  bool may_resize_ = false;
};

/// At the beginning of a block: the table is made empty, and stays so (section 6.3).
inline constexpr char empty_table = 0x20;

/// Appends a field to a block: neither compressed nor kept in a table, so that there is no state.
/// The name goes out in lower case.
void append(std::string& block, std::string_view name, std::string_view value);

}  // namespace sluice::net::hpack
