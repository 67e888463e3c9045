#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/codec/zipkin/span.h"
#include "pipeline/codec/zipkin/span_builder.h"

namespace sluice::zipkin {

/// What a v1 span is beside its lists. Times are microseconds; 0: absent.
struct V1Head {
  Id<16> trace_id;
  Id<8> id;
  Id<8> parent_id;
  Text name;
  std::uint64_t timestamp = 0;
  std::uint64_t duration = 0;
  bool debug = false;
};

struct V1Annotation {
  std::uint64_t timestamp = 0;
  Text value;
  Endpoint host;  ///< empty: none
  bool is_blank() const { return timestamp == 0 && value.empty(); }
};

struct V1BinaryAnnotation {
  enum class Type : std::uint8_t { text, boolean, integer, real };
  Text key;
  Text value;
  std::int64_t integer = 0;  ///< and boolean
  double real = 0;
  Type type = Type::text;
  Endpoint host;
  bool is_blank() const { return key.empty() && value.empty() && type == Type::text; }
  bool is_address() const;  ///< sa, ca or ma, true, with an endpoint
};

/// The v2 spans that one v1 span stands for: one for each service that its annotations name, so
/// usually one, and two where client and server reported into the same span. The rules are those of
/// Zipkin's own conversion. See all annotations, then all binary annotations, then `resolve`; the
/// caller goes over them a second time to write each where it belongs. A span with more than 16
/// services has the rest in its first one.
class V1Parts {
 public:
  void begin(const V1Head& head);
  void see(const V1Annotation& annotation);
  void see(const V1BinaryAnnotation& annotation);
  void resolve();

  std::size_t count() const { return count_; }
  /// Which part an item belongs to.
  std::size_t part_of(const Endpoint& host) const;
  /// It said what kind of span this is, and is no annotation any more.
  static bool is_core(const V1Annotation& annotation);
  /// It is an address, or the marker of a local component without a name.
  bool is_consumed(const V1BinaryAnnotation& annotation) const;
  /// Hands over what is not in the lists: ends of calls without a start, `component`.
  void write_head(std::size_t part, SpanHead& head, SpanBuilder& out) const;

 private:
  static constexpr std::size_t services_max = 16, parts_max = services_max + 2;
  enum Core : std::size_t { cs, cr, sr, ss, ms, mr, ws, wr, cores };
  struct Event {
    std::uint64_t timestamp = 0;
    Endpoint host;
    bool present = false;
  };
  struct Part {
    Endpoint local;
    Endpoint remote;
    std::uint64_t timestamp = 0;
    std::uint64_t duration = 0;
    SpanKind kind = SpanKind::unspecified;
    bool has_local = false;
    bool shared = false;
    std::array<bool, cores> kept{};  ///< stays an annotation
  };

  static std::optional<Core> core_of(std::string_view value);
  bool has(Core core) const { return events_[core].present; }
  std::uint64_t at(Core core) const { return events_[core].timestamp; }
  Part& part(Core core) { return parts_[part_of(events_[core].host)]; }
  std::size_t make_part(const Endpoint& host);
  std::size_t fork(const Endpoint& host, SpanKind kind);
  bool ends_with(Core core) const;
  void assume_start(Core start, Core end);
  void set_times(Core begin, Core end);
  void resolve_rpc();
  void resolve_both_halves();
  void resolve_incomplete();
  void resolve_messaging();
  void resolve_addresses();

  V1Head head_;
  std::array<Part, parts_max> parts_;
  std::size_t count_ = 0;
  std::size_t forked_ = parts_max;  ///< the first part that no item belongs to
  std::array<Event, cores> events_{};
  std::optional<Endpoint> server_address_, client_address_, broker_address_;
  Text component_;
};

/// `items` goes over its lists as often as asked: `annotations(visit)`,
/// `binary_annotations(visit)`; false when they do not parse.
template <typename Items>
bool convert_v1(const V1Head& head, Items& items, V1Parts& parts, SpanBuilder& out,
                std::size_t position) {
  parts.begin(head);
  const bool read = items.annotations([&](const V1Annotation& each) {
    parts.see(each);
  }) && items.binary_annotations([&](const V1BinaryAnnotation& each) { parts.see(each); });
  if (!read) return false;
  parts.resolve();
  for (std::size_t part = 0; part < parts.count(); ++part) {
    SpanHead& span = out.begin();
    const bool again = items.annotations([&](const V1Annotation& each) {
      if (parts.part_of(each.host) == part && !V1Parts::is_core(each) && !each.is_blank())
        out.annotation(each.timestamp, each.value);
    }) && items.binary_annotations([&](const V1BinaryAnnotation& each) {
      if (parts.part_of(each.host) != part || parts.is_consumed(each) || each.is_blank()) return;
      switch (each.type) {
        case V1BinaryAnnotation::Type::text: return out.tag(each.key, each.value);
        case V1BinaryAnnotation::Type::boolean: return out.tag(each.key, each.integer != 0);
        case V1BinaryAnnotation::Type::integer: return out.tag(each.key, each.integer);
        case V1BinaryAnnotation::Type::real: return out.tag(each.key, each.real);
      }
    });
    if (!again) return false;
    parts.write_head(part, span, out);
    out.end(position);
  }
  return true;
}

}  // namespace sluice::zipkin
