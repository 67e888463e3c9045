// Strings under Huffman's code are decoded by a table over the next ten bits, which holds every
// symbol that headers usually have; longer codes are found by their length, since the code of
// RFC 7541 (Appendix B) is canonical: those of one length are consecutive, in the order of symbols.
// So the lengths are all that has to be written down.

#include "pipeline/net/hpack.h"

#include <cstring>
#include <utility>

namespace sluice::net::hpack {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 61> static_table = {{
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

constexpr std::size_t symbols = 257;
constexpr std::size_t end_of_string = 256;
constexpr int fast_bits = 10;
constexpr int code_max = 30;

constexpr std::array<std::uint8_t, symbols> code_lengths = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30};

struct Code {
  std::uint16_t symbol = 0;
  std::uint8_t length = 0;  ///< 0: longer than the table's bits
};

struct Huffman {
  std::array<Code, 1 << fast_bits> fast{};
  std::array<std::uint16_t, symbols> by_code{};
  /// By length: the first code, how many there are, and where their symbols stand in `by_code`.
  std::array<std::uint32_t, code_max + 1> first{}, count{}, start{};
};

constexpr Huffman huffman = [] {
  Huffman made;
  std::uint32_t code = 0, filled = 0;
  for (int length = 1; length <= code_max; ++length) {
    code <<= 1;
    const auto at = static_cast<std::size_t>(length);
    made.first[at] = code;
    made.start[at] = filled;
    for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
      if (code_lengths[symbol] != length) continue;
      made.by_code[filled++] = static_cast<std::uint16_t>(symbol);
      if (length <= fast_bits) {
        const std::uint32_t step = 1U << (fast_bits - length);
        for (std::uint32_t below = 0; below < step; ++below)
          made.fast[code * step + below] = {static_cast<std::uint16_t>(symbol),
                                            static_cast<std::uint8_t>(length)};
      }
      ++code;
      ++made.count[at];
    }
  }
  return made;
}();

/// The code that `bits` begin with, from the highest on.
Code long_code(std::uint64_t bits) {
  for (int length = fast_bits + 1; length <= code_max; ++length) {
    const auto at = static_cast<std::size_t>(length);
    const std::uint64_t offset = (bits >> (64 - length)) - huffman.first[at];
    if (offset < huffman.count[at])
      return {huffman.by_code[huffman.start[at] + offset], static_cast<std::uint8_t>(length)};
  }
  return {};
}

/// No symbol takes less than five bits.
constexpr std::size_t decoded_max(std::size_t size) { return size * 8 / 5 + 1; }

/// Writes the symbols to `out`; returns behind them, or null where the code is broken.
char* decode(std::string_view code, char* out) {
  std::uint64_t bits = 0;  // the next ones, from the highest on
  int count = 0;
  const char* at = code.data();
  const char* const end = at + code.size();
  for (;;) {
    while (count <= 56 && at != end) {
      bits |= std::uint64_t{static_cast<unsigned char>(*at++)} << (56 - count);
      count += 8;
    }
    Code next = huffman.fast[bits >> (64 - fast_bits)];
    if (next.length == 0) next = long_code(bits);
    if (next.length == 0 || next.length > count) break;
    if (next.symbol == end_of_string) return nullptr;
    *out++ = static_cast<char>(next.symbol);
    bits <<= next.length;
    count -= next.length;
  }
  // Padding: less than a byte, all ones (section 5.2).
  const bool is_padding = count < 8 && bits == ~(~std::uint64_t{0} >> count);
  return is_padding ? out : nullptr;
}

/// An integer with a prefix of `prefix` bits (section 5.1), cut off `bytes`. False, with `bytes` as
/// they were, where they end before it does, and, with `broken`, where it is over 2^28.
bool take_integer(std::string_view& bytes, int prefix, std::uint32_t& value, bool& broken) {
  const auto mask = (1U << prefix) - 1;
  value = static_cast<unsigned char>(bytes.front()) & mask;
  if (value < mask) {
    bytes.remove_prefix(1);
    return true;
  }
  int shift = 0;
  for (std::size_t at = 1; at < bytes.size(); ++at, shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (shift >= 28) {
      broken = true;
      return false;
    }
    value += static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      bytes.remove_prefix(at + 1);
      return true;
    }
  }
  return false;
}

/// A string as it lies in the block.
struct Text {
  std::string_view bytes;
  bool is_coded = false;
};

bool take_text(std::string_view& bytes, Text& text, bool& broken) {
  if (bytes.empty()) return false;
  text.is_coded = (bytes.front() & 0x80) != 0;
  std::uint32_t size = 0;
  if (!take_integer(bytes, 7, size, broken) || bytes.size() < size) return false;
  text.bytes = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

/// Holds what Huffman's code is decoded to, and names that an insertion may push out of the table.
class Scratch {
 public:
  void reserve(std::size_t size) {
    used_ = 0;
    if (memory_.size() < size) memory_.resize(size);
  }
  bool decode_to(const Text& text, std::string_view& out) {
    if (!text.is_coded) {
      out = text.bytes;
      return true;
    }
    char* const start = memory_.data() + used_;
    const char* const end = decode(text.bytes, start);
    if (end == nullptr) return false;
    out = {start, static_cast<std::size_t>(end - start)};
    used_ += out.size();
    return true;
  }
  std::string_view keep(std::string_view text) {
    char* const start = memory_.data() + used_;
    std::memcpy(start, text.data(), text.size());
    used_ += text.size();
    return {start, text.size()};
  }

 private:
  std::string memory_;
  std::size_t used_ = 0;
};

Scratch& scratch() {
  thread_local Scratch one;
  return one;
}

constexpr unsigned char in_name = 1, in_value = 2;

/// Names are tokens in lower case (RFC 9110, section 5.6.2); values have no NUL, CR or LF, nor any
/// other control character but the tab.
constexpr std::array<unsigned char, 256> character_kinds = [] {
  std::array<unsigned char, 256> kinds{};
  for (std::size_t c = 0x20; c < 256; ++c) {
    if (c != 0x7f) kinds[c] |= in_value;
  }
  kinds['\t'] |= in_value;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"))
    kinds[static_cast<unsigned char>(c)] |= in_name;
  return kinds;
}();

bool has_only(std::string_view text, unsigned char kind) {
  unsigned char all = kind;
  for (const char c : text) all &= character_kinds[static_cast<unsigned char>(c)];
  return (all & kind) != 0;
}

bool is_name(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return !name.empty() && has_only(name, in_name);
}

bool is_value(std::string_view value) { return has_only(value, in_value); }

}  // namespace

