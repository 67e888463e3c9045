#include "pipeline/codec/zipkin/grouped_spans.h"

#include <algorithm>
#include <cstring>

#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

constexpr std::size_t segment_max = 64 * 1024;
constexpr std::size_t groups_max = 256;
constexpr std::size_t likely_span_size = 300;  // a length of two bytes
/// Appending asks for more room than it uses; where bytes stand behind, it must not move them.
constexpr std::size_t slack = 64;

/// Tells most texts apart by their last letters; those of services that differ do.
std::size_t fingerprint(std::string_view text) {
  std::uint64_t last = 0;
  const std::size_t size = std::min(text.size(), sizeof last);
  if (size > 0) std::memcpy(&last, text.data() + text.size() - size, size);
  return last * 31 + text.size();
}

}  // namespace

GroupedSpans::GroupedSpans(SpanWriter& out, std::size_t expected) : out_(out), expected_(expected) {
  const std::size_t spans = std::min(expected, segment_max) / likely_span_size;
  spans_.reserve(spans + 8);
  groups_.reserve(8);
}

void GroupedSpans::begin_span() {
  span_ = out_.size();
  span_mark_ = out_.begin(otlp::scope_spans::spans, likely_span_size);
}

void GroupedSpans::drop_span() { out_.truncate(span_); }

void GroupedSpans::empty_span() { out_.truncate(span_mark_); }

std::size_t GroupedSpans::held() const {
  const std::size_t open = out_.size() - span_;
  const std::size_t segment = span_ - segment_ + (open > segment_max ? 0 : open);
  return std::max(groups_.size() > 1 ? segment : 0, copy_.capacity()) + texts_.capacity() +
         spans_.capacity() * sizeof(Span) + groups_.capacity() * sizeof(Group);
}

GroupedSpans::Place GroupedSpans::end_span(std::string_view resource, std::string_view scope) {
  out_.end(span_mark_);
  const std::size_t size = out_.size() - span_;
  if (size > segment_max && !spans_.empty()) lay_out(size);
  return add(group_of(resource, scope));
}

bool GroupedSpans::end_span(Place place) {
  if (place.segment != segment_count_ || out_.size() - span_ >= segment_max) return false;
  out_.end(span_mark_);
  add(place.group);
  return true;
}

/// The span that was just ended, to the group of that index.
GroupedSpans::Place GroupedSpans::add(std::uint32_t index) {
  const Place place = {segment_count_, index};
  const std::size_t size = out_.size() - span_;
  const auto span = static_cast<std::uint32_t>(spans_.size());
  Group& group = groups_[index];
  if (spans_.empty()) open_segment(group);
  spans_.push_back({static_cast<std::uint32_t>(out_.size() - size - first_span_),
                    static_cast<std::uint32_t>(size), none});
  if (group.last != none) spans_[group.last].next = span;
  if (group.first == none) group.first = span;
  group.last = span;
  group.bytes += size;
  const std::size_t held = out_.size() - segment_ + texts_.size();
  if (held >= segment_max || groups_.size() == groups_max) close_segment();
  return place;
}

void GroupedSpans::finish() {
  if (!spans_.empty()) close_segment();
}

std::uint32_t GroupedSpans::group_of(std::string_view resource, std::string_view scope) {
  const std::size_t key = fingerprint(resource) ^ (fingerprint(scope) << 1);
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].hash == key && is(groups_[i], resource, scope)) return i;
  }
  groups_.push_back({key, static_cast<std::uint32_t>(texts_.size()),
                     static_cast<std::uint32_t>(resource.size()),
                     static_cast<std::uint32_t>(scope.size()), none, none, 0});
  texts_.append(resource).append(scope);
  return static_cast<std::uint32_t>(groups_.size() - 1);
}

bool GroupedSpans::is(const Group& group, std::string_view resource, std::string_view scope) const {
  const std::string_view text = std::string_view(texts_).substr(group.text);
  return group.resource_size == resource.size() && group.scope_size == scope.size() &&
         text.starts_with(resource) && text.substr(resource.size()).starts_with(scope);
}

