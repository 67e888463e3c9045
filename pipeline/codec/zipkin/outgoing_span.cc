// OTLP spans as Zipkin's. What our own reader of Zipkin made of a Zipkin span becomes what it was:
// attributes that stand for endpoints, flags and the status go back to where they came from. Keys
// of older conventions fill the endpoints too, and stay tags.

#include "pipeline/codec/zipkin/outgoing_span.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>

#include "pipeline/attributes/value.h"
#include "pipeline/codec/hex.h"
#include "pipeline/codec/zipkin/names.h"
#include "pipeline/codec/zipkin/packed_json.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

using Type = AnyValueView::Type;

constexpr std::array<std::string_view, 10> peer_keys = {
    "server.address",        "net.peer.name",
    "network.peer.address",  "server.socket.domain",
    "server.socket.address", "net.sock.peer.name",
    "net.sock.peer.addr",    "peer.hostname",
    "peer.address",          "db.name"};
/// In the place of a missing `service.name`.
constexpr std::array<std::string_view, 3> name_sources = {"faas.name", "k8s.deployment.name",
                                                          "process.executable.name"};
constexpr std::size_t links_max = 128;

std::uint16_t port_of(const AnyValueView& value) {
  std::int64_t number = 0;
  if (value.type() == Type::integer) number = value.integer();
  if (value.type() == Type::string) {
    const std::string_view text = value.string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return 0;
  }
  return number > 0 && number <= UINT16_MAX ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

Address address_in(const AnyValueView& value) {
  return value.type() == Type::string ? parse_address(value.string()) : Address();
}

/// A text that reads back as the same attribute.
bool is_canonical(const Address& address, const AnyValueView& value) {
  return address && address.text() == value.string();
}

bool is_true(const AnyValueView& value) { return value.type() == Type::boolean && value.boolean(); }

std::optional<std::string_view> text_attribute(const ResourceView& resource, std::string_view key) {
  const auto found = resource.attribute(key);
  if (!found || found->value().type() != Type::string || found->value().string().empty())
    return std::nullopt;
  return found->value().string();
}

bool is_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

}  // namespace

const OutgoingSpan& SpanTranslator::translate(const SpanEntry& entry) {
  const SpanView span = batch_.view(entry);
  const ResourceView resource(batch_.resource_bytes(entry));
  const ScopeView scope(batch_.scope_bytes(entry));
  out_.annotations.clear();
  out_.tags.clear();
  out_.made.clear();
  out_.local = {};
  out_.remote = {};
  out_.debug = out_.shared = has_error_ = absent_start_ = false;
  std::fill(index_.begin(), index_.end(), 0);

  const bool short_id = is_zero(span.trace_id().substr(0, 8));
  out_.trace_id = span.trace_id().substr(short_id ? 8 : 0);
  out_.id = span.span_id();
  out_.parent_id = is_zero(span.parent_span_id()) ? std::string_view() : span.parent_span_id();
  out_.name = span.name();
  const bool has_kind = span.kind() >= SpanKind::server && span.kind() <= SpanKind::consumer;
  out_.kind = has_kind ? span.kind() : SpanKind::unspecified;

  find_service(resource);
  out_.local.service_name = service_;
  add_resource(resource);
  if (!service_source_.empty()) set_tag(name::service_name_source, service_source_);
  if (!scope.name.empty()) set_tag(name::scope_name, scope.name);
  if (!scope.version.empty()) set_tag(name::scope_version, scope.version);
  add_attributes(span);
  name_peer(span.kind());
  set_times(span);
  if (span.kind() == SpanKind::internal) set_tag(name::span_kind, "internal");
  if (!span.trace_state().empty()) set_tag(name::trace_state, span.trace_state());
  add_status(span);
  add_links(span);
  add_count(name::dropped_attributes, span.dropped_attributes_count());
  add_count(name::dropped_events, span.dropped_events_count());
  add_count(name::dropped_links, span.dropped_links_count());
  add_events(span);
  return out_;
}

void SpanTranslator::find_service(const ResourceView& resource) {
  service_source_ = {};
  service_ = default_service_name_;
  if (const auto found = text_attribute(resource, name::service)) {
    service_ = *found;
    return;
  }
  for (const std::string_view key : name_sources) {
    if (const auto found = text_attribute(resource, key)) {
      service_ = *found;
      service_source_ = key;
      return;
    }
  }
}

