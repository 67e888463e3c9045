#include "pipeline/codec/zipkin/span_builder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "pipeline/codec/zipkin/names.h"
#include "pipeline/codec/zipkin/packed_text.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

constexpr std::size_t annotations_max = 128, resource_tags_max = 64;
/// A resource is compared and copied for each group: what is larger stays with the span.
constexpr std::size_t role_text_max = 4096;
constexpr std::size_t packed_text_max = 64 * 1024;  // larger ones are names as they are
constexpr std::size_t key_size_max = 64;            // no key that has a role is longer

std::uint64_t key_bit(const Text& key) {
  const auto first = static_cast<unsigned char>(key.size == 0 ? 0 : key.data[0]);
  const auto last = static_cast<unsigned char>(key.size == 0 ? 0 : key.data[key.size - 1]);
  return std::uint64_t{1} << ((key.size * 7 + first + last * 13u) & 63);
}

std::uint64_t nanoseconds(std::uint64_t microseconds) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return microseconds > most / 1000 ? most : microseconds * 1000;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

}  // namespace

SpanBuilder::SpanBuilder(SpanWriter& out, std::size_t expected, Version version,
                         const ReadOptions& options, ReadReport& report)
    : out_(out),
      spans_(out, expected),
      version_(version),
      options_(options),
      report_(report),
      resource_(256),
      scope_(0) {}

SpanHead& SpanBuilder::begin() {
  head_ = SpanHead();
  annotations_.clear();
  forget_tags();
  spans_.begin_span();
  return head_;
}

void SpanBuilder::forget_tags() {
  tag_count_ = 0;
  resource_tags_.clear();
  keys_seen_ = 0;
  present_.reset();
  links_present_.reset();
}

void SpanBuilder::tag(const Text& key, const Text& value) { add({key, value}); }
void SpanBuilder::tag(const Text& key, bool value) {
  add({key, Text(value ? "true" : "false"), value ? 1u : 0u, Type::boolean});
}
void SpanBuilder::tag(const Text& key, std::int64_t value) {
  add({key, Text(), static_cast<std::uint64_t>(value), Type::integer});
}
void SpanBuilder::tag(const Text& key, double value) {
  add({key, Text(), std::bit_cast<std::uint64_t>(value), Type::real});
}

void SpanBuilder::add(const Tag& tag) {
  const std::string_view key =
      tag.key.size <= key_size_max ? plain(tag.key, scratch_) : std::string_view();
  const TagRole role = role_of(key);
  if (role == TagRole::attribute) [[likely]]
    return add_plain(tag);
  add(tag, key, role);
}

void SpanBuilder::add(const Tag& tag, std::string_view key, TagRole role) {
  const bool v1_alone = role == TagRole::census_code || role == TagRole::census_description;
  // Numbers are attributes whatever they are called.
  const bool typed = tag.type == Type::integer || tag.type == Type::real;
  // What is looked at or compared as a whole has a limit.
  const bool too_long = tag.value.size > role_text_max && role <= TagRole::last_single &&
                        role != TagRole::error && role != TagRole::status_description &&
                        role != TagRole::trace_state;
  if ((v1_alone && version_ == Version::v2) || (typed && role != TagRole::http_code) || too_long)
    role = TagRole::attribute;
  if (role <= TagRole::last_noted) {
    slots_[static_cast<std::size_t>(role)] = tag;
    present_.set(static_cast<std::size_t>(role));
    if (role <= TagRole::last_single) return;
  } else if (role == TagRole::link) {
    return keep_link(tag, link_number(key));
  } else if (role == TagRole::resource) {
    const bool fits = tag.value.size <= role_text_max;
    const auto same_key = [&](const Tag& other) { return same(other.key, tag.key); };
    const auto known = std::ranges::find_if(resource_tags_, same_key);
    if (fits && known != resource_tags_.end()) {
      *known = tag;
      return;
    }
    if (fits && resource_tags_.size() < resource_tags_max) return resource_tags_.push_back(tag);
  }
  add_plain(tag);
}

