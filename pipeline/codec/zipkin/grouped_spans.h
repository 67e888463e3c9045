#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/model/span_writer.h"

namespace sluice::zipkin {

/// Spans on their way into one ExportTraceServiceRequest, where spans of one resource and scope
/// stand together although they come in any order.
///
/// They are written one behind the other to the output. When a segment of 64 KiB is full (or the
/// request ends) and holds several groups, its spans are laid out again group by group, by way of a
/// copy of that segment; so memory stays bounded, and the bytes that move are still in the cache
/// (some 20 ns a span of 400 bytes). A resource thus appears once a segment. While a segment has
/// one group, as is the rule for one service's sender, nothing is copied. A span larger than a
/// segment has one for itself.
class GroupedSpans {
 public:
  /// `expected`: how much there will be, more or less.
  GroupedSpans(SpanWriter& out, std::size_t expected);

  /// Opens a span's message: append its fields to the writer, then end or drop it.
  void begin_span();
  /// A group, as long as the segment that has it is open.
  struct Place {
    std::uint64_t segment = 0;
    std::uint32_t group = 0;
  };
  /// `resource` and `scope` are the contents of the messages that it belongs under. Says where that
  /// is.
  Place end_span(std::string_view resource, std::string_view scope);
  /// The same for a place that another span had; false, and the span is still open, where that is
  /// no more.
  bool end_span(Place place);
  void drop_span();
  /// Takes back all that was appended to the open span.
  void empty_span();
  /// After the last span.
  void finish();
  /// Beside the output, the copy that laying out makes included.
  std::size_t held() const;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Span {
    std::uint32_t offset;  ///< from the segment's first span
    std::uint32_t size;
    std::uint32_t next;  ///< of the same group
  };
  struct Group {
    std::size_t hash;
    std::uint32_t text;  ///< offset of the resource and the scope behind it
    std::uint32_t resource_size;
    std::uint32_t scope_size;
    std::uint32_t first;
    std::uint32_t last;
    std::size_t bytes;  ///< of its spans
  };

  Place add(std::uint32_t index);
  void forget_groups();
  std::uint32_t group_of(std::string_view resource, std::string_view scope);
  bool is(const Group& group, std::string_view resource, std::string_view scope) const;
  void open_segment(const Group& group);
  void close_segment();
  void lay_out(std::size_t kept);
  void write(const Group& group, std::string_view spans);
  std::size_t scope_spans_size(const Group& group) const;
  std::size_t resource_spans_size(const Group& group) const;

  SpanWriter& out_;
  std::size_t expected_;
  std::uint64_t segment_count_ = 1;
  std::size_t segment_ = 0;     ///< where it starts
  std::size_t first_span_ = 0;  ///< where its first span starts
  std::size_t span_ = 0;        ///< where the open span starts
  std::size_t span_mark_ = 0;
  std::size_t resource_mark_ = 0;
  std::size_t scope_mark_ = 0;
  std::vector<Span> spans_;
  std::vector<Group> groups_;
  std::string texts_;
  BufferWriter copy_;
};

}  // namespace sluice::zipkin
