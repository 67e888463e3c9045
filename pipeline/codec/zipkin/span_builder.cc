#include "pipeline/codec/zipkin/span_builder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "pipeline/codec/zipkin/names.h"
#include "pipeline/codec/zipkin/packed_text.h"
#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

constexpr std::size_t annotations_max = 128, resource_tags_max = 64;
constexpr std::size_t packed_text_max = 64 * 1024;  // larger ones are names as they are
constexpr std::size_t key_size_max = 64;            // no key that has a role is longer

}  // namespace

SpanBuilder::SpanBuilder(SpanWriter& out, std::string_view request, std::size_t expected,
                         Version version, const ReadOptions& options, ReadReport& report)
    : out_(out),
      spans_(out, expected),
      version_(version),
      options_(options),
      report_(report),
      allowance_(request, out.size(),
                 options.read_once ? Allowance::Input::read_once : Allowance::Input::kept),
      resource_(256),
      scope_(0) {}

SpanHead& SpanBuilder::begin() {
  head_.clear();
  annotations_.clear();
  forget_written();
  forget_roles();
  spans_.begin_span();
  return head_;
}

void SpanBuilder::forget_tags() {
  while (written_count_ > 0) take_back(written_count_ - 1);
  forget_roles();
}

void SpanBuilder::forget_written() {
  written_count_ = 0;
  places_seen_.reset();
}

void SpanBuilder::forget_roles() {
  resource_tags_.clear();
  resource_size_ = roles_size_ = 0;
  present_.reset();
  links_present_.reset();
}

void SpanBuilder::tag(const Text& key, const Text& value) {
  if (key.size > key_size_max || value.size >= large_text) [[unlikely]]
    return add({key, value});
  const std::string_view name = plain(key, scratch_);
  const TagRole role = role_of(name);
  if (role != TagRole::attribute || options_.parse_string_tags) [[unlikely]]
    return add({key, value}, name, role);
  remember(key);
  append_attribute(out_, otlp::span::attributes, key, value);
}

bool SpanBuilder::is_plain(const Text& key) {
  return key.is_plain() && !options_.parse_string_tags &&
         (key.size > key_size_max || role_of(key.raw()) == TagRole::attribute);
}

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
    roles_size_ += tag.value.size + std::min<std::size_t>(tag.value.size, role_text_max);
    if (role <= TagRole::last_single) return;
  } else if (role == TagRole::link) {
    return keep_link(tag, link_number(key));
  } else if (role == TagRole::resource) {
    const std::size_t size = tag.key.size + tag.value.size;
    const bool fits = tag.value.size <= role_text_max && resource_size_ + size <= resource_size_max;
    const auto same_key = [&](const Tag& other) { return same(other.key, tag.key); };
    const auto known = std::ranges::find_if(resource_tags_, same_key);
    if (fits && known != resource_tags_.end()) {
      resource_size_ += size;
      *known = tag;
      return;
    }
    if (fits && resource_tags_.size() < resource_tags_max) {
      resource_size_ += size;
      return resource_tags_.push_back(tag);
    }
  }
  add_plain(tag);
}

void SpanBuilder::add_plain(const Tag& tag) {
  if (const std::size_t size = tag.key.size + tag.value.size; size >= large_text)
    make_room(tag.value.form == Text::Form::bytes ? size + size / 2 : size);  // base64
  if (overflown_) return;
  remember(tag.key);
  write_attribute(tag);
}

/// An attribute of that key is about to be written; one that is there already goes.
void SpanBuilder::remember(const Text& key) {
  std::string unescaped;
  const std::string_view text = plain(key, unescaped);
  const KnownKeys::Place place = KnownKeys::place_of(text);
  if (places_seen_[place]) take_back(text);
  if (written_count_ == written_max) {
    forget_written();
    make_room(0);
  }
  places_seen_.set(place);
  written_[written_count_++] = static_cast<std::uint32_t>(out_.size());
}

