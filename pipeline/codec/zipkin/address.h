#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::zipkin {

/// An IP address of an endpoint, as text in its canonical form.
struct Address {
  enum class Family : std::uint8_t { none, ipv4, ipv6 };
  std::array<char, 46> digits;  ///< zero behind `size` where there is an address
  std::uint8_t size = 0;
  Family family = Family::none;

  // Not even zeroed: there are four of them in a span, mostly absent.
  Address() {}  // NOLINT
  std::string_view text() const { return {digits.data(), size}; }
  explicit operator bool() const { return family != Family::none; }
};

/// Either family; an IPv4 address in an IPv6 one (mapped or compatible) is an IPv4 address. None
/// for what is no address.
Address parse_address(std::string_view text);
/// 4 or 16 bytes in network order; none for other sizes.
Address address_of(std::string_view bytes);
/// The bytes of an address: writes 4 or 16, returns how many; 0 for none.
std::size_t address_bytes(const Address& address, std::array<char, 16>& out);

}  // namespace sluice::zipkin
