// What is made of Internet addresses: `IsInCIDR` and `CommunityID`.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "pipeline/codec/base64.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"

namespace sluice::ottl::library {
namespace {

/// An address as sixteen bytes: IPv4 in its place in IPv6, as Go has it.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};

std::optional<Address> address_of(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) {
    address.v4 = true;
    address.bytes[10] = address.bytes[11] = 0xff;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  static constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  address.v4 = std::memcmp(address.bytes.data(), mapped, sizeof mapped) == 0;
  return address;
}

/// Whether the network holds the address; nothing for what is no network.
std::optional<bool> holds(std::string_view network, const Address& address) {
  const std::size_t slash = network.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view host = network.substr(0, slash);
  const auto base = address_of(std::string(host));
  const auto size = parse_integer(network.substr(slash + 1), 10);
  if (!base || !size) return std::nullopt;
  const bool v4 = host.find(':') == std::string_view::npos;
  if (*size < 0 || *size > (v4 ? 32 : 128)) return std::nullopt;
  if (v4 != address.v4) return false;
  const auto bits = static_cast<std::size_t>(*size) + (v4 ? 96 : 0);
  for (std::size_t i = 0; i < bits; ++i) {
    if (((base->bytes[i / 8] ^ address.bytes[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
  }
  return true;
}

/// One end of a flow, as bytes that compare as Community ID orders them.
struct End {
  std::string address;
  std::uint16_t port = 0;
};

bool before(const End& left, const End& right) {
  if (left.address.size() != right.address.size())
    return left.address.size() < right.address.size();
  return left.address != right.address ? left.address < right.address : left.port < right.port;
}

/// The argument at `index`, which must fit 16 bits; nothing once the evaluation has failed.
std::optional<std::uint16_t> short_number(Evaluation& in, const Call& call, std::size_t index) {
  const Value number = call.argument(in, index);
  if (number.failed()) return std::nullopt;
  if (number.integer >= 0 && number.integer <= 65535)
    return static_cast<std::uint16_t>(number.integer);
  in.fail("expected a number from 0 to 65535, found ", std::to_string(number.integer));
  return std::nullopt;
}

/// Its address and port, which are the arguments from `index` on.
std::optional<End> end_of(Evaluation& in, const Call& call, std::size_t index) {
  const Value text = call.argument(in, index);
  if (text.failed()) return std::nullopt;
  const auto port = short_number(in, call, index + 1);
  if (!port) return std::nullopt;
  const auto address = address_of(std::string(text.text));
  if (!address) {
    in.fail("not an IP address: ", text.text);
    return std::nullopt;
  }
  const std::string bytes(address->bytes.begin(), address->bytes.end());
  return End{address->v4 ? bytes.substr(12) : bytes, *port};
}

std::optional<char> protocol_number(std::string_view name) {
  static constexpr std::pair<std::string_view, int> protocols[] = {
      {"ICMP", 1}, {"TCP", 6}, {"UDP", 17}, {"RSVP", 46}, {"ICMP6", 58}, {"SCTP", 132}};
  for (const auto& [known, number] : protocols) {
    if (known == name) return static_cast<char>(number);
  }
  return std::nullopt;
}

void append_short(std::uint16_t number, std::string& out) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

}  // namespace

Value is_in_cidr(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const auto address = address_of(std::string(text.text));
  if (!address) return Value::of_boolean(false);
  for (const ExpressionPtr& each : call.arguments[1].list) {
    const Value network = converted(in, each->get(in), Parameter::Kind::string);
    if (network.failed()) return network;
    const auto held = holds(network.text, *address);
    if (!held) return in.fail("not a network such as 10.0.0.0/8: ", network.text);
    if (*held) return Value::of_boolean(true);
  }
  return Value::of_boolean(false);
}

/// Version 1 of Corelight's specification: SHA-1 of the seed, the ordered ends and the protocol.
Value community_id(Evaluation& in, const Call& call) {
  std::optional<End> from = end_of(in, call, 0);
  if (!from) return Value::failure();
  std::optional<End> to = end_of(in, call, 2);
  if (!to) return Value::failure();
  const Value name = call.has(4) ? call.argument(in, 4) : Value::of_string("TCP");
  if (name.failed()) return name;
  const auto protocol = protocol_number(name.text);
  if (!protocol) return in.fail("unknown protocol: ", name.text);
  const auto seed = call.has(5) ? short_number(in, call, 5) : std::uint16_t{0};
  if (!seed) return Value::failure();
  if (before(*to, *from)) std::swap(from, to);

  std::string flow;
  append_short(*seed, flow);
  flow += from->address + to->address;
  flow += *protocol;
  flow += '\0';
  append_short(from->port, flow);
  append_short(to->port, flow);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(flow.data()), flow.size(), digest.data());
  const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return Value::of_string(in.arena.keep("1:" + base64::encoded(bytes)));
}

}  // namespace sluice::ottl::library