void SpanTranslator::add_resource(const ResourceView& resource) {
  AttributeRange attributes = resource.attributes();
  const std::string_view named_by = service_source_.empty() ? name::service : service_source_;
  while (const auto each = attributes.next()) {
    const AnyValueView value = each->value();
    const bool names_service = each->key == named_by && value.type() == Type::string;
    if (!names_service) set_value(each->key, value);
  }
}

void SpanTranslator::add_attributes(const SpanView& span) {
  std::ranges::fill(peers_, std::string_view());
  socket_port_ = sock_peer_port_ = 0;
  peer_service_ = {};
  AttributeRange attributes = span.attributes();
  while (const auto each = attributes.next()) {
    const AnyValueView value = each->value();
    if (!consume(*each, value)) set_value(each->key, value);
  }
  if (out_.remote.service_name.empty()) out_.remote.service_name = peer_service_;
}

/// True for an attribute that reading the span back makes again.
bool SpanTranslator::consume(const KeyValueView& attribute, const AnyValueView& value) {
  const std::string_view key = attribute.key;
  if (key.empty()) return false;
  switch (key[0]) {
    case 'e':
      if (key != name::error) return false;
      has_error_ = value.type() == Type::string;
      if (has_error_) error_ = value.string();
      return true;  // the status decides what becomes of it
    case 'o':
      if (key != name::absent_start || !is_true(value)) return false;
      return absent_start_ = true;
    case 'z':
      if (key == name::debug && is_true(value)) return out_.debug = true;
      if (key == name::shared && is_true(value)) return out_.shared = true;
      return consume_local(key, value) || consume_remote(key, value);
    case 'n':
    case 's':
    case 'p':
    case 'd': note_peer(key, value); return consume_local(key, value) || consume_remote(key, value);
    default: return false;
  }
}

bool SpanTranslator::consume_local(std::string_view key, const AnyValueView& value) {
  if (key == name::local_address || key == name::local_ipv6 || key == "net.host.ip") {
    const Address address = address_in(value);
    if (address) out_.local.place(address);
    return key != "net.host.ip" && is_canonical(address, value);
  }
  if (key == name::local_port || key == "net.host.port") {
    const std::uint16_t port = port_of(value);
    if (port != 0) out_.local.port = port;
    return key == name::local_port && port != 0 && value.type() == Type::integer;
  }
  return false;
}

bool SpanTranslator::consume_remote(std::string_view key, const AnyValueView& value) {
  if (key == name::peer_service && value.type() == Type::string && !value.string().empty()) {
    out_.remote.service_name = value.string();
    return true;
  }
  if (key == name::peer_address || key == name::peer_ipv6 || key == "net.peer.ip") {
    const Address address = address_in(value);
    if (address) out_.remote.place(address);
    return key != "net.peer.ip" && is_canonical(address, value);
  }
  if (key == name::peer_port || key == "net.peer.port") {
    const std::uint16_t port = port_of(value);
    if (port != 0) out_.remote.port = port;
    return key == name::peer_port && port != 0 && value.type() == Type::integer;
  }
  return false;
}

/// What may name the peer; all of it stays tags.
void SpanTranslator::note_peer(std::string_view key, const AnyValueView& value) {
  if (key == "server.socket.port") socket_port_ = port_of(value);
  if (key == "net.sock.peer.port") sock_peer_port_ = port_of(value);
  if (value.type() != Type::string) return;
  if (key == "peer.service") peer_service_ = value.string();
  const auto found = std::ranges::find(peer_keys, key);
  if (found != peer_keys.end())
    peers_[static_cast<std::size_t>(found - peer_keys.begin())] = value.string();
}

/// For those who call, whom they called is worth a name.
void SpanTranslator::name_peer(SpanKind kind) {
  OutEndpoint& remote = out_.remote;
  if (!remote.service_name.empty()) return;
  if (kind != SpanKind::client && kind != SpanKind::producer) return;
  const auto first =
      std::ranges::find_if(peers_, [](std::string_view name) { return !name.empty(); });
  if (first == std::end(peers_)) return;
  const auto which = static_cast<std::size_t>(first - std::begin(peers_));
  const bool is_socket = which == network_peer_address || which == server_socket_address ||
                         which == net_sock_peer_addr;
  const Address address = is_socket ? parse_address(*first) : Address();
  if (address)
    remote.place(address);
  else
    remote.service_name = *first;
  if (remote.port != 0) return;
  if (which == server_socket_address) remote.port = socket_port_;
  if (which == net_sock_peer_addr) remote.port = sock_peer_port_;
}

