#include "pipeline/codec/zipkin/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace sluice::zipkin {
namespace {

/// What ipv4 addresses look like inside ipv6 ones: eighty zero bits, then sixteen of either kind.
bool holds_ipv4(const char* bytes) {
  const bool zeros = std::all_of(bytes, bytes + 10, [](char byte) { return byte == 0; });
  if (!zeros) return false;
  const auto mark = static_cast<unsigned>(static_cast<unsigned char>(bytes[10]) << 8 |
                                          static_cast<unsigned char>(bytes[11]));
  if (mark == 0xffff) return true;
  // "::" and "::1" are no compatible addresses.
  return mark == 0 && (bytes[12] != 0 || bytes[13] != 0 || bytes[14] != 0);
}

Address written(const char* bytes, Address::Family family) {
  Address address;
  const int kind = family == Address::Family::ipv4 ? AF_INET : AF_INET6;
  if (::inet_ntop(kind, bytes, address.digits.data(), address.digits.size()) == nullptr)
    return address;
  address.size = static_cast<std::uint8_t>(std::strlen(address.digits.data()));
  address.family = family;
  return address;
}

/// Four numbers without leading zeros: the text is its own canonical form.
bool is_dotted_quad(std::string_view text) {
  int parts = 0;
  for (std::size_t at = 0; parts < 4; ++parts) {
    const std::size_t start = at;
    unsigned value = 0;
    while (at < text.size() && at - start < 4 && text[at] >= '0' && text[at] <= '9')
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    const bool leading_zero = at - start > 1 && text[start] == '0';
    if (at == start || value > 255 || leading_zero) return false;
    if (parts == 3) return at == text.size();
    if (at == text.size() || text[at++] != '.') return false;
  }
  return false;
}

}  // namespace

Address parse_address(std::string_view text) {
  Address address;
  if (text.size() >= address.digits.size()) return address;
  if (is_dotted_quad(text)) {
    *std::copy(text.begin(), text.end(), address.digits.begin()) = '\0';
    address.size = static_cast<std::uint8_t>(text.size());
    address.family = Address::Family::ipv4;
    return address;
  }
  if (text.find(':') == std::string_view::npos) return address;
  std::array<char, 46> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return address;
  return address_of({bytes.data(), bytes.size()});
}

Address address_of(std::string_view bytes) {
  if (bytes.size() == 4) return written(bytes.data(), Address::Family::ipv4);
  if (bytes.size() != 16) return {};
  if (holds_ipv4(bytes.data())) return written(bytes.data() + 12, Address::Family::ipv4);
  return written(bytes.data(), Address::Family::ipv6);
}

std::size_t address_bytes(const Address& address, std::array<char, 16>& out) {
  if (!address) return 0;
  const bool four = address.family == Address::Family::ipv4;
  const int done = ::inet_pton(four ? AF_INET : AF_INET6, address.digits.data(), out.data());
  if (done != 1) return 0;
  return four ? 4 : 16;
}

}  // namespace sluice::zipkin