void SpanBuilder::add_plain(const Tag& tag) {
  const std::uint64_t bit = tag.key.is_plain() ? key_bit(tag.key) : ~std::uint64_t{0};
  if ((keys_seen_ & bit) != 0) {
    if (Tag* const known = known_plain(tag.key)) {
      *known = tag;
      return;
    }
  }
  keys_seen_ |= bit;
  if (tag_count_ == tags_max) write_tags();
  tags_[tag_count_++] = tag;
}

SpanBuilder::Tag* SpanBuilder::known_plain(const Text& key) {
  for (std::size_t i = 0; i < tag_count_; ++i) {
    const Text& other = tags_[i].key;
    const bool differ = other.size != key.size && other.is_plain() && key.is_plain();
    if (!differ && same(other, key)) return &tags_[i];
  }
  return nullptr;
}

void SpanBuilder::keep_link(const Tag& tag, unsigned number) {
  if (links_.size() <= number) links_.resize(number + 1);
  links_[number] = tag;
  links_present_.set(number);
}

void SpanBuilder::annotation(std::uint64_t timestamp, const Text& value) {
  if (annotations_.size() == annotations_max) write_annotations();
  annotations_.push_back({timestamp, value});
}

void SpanBuilder::end(std::size_t position) {
  if (const char* const which = invalid_id()) {
    spans_.drop_span();
    if (report_.spans_invalid_id++ == 0)
      report_.first_invalid = "at byte " + std::to_string(position) + ": a span " + which;
    return;
  }
  write_head();
  write_status();
  write_links();
  write_dropped_counts();
  write_tags();
  write_annotations();
  const std::string_view scope_message = scope();
  spans_.end_span(resource(), scope_message);
  ++report_.spans_taken;
}

const char* SpanBuilder::invalid_id() const {
  using TraceState = Id<16>::State;
  using State = Id<8>::State;
  if (head_.trace_id.state == TraceState::invalid)
    return "whose trace id is not 1 to 32 hexadecimal digits";
  if (head_.trace_id.state == TraceState::absent) return "whose trace id is absent or zero";
  if (head_.id.state == State::invalid) return "whose id is not 1 to 16 hexadecimal digits";
  if (head_.id.state == State::absent) return "whose id is absent or zero";
  if (head_.parent_id.state == State::invalid)
    return "whose parent id is not 1 to 16 hexadecimal digits";
  return nullptr;
}

void SpanBuilder::write_head() {
  out_.string(otlp::span::trace_id, head_.trace_id.view());
  out_.string(otlp::span::span_id, head_.id.view());
  const bool has_parent = head_.parent_id.state == Id<8>::State::valid;
  if (has_parent && head_.parent_id.bytes != head_.id.bytes)
    out_.string(otlp::span::parent_span_id, head_.parent_id.view());
  if (!head_.name.empty()) append_string(out_, otlp::span::name, head_.name);
  write_kind();
  write_times();
  if (has(TagRole::trace_state))
    append_string(out_, otlp::span::trace_state, slot(TagRole::trace_state).value);
  if (!head_.local.empty()) write_endpoint(head_.local, true);
  if (!head_.remote.empty()) write_endpoint(head_.remote, false);
  if (head_.debug) out_.attribute(otlp::span::attributes, name::debug, true);
  const Text& service = head_.local.service_name;
  if (service.size > role_text_max)
    append_attribute(out_, otlp::span::attributes, name::service, service);
  else if (has(TagRole::service_name) && !service_name().empty())
    write_single_as_attribute(TagRole::service_name);
  if (head_.shared && head_.kind != SpanKind::client)
    out_.attribute(otlp::span::attributes, name::shared, true);
}

