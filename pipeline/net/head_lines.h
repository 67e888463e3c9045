#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/server.h"

namespace sluice::net {

/// The lines of one head, copied into one string as they are parsed. Views into it (`headers`,
/// `text`) hold until the next `add` or `keep`.
class HeadLines {
 public:
  HeadLines() = default;
  HeadLines(const HeadLines&) = delete;
  HeadLines& operator=(const HeadLines&) = delete;

  /// Names must be in lower case already.
  void add(std::string_view name, std::string_view value) {
    make_room(name.size() + value.size());
    const char* const start = bytes_.data() + bytes_.size();
    bytes_.append(name).append(value);
    headers_.push_back({{start, name.size()}, {start + name.size(), value.size()}});
  }
  /// A text that is no header (a method, a path); returns where it stands.
  struct Place {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  Place keep(std::string_view text) {
    const Place place{static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(text.size())};
    make_room(text.size());
    bytes_ += text;
    return place;
  }
  std::string_view text(Place place) const { return {bytes_.data() + place.offset, place.size}; }

  std::size_t count() const { return headers_.size(); }
  std::size_t size() const { return bytes_.size(); }
  std::span<const Header> headers() const { return headers_; }
  void reserve(std::size_t bytes, std::size_t lines) {
    make_room(bytes);
    headers_.reserve(lines);
  }

 private:
  /// Growing moves the bytes, and the views with them.
  void make_room(std::size_t more) {
    if (bytes_.capacity() - bytes_.size() >= more) return;
    std::string larger;
    larger.reserve(std::max(bytes_.size() + more, 2 * bytes_.size()));
    larger = bytes_;
    const auto moved = [this, &larger](std::string_view view) {
      return std::string_view(larger.data() + (view.data() - bytes_.data()), view.size());
    };
    for (Header& header : headers_) header = {moved(header.name), moved(header.value)};
    bytes_.swap(larger);
  }

  std::string bytes_;
  std::vector<Header> headers_;
};

}  // namespace sluice::net
