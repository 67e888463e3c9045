#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/codec/allowance.h"
#include "pipeline/codec/zipkin/grouped_spans.h"
#include "pipeline/codec/zipkin/known_keys.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/span.h"
#include "pipeline/codec/zipkin/tag_role.h"
#include "pipeline/codec/zipkin/text.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {

/// A local endpoint that spans of the request had before, for readers that recognise one by its
/// text: what it becomes is written once.
struct KnownLocal {
  Endpoint endpoint;
  std::array<char, 120> attributes;  ///< as fields of a span, as far as they fit
  std::uint8_t attributes_size = 0;
  GroupedSpans::Place place;  ///< of spans whose resource it alone decides

  // The bytes are not zeroed: there are many more than are used.
  KnownLocal() {}  // NOLINT
};

/// Where all readers meet: makes OTLP spans of v2 spans whose parts are handed over in any order.
/// Tags without a role are written as they come, the others and the head when the span ends, from
/// where they lie in the request; past 128 annotations these are written ahead, so that memory is
/// bounded whatever a span holds.
class SpanBuilder {
 public:
  enum class Version : std::uint8_t { v1, v2 };
  SpanBuilder(SpanWriter& out, std::string_view request, std::size_t expected, Version version,
              const ReadOptions& options, ReadReport& report);

  /// Begins a span; fill in the head before its end.
  SpanHead& begin();
  void tag(const Text& key, const Text& value);
  void tag(const Text& key, bool value);
  void tag(const Text& key, std::int64_t value);
  void tag(const Text& key, double value);
  /// Whether a text under that key always becomes a string attribute, whatever it says.
  bool is_plain(const Text& key);
  /// A short text under such a key; false, and nothing was done, where it is not short, or where
  /// the key may have come before. A block of 16 bytes is readable behind both.
  bool short_tag(const KnownKeys::Known& key, std::string_view value);
  void annotation(std::uint64_t timestamp, const Text& value);
  /// Of a member given twice the last counts.
  void forget_tags();
  void forget_annotations() { annotations_.clear(); }
  /// `position`: where the span starts in the request, for what is said about its ids.
  void end(std::size_t position);
  /// After the last span.
  void finish() { spans_.finish(); }
  /// There was no room for all that was handed over: the request is to be refused.
  bool overflown() const { return overflown_; }
  /// Some of the request is gone: texts of spans that have ended cannot be compared with any more.
  bool discarded() const { return allowance_.discarded(); }

 private:
  enum class Type : std::uint8_t { text, boolean, integer, real };
  struct Tag {
    Text key;
    Text value;
    std::uint64_t bits = 0;
    Type type = Type::text;
  };
  struct Annotation {
    std::uint64_t timestamp;
    Text value;
  };
  static constexpr std::size_t roles = static_cast<std::size_t>(TagRole::last_noted) + 1;
  static constexpr std::size_t links_max = 128;
  /// Of tags that are looked at or compared as a whole, and of names that resources have.
  static constexpr std::size_t role_text_max = 4096;
  static constexpr std::size_t resource_size_max = 16 * 1024;
  /// Whether there is room is asked ahead of each text that is larger.
  static constexpr std::size_t large_text = 4096;

  /// As much as fits.
  static std::uint64_t nanoseconds(std::uint64_t microseconds) {
    return microseconds > UINT64_MAX / 1000 ? UINT64_MAX : microseconds * 1000;
  }

  void add(const Tag& tag);
  void add(const Tag& tag, std::string_view key, TagRole role);
  void make_room(std::size_t size);
  void remember(const Text& key);
  void take_back(std::string_view key);
  std::string_view written_key(std::size_t index);
  void take_back(std::size_t index);
  void add_plain(const Tag& tag);
  void forget_written();
  void forget_roles();
  void keep_link(const Tag& tag, unsigned number);
  bool has(TagRole role) const { return present_[static_cast<std::size_t>(role)]; }
  const Tag& slot(TagRole role) const { return slots_[static_cast<std::size_t>(role)]; }
  std::string_view text(TagRole role);

  const char* invalid_id() const;
  void write_head();
  void write_ids();
  void write_kind();
  void write_times();
  void write_local();
  void write_endpoint(const Endpoint& endpoint, bool local);
  void end_in_group();
  void write_links();
  void write_dropped_counts();
  void write_status();
  bool census_status();
  bool explicit_status();
  void error_status();
  void http_status();
  void status(StatusCode code, const Text& message);
  void write_single_as_attribute(TagRole role);
  void write_annotations();
  void write_attribute(const Tag& tag);
  bool write_parsed(const Text& key, std::string_view value);
  Text service_name() const;
  std::string_view resource();
  std::string_view scope();

  SpanWriter& out_;
  GroupedSpans spans_;
  const Version version_;
  const ReadOptions& options_;
  ReadReport& report_;
  Allowance allowance_;
  bool overflown_ = false;

  SpanHead head_;
  static constexpr std::size_t written_max = 128;
  std::array<std::uint32_t, written_max> written_;  ///< where attributes of tags begin
  std::size_t written_count_ = 0;
  std::vector<Annotation> annotations_;
  std::vector<Tag> resource_tags_;
  std::size_t resource_size_ = 0;               ///< of their texts
  std::size_t roles_size_ = 0;                  ///< what `slots_` take in the output at most
  std::bitset<KnownKeys::places> places_seen_;  ///< of the keys among `written_`
  std::array<Tag, roles> slots_{};
  std::bitset<roles> present_;
  std::vector<Tag> links_;
  std::bitset<links_max> links_present_;

  SpanWriter resource_;
  Text resource_name_;  ///< what `resource_` holds, if it holds a name alone
  bool resource_named_ = false;
  SpanWriter scope_;
  std::string scratch_;
};

// Inline, since nearly all tags of most spans go this way.
inline bool SpanBuilder::short_tag(const KnownKeys::Known& key, std::string_view value) {
  if (places_seen_[key.place] || written_count_ == written_max) return false;
  const std::size_t before = out_.size();
  if (!out_.short_attribute(otlp::span::attributes, key.key(), value)) return false;
  places_seen_.set(key.place);
  written_[written_count_++] = static_cast<std::uint32_t>(before);
  return true;
}

}  // namespace sluice::zipkin