/// For that much more output. Where there is none, what there is of the open span goes, so that the
/// rest of it takes no more than it did.
void SpanBuilder::make_room(std::size_t size) {
  const std::size_t held = out_.size() + spans_.held() + scratch_.capacity();
  if (allowance_.admits(held + size, report_.spans_taken)) return;
  overflown_ = true;
  forget_written();
  spans_.empty_span();
}

void SpanBuilder::take_back(std::string_view key) {
  for (std::size_t i = 0; i < written_count_; ++i) {
    if (written_key(i) == key) return take_back(i);
  }
}

std::string_view SpanBuilder::written_key(std::size_t index) {
  wire::Field field;
  wire::Cursor span(out_.out().bytes().substr(written_[index]));
  ensure(span.next(field), "an attribute stands where it was written");
  wire::Cursor attribute(field.content);
  ensure(attribute.next(field), "an attribute begins with its key");
  return field.content;
}

/// Cuts the attribute out of the span.
void SpanBuilder::take_back(std::size_t index) {
  const std::size_t offset = written_[index];
  const std::string_view rest = out_.out().bytes().substr(offset);
  wire::Cursor cursor(rest);
  wire::Field attribute;
  ensure(cursor.next(attribute), "an attribute stands where it was written");
  const std::size_t size = attribute.whole.size();
  char* const at = out_.out().data() + offset;
  std::memmove(at, at + size, rest.size() - size);
  out_.truncate(out_.size() - size);
  --written_count_;
  for (std::size_t i = index; i < written_count_; ++i)
    written_[i] = written_[i + 1] - static_cast<std::uint32_t>(size);
}

void SpanBuilder::keep_link(const Tag& tag, unsigned number) {
  if (links_.size() <= number) links_.resize(number + 1);
  links_[number] = tag;
  links_present_.set(number);
}

void SpanBuilder::annotation(std::uint64_t timestamp, const Text& value) {
  if (annotations_.size() == annotations_max) {
    write_annotations();
    make_room(0);
  }
  annotations_.push_back({timestamp, value});
}

void SpanBuilder::end(std::size_t position) {
  if (const char* const which = invalid_id()) {
    spans_.drop_span();
    if (report_.spans_invalid_id++ == 0)
      report_.first_invalid = "at byte " + std::to_string(position) + ": a span " + which;
    return;
  }
  allowance_.read_up_to(position);
  make_room(head_.name.size + head_.remote.service_name.size + roles_size_);
  if (overflown_) return spans_.drop_span();
  write_head();
  if (present_.any()) {
    write_status();
    write_dropped_counts();
  }
  write_links();
  write_annotations();
  if (overflown_) return spans_.drop_span();
  end_in_group();
  ++report_.spans_taken;
}

/// Under the resource and scope that its local endpoint and tags say.
void SpanBuilder::end_in_group() {
  const bool is_plain = resource_tags_.empty() && present_.none();
  KnownLocal* const known = is_plain ? head_.known_local : nullptr;
  if (known != nullptr && spans_.end_span(known->place)) return;
  const std::string_view scope_message = scope();
  const GroupedSpans::Place place = spans_.end_span(resource(), scope_message);
  if (known != nullptr) known->place = place;
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

/// Those that are numbered without a gap; the others stay tags.
void SpanBuilder::write_links() {
  if (links_present_.none()) return;
  bool consecutive = true;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    consecutive = consecutive && links_present_[i];
    if (!links_present_[i]) continue;
    const Tag& tag = links_[i];
    make_room(2 * tag.value.size);  // an element of a list has two bytes here and four there
    if (overflown_) return;
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

void SpanBuilder::write_annotations() {
  for (const Annotation& each : annotations_) {
    if (each.value.size >= large_text) make_room(2 * each.value.size);
    if (overflown_) break;
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
  if (allowance_.discarded()) resource_named_ = false;
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
