#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "pipeline/codec/json_fields.h"

/// Inside of otlp_json_to_proto: its messages in two files.
namespace sluice::otlp_json {

/// How many bytes a message's length usually takes.
constexpr std::size_t width_small = 1, width_span = 2, width_large = 3;

/// `key` has the size of `name`: the caller has switched on it.
template <std::size_t size>
bool is(std::string_view key, const char (&name)[size]) {
  return std::memcmp(key.data(), name, size - 1) == 0;
}

class Reader : private json::FieldWriter {
 public:
  Reader(std::string_view text, BufferWriter& out)
      : FieldWriter(text, out, text.size() / 2 + 64,
                    out.size() + text.size() + text.size() / 8 + 128) {}

  bool read() {
    const bool read_all = request() && in().at_end();
    finish();
    return read_all;
  }
  const std::string& error() { return in().error(); }

 private:
  using Body = bool (Reader::*)();

  // --- Messages. Each reads one object and writes its fields. ---
  bool request();
  bool resource_spans();
  bool resource();
  bool entity_ref();
  bool scope_spans();
  bool scope();
  bool span();
  bool event();
  bool link();
  bool status();
  bool attributes(std::uint32_t number);
  bool key_value();
  bool any_value();
  bool array_value();
  bool kvlist_value();

  // --- What messages are made of. ---
  template <typename Member>
  bool members(Member member);
  template <typename Member>
  bool more_members(Member member);
  template <typename Value>
  bool unless_null(Value value);
  template <Body body>
  bool message(std::uint32_t number, std::size_t width);
  template <Body body>
  bool element(std::uint32_t number, std::size_t width);
  template <Body body>
  bool repeated(std::uint32_t number, std::size_t width);
};

// -------------------------------------------------------------------------------------------------

/// Calls `member` with each key of an object; it reads the value. One that is null is as good as
/// absent.
template <typename Member>
bool Reader::members(Member member) {
  return in().open_object() && more_members(member);
}

template <typename Member>
bool Reader::more_members(Member member) {
  std::string_view key;
  while (!in().take_close()) {
    if (!in().next_key(key)) return in().ok();
    if (!unless_null([&] { return member(key); })) return false;
  }
  return true;
}

template <typename Value>
bool Reader::unless_null(Value value) {
  return in().peek() == 'n' ? in().literal("null") : value();
}

template <Reader::Body body>
bool Reader::message(std::uint32_t number, std::size_t width) {
  const std::size_t mark = begin(number, width);
  if (!(this->*body)()) return false;
  end(mark, width);
  return true;
}

/// An element that is null is an empty message.
template <Reader::Body body>
bool Reader::element(std::uint32_t number, std::size_t width) {
  if (in().peek() != 'n') return message<body>(number, width);
  if (!in().literal("null")) return false;
  end(begin(number, width_small), width_small);
  return true;
}

template <Reader::Body body>
bool Reader::repeated(std::uint32_t number, std::size_t width) {
  if (!in().open_array()) return false;
  while (in().next_element()) {
    if (!element<body>(number, width)) return false;
  }
  return in().ok();
}

}  // namespace sluice::otlp_json
