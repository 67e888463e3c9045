#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ottl {

/// A regular expression that begins with a literal text and goes on, if at all, with characters and
/// classes of ASCII that may be repeated, where each byte of a text leaves but one way to go:
/// `/users/[0-9]+`, `id=\w{8}$`, `/api/.*`. Most of those in configurations are like this. Its
/// matches are RE2's.
class PlainPattern {
 public:
  static constexpr std::size_t none = SIZE_MAX;
  static constexpr std::size_t unsure = SIZE_MAX - 1;  ///< RE2 has to be asked

  /// Nothing for any other expression.
  static std::optional<PlainPattern> of(std::string_view expression);

  const std::string& prefix() const { return prefix_; }
  /// Where a match ends whose prefix ends at `at`.
  std::size_t end_of(std::string_view text, std::size_t at) const;

 private:
  class Reader;
  /// A byte out of a set, so many times; as often as it goes.
  struct Step {
    std::array<std::uint64_t, 2> bytes{};
    std::uint32_t least = 1, most = 1;
    bool beyond_ascii = false;  ///< it takes more than ASCII

    void add(unsigned char byte) { bytes[byte >> 6] |= std::uint64_t{1} << (byte & 63); }
    bool has(unsigned char byte) const { return bytes[byte >> 6] >> (byte & 63) & 1; }
    bool meets(const Step& other) const {
      return (bytes[0] & other.bytes[0]) != 0 || (bytes[1] & other.bytes[1]) != 0;
    }
  };
  bool has_one_way() const;

  std::string prefix_;
  std::vector<Step> steps_;
  bool to_end_ = false;
};

}  // namespace sluice::ottl
