// From Zipkin's v1 (annotations with endpoints) to v2 (a kind, a local and a remote endpoint).
// "cs", "cr" and so on are the core annotations: client send and receive, server receive and send,
// message send and receive, wire send and receive.

#include "pipeline/codec/zipkin/v1_span.h"

#include <algorithm>

namespace sluice::zipkin {
namespace {

constexpr std::array<std::string_view, 8> core_names = {"cs", "cr", "sr", "ss",
                                                        "ms", "mr", "ws", "wr"};
constexpr std::string_view local_component = "lc", component = "component",
                           unknown_service = "unknown-service", unknown_name = "unknown";

bool same_address(const Endpoint& a, const Endpoint& b) {
  return a.ipv4.text() == b.ipv4.text() && a.ipv6.text() == b.ipv6.text() && a.port == b.port;
}

std::uint64_t between(std::uint64_t begin, std::uint64_t end) {
  return end > begin ? end - begin : 0;
}

}  // namespace

bool V1BinaryAnnotation::is_address() const {
  if (type != Type::boolean || integer == 0 || host.empty()) return false;
  const std::string_view name = key.raw();
  return name == "sa" || name == "ca" || name == "ma";
}

void V1Parts::begin(const V1Head& head) {
  head_ = head;
  parts_[0] = Part();
  count_ = 1;
  forked_ = parts_max;
  for (Event& event : events_) event.present = false;
  server_address_.reset();
  client_address_.reset();
  broker_address_.reset();
  component_ = Text();
}

std::optional<V1Parts::Core> V1Parts::core_of(std::string_view value) {
  if (value.size() != 2) return std::nullopt;
  const auto found = std::find(core_names.begin(), core_names.end(), value);
  if (found == core_names.end()) return std::nullopt;
  return static_cast<Core>(found - core_names.begin());
}

bool V1Parts::is_core(const V1Annotation& annotation) {
  return !annotation.host.empty() && core_of(annotation.value.raw()).has_value();
}

void V1Parts::see(const V1Annotation& annotation) {
  if (annotation.is_blank()) return;
  const std::size_t index = make_part(annotation.host);
  if (!is_core(annotation)) return;
  const Core core = *core_of(annotation.value.raw());
  events_[core] = {annotation.timestamp, annotation.host, true};
  switch (core) {
    case cs:
    case cr: parts_[index].kind = SpanKind::client; break;
    case sr:
    case ss: parts_[index].kind = SpanKind::server; break;
    case ms: parts_[index].kind = SpanKind::producer; break;
    case mr: parts_[index].kind = SpanKind::consumer; break;
    default: break;
  }
}

void V1Parts::see(const V1BinaryAnnotation& annotation) {
  if (annotation.is_blank()) return;
  if (annotation.is_address()) {
    switch (annotation.key.raw()[0]) {
      case 's': server_address_ = annotation.host; break;
      case 'c': client_address_ = annotation.host; break;
      default: broker_address_ = annotation.host; break;
    }
    return;
  }
  make_part(annotation.host);
  if (annotation.key.raw() == local_component && annotation.type == V1BinaryAnnotation::Type::text)
    component_ = annotation.value;
}

std::size_t V1Parts::part_of(const Endpoint& host) const {
  if (host.empty()) return 0;
  for (std::size_t i = 0; i < std::min(count_, forked_); ++i) {
    if (same(parts_[i].local.service_name, host.service_name)) return i;
  }
  return 0;
}

std::size_t V1Parts::make_part(const Endpoint& host) {
  if (host.empty()) return 0;
  Part& first = parts_[0];
  if (!first.has_local) {
    first.local = host;
    first.has_local = true;
    return 0;
  }
  const std::size_t known = part_of(host);
  const bool is_new = !same(parts_[known].local.service_name, host.service_name);
  if (!is_new || count_ == services_max) return known;
  parts_[count_] = Part();
  parts_[count_].local = host;
  parts_[count_].has_local = true;
  return count_++;
}

/// A part beside the one that has the same service.
std::size_t V1Parts::fork(const Endpoint& host, SpanKind kind) {
  forked_ = std::min(forked_, count_);
  parts_[count_] = Part();
  parts_[count_].local = host;
  parts_[count_].has_local = true;
  parts_[count_].kind = kind;
  return count_++;
}

void V1Parts::resolve() {
  assume_start(cs, cr);
  assume_start(sr, ss);
  resolve_rpc();
  // Without a shared flag, a span whose starter did not report its own times is one.
  const bool times_elsewhere = head_.timestamp == 0 || (has(ss) && head_.duration == 0);
  if (!has(cs) && has(sr) && times_elsewhere) part(sr).shared = true;
  resolve_messaging();
  resolve_addresses();
}

bool V1Parts::ends_with(Core core) const {
  return has(core) && head_.timestamp != 0 && head_.duration != 0 &&
         head_.timestamp + head_.duration == at(core);
}

/// An end that agrees with the span's own times says where the start was.
void V1Parts::assume_start(Core start, Core end) {
  if (!has(start) && ends_with(end)) events_[start] = {head_.timestamp, events_[end].host, true};
}

/// Of the part of `begin`: the span's own times where it has both, else what the two say.
void V1Parts::set_times(Core begin, Core end) {
  Part& half = part(begin);
  if (head_.timestamp != 0 && head_.duration != 0) {
    half.timestamp = head_.timestamp;
    half.duration = head_.duration;
    return;
  }
  half.timestamp = at(begin);
  half.duration = end != cores && has(end) ? between(at(begin), at(end)) : 0;
}

void V1Parts::resolve_rpc() {
  if (has(cs) && has(sr)) return resolve_both_halves();
  if (has(cs) && has(cr)) return set_times(cs, cr);
  if (has(sr) && has(ss)) return set_times(sr, ss);
  resolve_incomplete();
}

/// The client's half has the span's own times, the server's half what it annotated.
void V1Parts::resolve_both_halves() {
  set_times(cs, cr);
  const std::size_t client = part_of(events_[cs].host);
  std::size_t server = part_of(events_[sr].host);
  if (client == server) {
    parts_[client].kind = SpanKind::client;
    server = fork(events_[sr].host, SpanKind::server);
  }
  parts_[server].shared = true;
  parts_[server].timestamp = at(sr);
  if (has(ss)) parts_[server].duration = between(at(sr), at(ss));
  if (!has(cr) && head_.duration == 0) parts_[client].duration = 0;  // one way
}

void V1Parts::resolve_incomplete() {
  for (std::size_t i = 0; i < count_; ++i) {
    Part& half = parts_[i];
    if (half.kind == SpanKind::client) {
      if (has(cs)) half.timestamp = at(cs);
      half.kept[cr] = has(cr);
    } else if (half.kind == SpanKind::server) {
      if (has(sr)) half.timestamp = at(sr);
      half.kept[ss] = has(ss);
    }
  }
  if (head_.timestamp == 0) return;
  parts_[0].timestamp = head_.timestamp;
  parts_[0].duration = head_.duration;
}

void V1Parts::resolve_messaging() {
  if (has(ms) && has(mr)) {
    const std::size_t producer = part_of(events_[ms].host);
    std::size_t consumer = part_of(events_[mr].host);
    if (producer == consumer) {
      parts_[producer].kind = SpanKind::producer;
      consumer = fork(events_[mr].host, SpanKind::consumer);
    }
    Part& received = parts_[consumer];
    received.shared = true;
    received.timestamp = has(wr) ? at(wr) : at(mr);
    received.duration = has(wr) ? between(at(wr), at(mr)) : 0;
    parts_[producer].timestamp = at(ms);
    parts_[producer].duration = has(ws) ? between(at(ms), at(ws)) : 0;
  } else if (has(ms)) {
    set_times(ms, ws);
  } else if (has(mr)) {
    has(wr) ? set_times(wr, mr) : set_times(mr, cores);
  } else {
    if (has(ws)) part(ws).kept[ws] = true;
    if (has(wr)) part(wr).kept[wr] = true;
  }
}

void V1Parts::resolve_addresses() {
  const bool is_rpc = has(cs) || has(cr) || has(sr) || has(ss);
  if (!is_rpc && (client_address_ || server_address_)) {
    if (client_address_ && server_address_) {
      parts_[make_part(*client_address_)].remote = *server_address_;
    } else if (server_address_) {
      parts_[0].remote = *server_address_;
    } else {
      parts_[0].kind = SpanKind::server;
      parts_[0].remote = *client_address_;
    }
    return;
  }
  // The server's half may be one that was forked off.
  const auto half = [this](SpanKind kind, Core core) -> Part& {
    for (std::size_t i = forked_; i < count_; ++i) {
      if (parts_[i].kind == kind) return parts_[i];
    }
    return part(core);
  };
  if (client_address_ && (has(sr) || has(ss))) {
    Part& server = half(SpanKind::server, has(sr) ? sr : ss);
    Endpoint client = *client_address_;
    // Some write the server's own name, or its whole endpoint, for the client.
    if (same(client.service_name, server.local.service_name)) {
      client.service_name = Text();
      if (same_address(client, server.local)) client = Endpoint();
    }
    server.remote = client;
  }
  if (server_address_ && (has(cs) || has(cr))) part(has(cs) ? cs : cr).remote = *server_address_;
  if (broker_address_ && has(ms)) part(ms).remote = *broker_address_;
  if (broker_address_ && has(mr)) half(SpanKind::consumer, mr).remote = *broker_address_;
}

bool V1Parts::is_consumed(const V1BinaryAnnotation& annotation) const {
  if (annotation.is_address()) return true;
  const bool marker =
      annotation.key.raw() == local_component && annotation.type == V1BinaryAnnotation::Type::text;
  if (!marker) return false;
  const bool names_service = parts_[part_of(annotation.host)].local.service_name.empty();
  return annotation.value.empty() || names_service;
}

void V1Parts::write_head(std::size_t index, SpanHead& head, SpanBuilder& out) const {
  const Part& from = parts_[index];
  head.trace_id = head_.trace_id;
  head.id = head_.id;
  head.parent_id = head_.parent_id;
  if (head_.name.raw() != unknown_name) head.name = head_.name;
  head.debug = head_.debug;
  head.timestamp = from.timestamp;
  head.duration = from.duration;
  head.kind = from.kind;
  head.shared = from.shared;
  head.local = from.local;
  head.remote = from.remote;
  for (const Core core : {cr, ss, ws, wr}) {
    if (from.kept[core]) out.annotation(at(core), core_names[core]);
  }
  if (!head.local.service_name.empty()) return;
  head.local.service_name = component_.empty() ? Text(unknown_service) : component_;
  if (!component_.empty()) out.tag(component, component_);
}

}  // namespace sluice::zipkin
