#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_writer.h"

namespace sluice::jaeger {

/// A tag, a log's field or a process's tag, of either model.
struct Tag {
  enum class Kind : std::uint8_t { text, boolean, integer, real, binary, unknown };
  std::string_view key;
  std::string_view text;  ///< also binary
  std::int64_t integer = 0;
  double real = 0;
  std::int32_t type_number = 0;  ///< as it came, for an unknown kind
  bool boolean = false;
  Kind kind = Kind::text;
};

struct Reference {
  std::uint64_t trace_high = 0, trace_low = 0, span = 0;  ///< ids as big-endian numbers
  std::int32_t type = 0;
  static constexpr std::int32_t child_of = 0;
};

/// Where a span belongs: spans of one process (its bytes, in protobuf; empty in Thrift, which has
/// one for the whole batch) and one scope go together.
struct Group {
  std::string_view process, scope_name, scope_version;
  auto operator<=>(const Group&) const = default;
};

/// Writes a KeyValue under `number` of the open message.
void write_attribute(SpanWriter& out, std::uint32_t number, const Tag& tag);

/// How services without a name are called by those who must name them; says nothing.
inline constexpr std::string_view no_service_name = "OTLPResourceNoServiceName";

/// A process's tags as attributes of the resource: `hostname` becomes `host.name`, and
/// `jaeger.version` V becomes `opencensus.exporterversion` Jaeger-V, where those are not there.
/// First `see` for all keys, then the service's name unless a tag has it, then `write` for all
/// tags.
class ResourceNames {
 public:
  void see(std::string_view key) {
    has_host_name_ |= key == "host.name";
    has_exporter_version_ |= key == "opencensus.exporterversion";
    has_service_name_ |= key == "service.name";
  }
  bool has_service_name() const { return has_service_name_; }
  void write(SpanWriter& out, Tag tag) const;

 private:
  bool has_host_name_ = false, has_exporter_version_ = false, has_service_name_ = false;
};

/// The tags that say what OTLP has fields for, kept until the last tag, since they bear on one
/// another.
class TagFacts {
 public:
  /// True when the tag is kept here and must not become an attribute.
  bool take(const Tag& tag) { return concerns(tag.key.size()) && take_known(tag); }
  /// Kind, status and tracestate, once all tags are known.
  void write(SpanWriter& out) const;
  /// What `write` writes at most.
  std::size_t size_max() const {
    return trace_state_.size() + description_.size() + http_message_.size() + 64;
  }

  std::string_view scope_name, scope_version;

 private:
  enum class Code : std::uint8_t { unset, ok, error };
  /// By length: few keys have to be compared at all.
  static bool concerns(std::size_t key_size) {
    constexpr std::uint32_t sizes = 1u << 5 | 1u << 9 | 1u << 14 | 1u << 15 | 1u << 16 | 1u << 17 |
                                    1u << 18 | 1u << 19 | 1u << 20 | 1u << 23 | 1u << 25;
    return key_size < 32 && (sizes >> key_size & 1) != 0;
  }
  bool take_known(const Tag& tag);
  bool take_status(const Tag& tag);
  bool take_scope(const Tag& tag);
  Code code_of_http() const;

  std::string_view trace_state_, description_, http_message_;
  std::int64_t http_status_ = 0;
  std::uint8_t kind_ = 0;
  Code told_ = Code::unset;
  bool error_ = false;
  bool told_any_ = false;
  bool has_description_ = false;
  bool has_http_status_ = false;
};

/// One span under way: written field by field as it is read. Ids and times stand at its head and
/// are filled in at the end, since they may come in any order; whatever depends on several tags
/// follows at its tail.
class SpanDraft {
 public:
  /// What `out` would become larger than `limit` by is not written, and it does not fit.
  SpanDraft(SpanWriter& out, std::size_t limit);

  void name(std::string_view name) {
    named_ = name;
    if (room(name.size())) out_.string(otlp::span::name, name);
  }
  void tag(const Tag& tag) {
    blank_ = false;
    if (facts_.take(tag) || !room(tag.key.size() + tag.text.size())) return;
    if (tag.kind == Tag::Kind::text)
      out_.attribute(otlp::span::attributes, tag.key, tag.text);
    else
      write_attribute(out_, otlp::span::attributes, tag);
  }

  /// An event: `field` for each of its fields, in between. Without room its mark is 0, and none
  /// will be there for the rest of it.
  std::size_t begin_event();
  void event_time(std::uint64_t nanos) {
    if (room(0)) out_.fixed64(otlp::event::time, nanos);
  }
  void event_field(const Tag& tag);
  void end_event(std::size_t mark) {
    if (mark != 0) out_.end(mark);
  }

  /// First for every reference, then, in the same order, `link` for every one.
  void consider_parent(const Reference& reference);
  void link(const Reference& reference);

  /// After the last field: whether there was room for all of it.
  bool fits() { return room(facts_.size_max()) && !overflown_; }
  /// If it fits. False when the span is left out, having been counted.
  bool finish(Report& report, std::string_view service);

  Group group() const { return {{}, facts_.scope_name, facts_.scope_version}; }
  std::uint64_t trace_high = 0, trace_low = 0, span = 0, parent = 0;
  std::uint64_t start = 0, end = 0;  ///< ns
  std::uint32_t flags = 0;
  bool clamped = false;

 private:
  /// For texts of that size and what stands around them.
  bool room(std::size_t size) {
    if (out_.size() + size <= limit_) [[likely]]
      return true;
    overflown_ = true;
    return false;
  }
  bool same_trace(const Reference& reference) const {
    return reference.trace_high == trace_high && reference.trace_low == trace_low;
  }
  void fill_head();

  SpanWriter& out_;
  const std::size_t limit_;
  const std::size_t begin_;
  const std::size_t mark_;
  std::string_view named_;
  TagFacts facts_;
  std::uint64_t follows_from_ = 0;  ///< the first of the same trace
  bool blank_ = true;
  bool overflown_ = false;
};

/// Start and end in ns of what is given in µs or in seconds and nanoseconds. Never wraps: a time
/// that OTLP cannot say becomes the nearest one, and `clamped` is set.
std::uint64_t nanos_of_micros(std::int64_t micros, bool& clamped);
std::uint64_t nanos_of_seconds(std::int64_t seconds, std::int64_t nanos, bool& clamped);
std::uint64_t end_of(std::uint64_t start, std::int64_t seconds_or_micros, std::int64_t unit,
                     std::int64_t nanos, bool& clamped);

}  // namespace sluice::jaeger