void SpanTranslator::set_times(const SpanView& span) {
  const std::uint64_t start = span.start_time_unix_nano();
  const std::uint64_t end = span.end_time_unix_nano();
  out_.timestamp = absent_start_ ? 0 : start / 1000;
  // What took any time at all took a microsecond.
  out_.duration = end > start ? std::max<std::uint64_t>((end - start) / 1000, 1) : 0;
}

/// A failure whose only sign is `error` is written as that alone: see span_status.cc.
void SpanTranslator::add_status(const SpanView& span) {
  const std::string_view message = span.status_message();
  if (span.status_code() == StatusCode::ok) {
    set_tag(name::status_code, "OK");
    if (!message.empty()) set_tag(name::status_description, message);
    return;
  }
  if (span.status_code() != StatusCode::error) return;
  if (has_error_) {
    set_tag(name::error, error_);
    if (error_ == message && error_ != "true" && error_ != "false") return;
    set_tag(name::status_code, "ERROR");
    set_tag(name::status_description, message);
    return;
  }
  if (message.empty()) return set_tag(name::error, "true");
  const bool ambiguous = message == "true" || message == "false";
  set_tag(name::status_code, "ERROR");
  if (ambiguous) set_tag(name::status_description, message);
  set_tag(name::error, ambiguous ? "true" : message);
}

void SpanTranslator::add_events(const SpanView& span) {
  FieldRange events = span.events();
  while (const auto found = events.next()) {
    const EventView event(found->content);
    OutText value = borrowed(event.name);
    if (event.dropped_attributes_count > 0 || event.attributes().next()) {
      const std::size_t offset = out_.made.size();
      out_.made.append(event.name).append("|");
      append_json_object(event.attributes(), out_.made);
      out_.made.append("|").append(std::to_string(event.dropped_attributes_count));
      value = made_from(offset);
    }
    out_.annotations.push_back({event.time_unix_nano / 1000, value});
  }
}

void SpanTranslator::add_links(const SpanView& span) {
  FieldRange links = span.links();
  for (std::size_t i = 0; i < links_max; ++i) {
    const auto found = links.next();
    if (!found) return;
    const LinkView link(found->content);
    const std::size_t key_offset = out_.made.size();
    out_.made.append(name::link).append(std::to_string(i));
    const OutText key = made_from(key_offset);
    const std::size_t offset = out_.made.size();
    const auto append_id = [this](std::string_view id) {
      const std::size_t at = out_.made.size();
      out_.made.resize(at + 2 * id.size());
      hex::encode(id, out_.made.data() + at);
      out_.made += '|';
    };
    append_id(link.trace_id);
    append_id(link.span_id);
    out_.made.append(link.trace_state).append("|");
    append_json_object(link.attributes(), out_.made);
    out_.made.append("|").append(std::to_string(link.dropped_attributes_count));
    set_tag(key, made_from(offset));
  }
}

void SpanTranslator::add_count(std::string_view key, std::uint32_t count) {
  if (count == 0) return;
  const std::size_t offset = out_.made.size();
  out_.made += std::to_string(count);
  set_tag(borrowed(key), made_from(offset));
}

void SpanTranslator::set_value(std::string_view key, const AnyValueView& value) {
  if (value.type() == Type::string) return set_tag(key, value.string());
  const std::size_t offset = out_.made.size();
  out_.made += text_of(value);
  set_tag(borrowed(key), made_from(offset));
}

OutText SpanTranslator::made_from(std::size_t offset) const {
  return {{}, offset, out_.made.size() - offset, true};
}

/// The later of two with one key counts, at the place of the first.
void SpanTranslator::set_tag(const OutText& key, const OutText& value) {
  if (index_.size() < 2 * (out_.tags.size() + 1)) grow_index();
  std::size_t& place = place_of(out_.text(key));
  if (place != 0) {
    out_.tags[place - 1].value = value;
    return;
  }
  out_.tags.push_back({key, value});
  place = out_.tags.size();
}

std::size_t& SpanTranslator::place_of(std::string_view key) {
  std::size_t at = std::hash<std::string_view>()(key) & (index_.size() - 1);
  while (index_[at] != 0 && out_.text(out_.tags[index_[at] - 1].key) != key)
    at = (at + 1) & (index_.size() - 1);
  return index_[at];
}

void SpanTranslator::grow_index() {
  index_.assign(std::max<std::size_t>(64, index_.size() * 2), 0);
  for (std::size_t i = 0; i < out_.tags.size(); ++i) place_of(out_.text(out_.tags[i].key)) = i + 1;
}

}  // namespace sluice::zipkin