void SpanBuilder::write_kind() {
  SpanKind kind = head_.kind;
  if (has(TagRole::span_kind)) {
    if (kind == SpanKind::unspecified && text(TagRole::span_kind) == "internal")
      kind = SpanKind::internal;
    else
      write_single_as_attribute(TagRole::span_kind);
  }
  if (kind != SpanKind::unspecified)
    out_.varint(otlp::span::kind, static_cast<std::uint64_t>(kind));
}

void SpanBuilder::write_times() {
  std::uint64_t start = nanoseconds(head_.timestamp);
  if (head_.timestamp == 0) {
    if (version_ == Version::v1) start = options_.now_unix_nano;
    out_.attribute(otlp::span::attributes, name::absent_start, true);
  }
  const std::uint64_t end = sum(start, nanoseconds(head_.duration));
  if (start != 0) out_.fixed64(otlp::span::start_time, start);
  if (end != 0) out_.fixed64(otlp::span::end_time, end);
}

void SpanBuilder::write_endpoint(const Endpoint& endpoint, bool local) {
  const auto number = otlp::span::attributes;
  const Address& address = endpoint.ipv4 ? endpoint.ipv4 : endpoint.ipv6;
  if (!local && !endpoint.service_name.empty() && !has(TagRole::peer_service))
    append_attribute(out_, number, name::peer_service, endpoint.service_name);
  if (address && !has(local ? TagRole::local_address : TagRole::peer_address))
    out_.attribute(number, local ? name::local_address : name::peer_address, address.text());
  if (endpoint.ipv4 && endpoint.ipv6)
    out_.attribute(number, local ? name::local_ipv6 : name::peer_ipv6, endpoint.ipv6.text());
  if (endpoint.port != 0 && !has(local ? TagRole::local_port : TagRole::peer_port))
    out_.attribute(number, local ? name::local_port : name::peer_port, std::int64_t{endpoint.port});
}

/// Those that are numbered without a gap; the others stay tags.
void SpanBuilder::write_links() {
  if (links_present_.none()) return;
  bool consecutive = true;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    consecutive = consecutive && links_present_[i];
    if (!links_present_[i]) continue;
    const Tag& tag = links_[i];
    const bool is_link = consecutive && tag.value.size <= packed_text_max &&
                         append_link_text(out_, plain(tag.value, scratch_));
    if (!is_link) write_attribute(tag);
  }
}

void SpanBuilder::write_dropped_counts() {
  constexpr std::array counts = {
      std::pair{TagRole::dropped_attributes, otlp::span::dropped_attributes_count},
      std::pair{TagRole::dropped_events, otlp::span::dropped_events_count},
      std::pair{TagRole::dropped_links, otlp::span::dropped_links_count}};
  for (const auto& [role, number] : counts) {
    if (!has(role)) continue;
    const std::string_view digits = text(role);
    std::uint32_t count = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const bool counts_something = error == std::errc() && count > 0 && digits[0] != '0';
    if (counts_something && rest == digits.data() + digits.size())
      out_.varint(number, count);
    else
      write_single_as_attribute(role);
  }
}

void SpanBuilder::write_tags() {
  for (std::size_t i = 0; i < tag_count_; ++i) {
    const Tag& tag = tags_[i];
    if (tag.type == Type::text && !options_.parse_string_tags) [[likely]]
      append_attribute(out_, otlp::span::attributes, tag.key, tag.value);
    else
      write_attribute(tag);
  }
  tag_count_ = 0;
  keys_seen_ = 0;
}

void SpanBuilder::write_annotations() {
  for (const Annotation& each : annotations_) {
    const std::size_t mark = out_.begin(otlp::span::events);
    if (each.timestamp != 0) out_.fixed64(otlp::event::time, nanoseconds(each.timestamp));
    if (each.value.size > packed_text_max)
      append_string(out_, otlp::event::name, each.value);
    else
      append_event_text(out_, plain(each.value, scratch_));
    out_.end(mark);
  }
  annotations_.clear();
}