/// Puts what a segment of one group starts with ahead of its first span, which is there already.
void GroupedSpans::open_segment(const Group& group) {
  const std::size_t size = out_.size() - span_;
  const std::size_t likely = std::max(size, std::min(expected_, segment_max));
  // Tags, and lengths as wide as `begin` makes them.
  const std::size_t head =
      2 + 2 * wire::varint_size(likely) +
      wire::field_size(otlp::resource_spans::resource, group.resource_size) +
      (group.scope_size == 0 ? 0 : wire::field_size(otlp::scope_spans::scope, group.scope_size));
  out_.out().tail(head + slack);
  char* const at = out_.out().data() + span_;
  std::memmove(at + head, at, size);
  out_.truncate(span_);
  segment_ = span_;
  resource_mark_ = out_.begin(otlp::request::resource_spans, likely);
  const std::string_view text = std::string_view(texts_).substr(group.text);
  out_.string(otlp::resource_spans::resource, text.substr(0, group.resource_size));
  scope_mark_ = out_.begin(otlp::resource_spans::scope_spans, likely);
  if (group.scope_size != 0)
    out_.string(otlp::scope_spans::scope, text.substr(group.resource_size, group.scope_size));
  first_span_ = out_.size();
  ensure(first_span_ == segment_ + head, "a segment's head has the size that was made room for");
  out_.out().advance(size);
}

void GroupedSpans::close_segment() {
  if (groups_.size() > 1) return lay_out(0);
  out_.end(scope_mark_);
  out_.end(resource_mark_);
  forget_groups();
}

void GroupedSpans::forget_groups() {
  spans_.clear();
  groups_.clear();
  texts_.clear();
  ++segment_count_;
}

/// Ends the segment group by group. The last `kept` bytes of the output are a span that does not
/// belong to it any more, and stay behind it.
void GroupedSpans::lay_out(std::size_t kept) {
  const std::size_t bytes = out_.size() - kept - first_span_;
  copy_.truncate(0);
  copy_.reserve(bytes);  // growing would double it
  copy_.append({out_.out().data() + first_span_, bytes});
  std::size_t size = 0;
  for (const Group& group : groups_)
    size += wire::field_size(otlp::request::resource_spans, resource_spans_size(group));
  if (kept > 0) {
    out_.out().tail(size + slack);
    char* const data = out_.out().data();
    std::memmove(data + segment_ + size, data + first_span_ + bytes, kept);
    span_ = segment_ + size;
  }
  out_.truncate(segment_);
  for (const Group& group : groups_) write(group, copy_.bytes());
  ensure(out_.size() == segment_ + size, "groups have the size that was made room for");
  out_.out().advance(kept);
  forget_groups();
}

std::size_t GroupedSpans::scope_spans_size(const Group& group) const {
  const std::size_t scope = group.scope_size;
  return group.bytes + (scope == 0 ? 0 : wire::field_size(otlp::scope_spans::scope, scope));
}

std::size_t GroupedSpans::resource_spans_size(const Group& group) const {
  return wire::field_size(otlp::resource_spans::resource, group.resource_size) +
         wire::field_size(otlp::resource_spans::scope_spans, scope_spans_size(group));
}

void GroupedSpans::write(const Group& group, std::string_view spans) {
  BufferWriter& bytes = out_.out();
  wire::append_tag(bytes, otlp::request::resource_spans, wire::Type::length);
  wire::append_varint(bytes, resource_spans_size(group));
  const std::string_view text = std::string_view(texts_).substr(group.text);
  out_.string(otlp::resource_spans::resource, text.substr(0, group.resource_size));
  wire::append_tag(bytes, otlp::resource_spans::scope_spans, wire::Type::length);
  wire::append_varint(bytes, scope_spans_size(group));
  if (group.scope_size != 0)
    out_.string(otlp::scope_spans::scope, text.substr(group.resource_size, group.scope_size));
  for (std::uint32_t i = group.first; i != none; i = spans_[i].next)
    bytes.append(spans.substr(spans_[i].offset, spans_[i].size));
}

}  // namespace sluice::zipkin