bool Decoder::Table::get(std::size_t index, Field& field) const {
  if (index >= count_) return false;
  const Entry& entry = at(first_ + count_ - 1 - index);
  const char* const name = memory_.get() + entry.offset;
  field = {{name, entry.name_size},
           {name + entry.name_size, entry.value_size},
           entry.has_good_name,
           entry.has_good_value};
  return true;
}

void Decoder::Table::evict(std::size_t size_max) {
  while (size_ > size_max) {
    size_ -= at(first_).size();
    ++first_;
    --count_;
  }
  if (count_ == 0) end_ = 0;
}

void Decoder::Table::resize(std::size_t size) {
  size_max_ = size;
  evict(size_max_);
}

void Decoder::Table::add(Field& field) {
  const std::size_t bytes = field.name.size() + field.value.size();
  if (bytes + entry_overhead > size_max_) return evict(0);
  evict(size_max_ - bytes - entry_overhead);
  if (memory_ == nullptr) memory_ = std::make_unique_for_overwrite<char[]>(memory_size);
  if (end_ + bytes > memory_size) {
    const std::uint32_t unused = at(first_).offset;
    std::memmove(memory_.get(), memory_.get() + unused, end_ - unused);
    for (std::size_t index = 0; index < count_; ++index) at(first_ + index).offset -= unused;
    end_ -= unused;
  }
  char* const name = memory_.get() + end_;
  std::memcpy(name, field.name.data(), field.name.size());
  std::memcpy(name + field.name.size(), field.value.data(), field.value.size());
  at(first_ + count_) = {
      static_cast<std::uint32_t>(end_), static_cast<std::uint16_t>(field.name.size()),
      static_cast<std::uint16_t>(field.value.size()), field.has_good_name, field.has_good_value};
  ++count_;
  end_ += bytes;
  size_ += bytes + entry_overhead;
  field.name = {name, field.name.size()};
  field.value = {name + field.name.size(), field.value.size()};
}

bool Decoder::indexed(std::size_t index, Field& field) const {
  if (index == 0) return false;
  if (index > static_table.size()) return table_.get(index - static_table.size() - 1, field);
  const auto& [name, value] = static_table[index - 1];
  field = {name, value};
  return true;
}

Decoder::Step Decoder::next(std::string_view& block, Field& field) {
  bool broken = false;
  const auto cut_off = [&broken] { return broken ? Step::broken : Step::incomplete; };
  std::string_view rest = block;
  for (;;) {
    if (rest.empty()) return Step::end;
    const auto first = static_cast<unsigned char>(rest.front());
    std::uint32_t number = 0;
    if (first >= 0x80) {  // a field of a table
      if (!take_integer(rest, 7, number, broken)) return cut_off();
      if (!indexed(number, field)) return Step::broken;
      break;
    }
    if (first >= 0x20 && first < 0x40) {  // a new size for the table
      if (!take_integer(rest, 5, number, broken)) return cut_off();
      if (!may_resize_ || number > table_size_max) return Step::broken;
      table_.resize(number);
      block = rest;
      continue;
    }
    // A literal: with its name from a table or not, to be kept or not.
    const bool is_kept = first >= 0x40;
    if (!take_integer(rest, is_kept ? 6 : 4, number, broken)) return cut_off();
    Text name, value;
    if (number == 0 && !take_text(rest, name, broken)) return cut_off();
    if (!take_text(rest, value, broken)) return cut_off();
    Scratch& memory = scratch();
    if (number == 0) {
      memory.reserve(decoded_max(name.bytes.size()) + decoded_max(value.bytes.size()));
      if (!memory.decode_to(name, field.name)) return Step::broken;
      field.has_good_name = is_name(field.name);
    } else {
      if (!indexed(number, field)) return Step::broken;
      memory.reserve(field.name.size() + decoded_max(value.bytes.size()));
      const bool may_move = is_kept && number > static_table.size();
      if (may_move) field.name = memory.keep(field.name);
    }
    if (!memory.decode_to(value, field.value)) return Step::broken;
    field.has_good_value = is_value(field.value);
    if (is_kept) table_.add(field);
    break;
  }
  may_resize_ = false;
  block = rest;
  return Step::field;
}

namespace {

/// A string's length, not coded: an integer with a prefix of seven bits.
void append_length(std::string& out, std::size_t length) {
  constexpr std::size_t mask = 0x7f;
  if (length < mask) {
    out += static_cast<char>(length);
    return;
  }
  out += static_cast<char>(mask);
  for (length -= mask; length >= 0x80; length >>= 7) out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
}

}  // namespace

void append(std::string& block, std::string_view name, std::string_view value) {
  if (name == ":status" && value == "200") {
    block += '\x88';
    return;
  }
  block += '\0';
  append_length(block, name.size());
  for (const char c : name) block += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  append_length(block, value.size());
  block += value;
}

}  // namespace sluice::net::hpack