void SpanBuilder::write_attribute(const Tag& tag) {
  switch (tag.type) {
    case Type::text: break;
    case Type::boolean:
    case Type::integer:
    case Type::real: {
      const std::string_view key = plain(tag.key, scratch_);
      if (tag.type == Type::boolean)
        return out_.attribute(otlp::span::attributes, key, tag.bits != 0);
      if (tag.type == Type::integer)
        return out_.attribute(otlp::span::attributes, key, static_cast<std::int64_t>(tag.bits));
      return out_.attribute(otlp::span::attributes, key, std::bit_cast<double>(tag.bits));
    }
  }
  if (options_.parse_string_tags && tag.value.is_plain() && write_parsed(tag.key, tag.value.raw()))
    return;
  append_attribute(out_, otlp::span::attributes, tag.key, tag.value);
}

/// Of the shapes -?digits, -?digits.digits, true and false; false for all others.
bool SpanBuilder::write_parsed(const Text& key, std::string_view value) {
  const auto number = otlp::span::attributes;
  if (value == "true" || value == "false") {
    out_.attribute(number, plain(key, scratch_), value == "true");
    return true;
  }
  if (value.empty() || value.find_first_not_of("-.0123456789") != std::string_view::npos)
    return false;
  const char* const end = value.data() + value.size();
  std::int64_t whole = 0;
  const auto [behind, error] = std::from_chars(value.data(), end, whole);
  if (behind == end && error == std::errc()) {
    out_.attribute(number, plain(key, scratch_), whole);
    return true;
  }
  const std::size_t dot = value.find('.');
  const bool digits_around =
      dot != std::string_view::npos && dot + 1 < value.size() && dot > 0 && value[dot - 1] != '-';
  double real = 0;
  const auto [real_behind, real_error] = std::from_chars(value.data(), end, real);
  if (!digits_around || real_behind != end || real_error != std::errc()) return false;
  out_.attribute(number, plain(key, scratch_), real);
  return true;
}

void SpanBuilder::write_single_as_attribute(TagRole role) { write_attribute(slot(role)); }

std::string_view SpanBuilder::text(TagRole role) { return plain(slot(role).value, scratch_); }

/// Of the local endpoint, if it is one.
Text SpanBuilder::service_name() const {
  const Text& service = head_.local.service_name;
  const bool none = service.raw() == name::no_service || service.size > role_text_max;
  return none ? Text() : service;
}

/// The content of the Resource message: the local service's name and what tags say about it.
std::string_view SpanBuilder::resource() {
  Text service = service_name();
  if (service.empty() && has(TagRole::service_name)) service = slot(TagRole::service_name).value;
  const bool name_alone = resource_tags_.empty() && !has(TagRole::service_name_source);
  if (name_alone && resource_named_ && service.form == resource_name_.form &&
      service.raw() == resource_name_.raw())
    return resource_.out().bytes();
  resource_named_ = name_alone;
  resource_name_ = service;
  resource_.truncate(0);
  if (!service.empty()) {
    const bool renamed =
        has(TagRole::service_name_source) && !slot(TagRole::service_name_source).value.empty();
    const Text key = renamed ? slot(TagRole::service_name_source).value : Text(name::service);
    append_attribute(resource_, otlp::resource::attributes, key, service);
  }
  for (const Tag& tag : resource_tags_) {
    if (tag.type == Type::boolean)
      resource_.attribute(otlp::resource::attributes, plain(tag.key, scratch_), tag.bits != 0);
    else
      append_attribute(resource_, otlp::resource::attributes, tag.key, tag.value);
  }
  return resource_.out().bytes();
}

std::string_view SpanBuilder::scope() {
  scope_.truncate(0);
  if (has(TagRole::scope_name))
    append_string(scope_, otlp::scope::name, slot(TagRole::scope_name).value);
  if (has(TagRole::scope_version))
    append_string(scope_, otlp::scope::version, slot(TagRole::scope_version).value);
  return scope_.out().bytes();
}

}  // namespace sluice::zipkin
