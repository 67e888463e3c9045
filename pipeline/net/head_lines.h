#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/server.h"

namespace sluice::net {

/// The lines of one head, copied into one string as they are parsed. Views into it (`headers`,
/// `text`) hold until the next `add` or `clear`.
class HeadLines {
 public:
  /// Names must be in lower case already.
  void add(std::string_view name, std::string_view value) {
    lines_.push_back({static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
    bytes_.append(name).append(value);
  }
  /// A text that is no header (a method, a path); returns where it stands.
  struct Place {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  Place keep(std::string_view text) {
    const Place place{static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(text.size())};
    bytes_ += text;
    return place;
  }
  std::string_view text(Place place) const { return {bytes_.data() + place.offset, place.size}; }

  std::size_t count() const { return lines_.size(); }
  std::size_t size() const { return bytes_.size(); }
  /// The lines as views; call when all are there.
  std::span<const Header> headers() {
    if (headers_.size() != lines_.size()) {
      headers_.clear();
      headers_.reserve(lines_.size());
      for (const Line& line : lines_) {
        const char* name = bytes_.data() + line.offset;
        headers_.push_back({{name, line.name_size}, {name + line.name_size, line.value_size}});
      }
    }
    return headers_;
  }
  void reserve(std::size_t bytes, std::size_t lines) {
    bytes_.reserve(bytes);
    lines_.reserve(lines);
  }

 private:
  struct Line {
    std::uint32_t offset, name_size, value_size;
  };
  std::string bytes_;
  std::vector<Line> lines_;
  std::vector<Header> headers_;
};

}  // namespace sluice::net
