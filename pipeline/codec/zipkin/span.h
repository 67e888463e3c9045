#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/codec/zipkin/address.h"
#include "pipeline/codec/zipkin/text.h"
#include "pipeline/model/span_view.h"

namespace sluice::zipkin {

struct Endpoint {
  Text service_name;
  Address ipv4;
  Address ipv6;
  std::uint16_t port = 0;  ///< 0: absent

  void place(const Address& address) {
    if (address.family == Address::Family::ipv4) ipv4 = address;
    if (address.family == Address::Family::ipv6) ipv6 = address;
  }
  bool empty() const { return service_name.empty() && !ipv4 && !ipv6 && port == 0; }
  void clear() {
    service_name = Text();
    ipv4.family = ipv6.family = Address::Family::none;
    ipv4.size = ipv6.size = 0;
    port = 0;
  }
};

/// An id as it came: big-endian bytes, padded at the left.
template <std::size_t size>
struct Id {
  enum class State : std::uint8_t { absent, valid, invalid };
  std::array<char, size> bytes{};
  State state = State::absent;
  std::string_view view() const { return {bytes.data(), size}; }
  /// Of bytes that are there; all zero is absent.
  void judge() {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, bytes.data(), sizeof first);
    std::memcpy(&last, bytes.data() + size - sizeof last, sizeof last);
    state = (first | last) == 0 ? State::absent : State::valid;
  }
};
/// `digits` hexadecimal ones, at most twice the size; zeros only are absent.
template <std::size_t size>
Id<size> id_of_digits(std::string_view digits);
/// A number, as Thrift has it.
Id<8> id_of_number(std::int64_t number);
Id<16> trace_id_of_numbers(std::int64_t high, std::int64_t low);
/// Big-endian bytes: 8, or for a trace id 8 or 16; others are invalid, zeros only absent.
template <std::size_t size>
Id<size> id_of_bytes(std::string_view bytes);

struct KnownLocal;

/// What a v2 span is beside its tags and annotations. Times are microseconds; 0: absent.
struct SpanHead {
  Id<16> trace_id;
  Id<8> id;
  Id<8> parent_id;
  Text name;
  std::uint64_t timestamp = 0;
  std::uint64_t duration = 0;
  Endpoint local;
  KnownLocal* known_local = nullptr;  ///< `local`, where that is known
  Endpoint remote;
  SpanKind kind = SpanKind::unspecified;
  bool debug = false;
  bool shared = false;

  /// As a new one, without touching what only counts where something else says so.
  void clear() {
    trace_id.state = Id<16>::State::absent;
    id.state = parent_id.state = Id<8>::State::absent;
    name = Text();
    timestamp = duration = 0;
    local.clear();
    known_local = nullptr;
    remote.clear();
    kind = SpanKind::unspecified;
    debug = shared = false;
  }
};

}  // namespace sluice::zipkin
