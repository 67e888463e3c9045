#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

/// How large a translation may become while its input is still held: both together, with whatever
/// tables the translator needs, never take more than twice the input, 64 bytes a span and 64 KiB.
/// Half of the 64 KiB is the output's; the other half is for what is not counted: the translator's
/// own state, size classes, the one copy of a small output.
///
/// A translation that is larger than its input (Zipkin's protobuf: an address of 6 bytes is an
/// attribute of 38) is made room for by letting go of the input that has been read. Honest JSON and
/// Thrift never come to that, and only what is nearly twice its input cannot be served so: millions
/// of empty tags, of which nobody has that many.
class Allowance {
 public:
  enum class Input : std::uint8_t { kept, read_once };
  /// `before`: the size of the output that has nothing to do with this input.
  Allowance(std::string_view input, std::size_t before, Input how)
      : input_(input), limit_(before + input.size() + slack), how_(how) {}

  /// Everything in front of `position` is read and not looked at again.
  void read_up_to(std::size_t position) { read_ = position; }
  /// Whether there is room for `held` bytes of output and tables, with `spans` in them.
  bool admits(std::size_t held, std::uint64_t spans) {
    return held <= limit(spans) || (discard() && held <= limit(spans));
  }
  std::size_t limit(std::uint64_t spans) const {
    return limit_ + 64 * static_cast<std::size_t>(spans);
  }
  bool discarded() const { return discarded_ > 0; }

  /// The capacity to start with where `expected` bytes come of `input`. Blocks below 128 KiB grow
  /// by being copied, and there must be room for both.
  static std::size_t capacity_for(std::size_t expected, std::size_t input) {
    return expected > input / 2 + slack ? std::max<std::size_t>(expected, 128 << 10) : expected;
  }

 private:
  static constexpr std::size_t slack = 32 << 10;
  bool discard();

  std::string_view input_;
  std::size_t limit_;
  std::size_t read_ = 0;
  std::size_t discarded_ = 0;  ///< where the discarded part of the input ends
  Input how_;
};

inline constexpr const char* allowance_exceeded =
    "the spans take more memory than twice the request, 64 bytes for each and 64 KiB";

}  // namespace sluice
