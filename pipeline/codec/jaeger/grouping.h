#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "pipeline/codec/jaeger/draft.h"

namespace sluice::jaeger {

// OTLP has spans under their scope and their resource; Jaeger has the scope in a span's tags and,
// in protobuf, perhaps a process in each span. Nearly always all spans of a batch belong together,
// so they are written in one pass under what the first one says. A span that turns out to belong
// elsewhere makes the batch be done again, in two passes: one that finds where each span belongs,
// and one that writes them group by group.
//
// The two passes keep 36 bytes a span, where it lies and where in the input the texts lie that say
// where it belongs: hostile input gives every span a group of its own, and whatever is allocated
// for each group (a map's node has 96 bytes) would be more than the span has. What is kept counts
// towards what the translation may take.
//
// A Source gives the spans of one batch:
//   void rewind()             to the first
//   bool more()               one stands here; false at the end or at a mistake
//   std::size_t position()    where it lies
//   void seek(position)
//   const char* begin()       of the input, which texts lie in
//   Group survey()            where this one belongs; steps over it
//   bool translate(Group&)    writes it, and finds where it belongs; steps over it. False: left
//                             out
//   void resource(process)    writes the Resource
//   void hold(size)           that many bytes are held beside the output
//   void all_in(Group)        all are written under this one, until it says `hold`
//   bool settled()            all that follow belong to that one, whatever `translate` found
//   bool ok()

/// The ScopeSpans, opened with its scope.
inline std::size_t begin_scope(SpanWriter& out, const Group& group, std::size_t likely_size) {
  const std::size_t mark = out.begin(otlp::resource_spans::scope_spans, likely_size);
  if (!group.scope_name.empty() || !group.scope_version.empty()) {
    const std::size_t scope = out.begin(otlp::scope_spans::scope);
    if (!group.scope_name.empty()) out.string(otlp::scope::name, group.scope_name);
    if (!group.scope_version.empty()) out.string(otlp::scope::version, group.scope_version);
    out.end(scope);
  }
  return mark;
}

/// All spans under one group. False when they belong to several; then they are to be written anew.
template <typename Source>
bool write_together(Source& source, SpanWriter& out, std::size_t likely_size) {
  const Group group = source.survey();
  source.rewind();
  const std::size_t resource_spans = out.begin(otlp::request::resource_spans, likely_size);
  source.resource(group.process);
  const std::size_t scope_spans = begin_scope(out, group, likely_size);
  source.all_in(group);
  while (source.more()) {
    Group found;
    if (source.translate(found) && !source.settled() && found != group) return false;
  }
  out.end(scope_spans);
  out.end(resource_spans);
  return true;
}

/// A piece of the input, which is smaller than 4 GiB.
struct Piece {
  std::uint32_t offset = 0, size = 0;

  Piece() = default;
  Piece(std::string_view text, const char* begin)
      : offset(text.empty() ? 0 : static_cast<std::uint32_t>(text.data() - begin)),
        size(static_cast<std::uint32_t>(text.size())) {}
  std::string_view in(const char* begin) const { return {begin + offset, size}; }
  /// As the texts, for those of one input.
  int compare(const Piece& other, const char* begin) const {
    if (offset == other.offset && size == other.size) return 0;
    return in(begin).compare(other.in(begin));
  }
};

/// A span and where it belongs.
struct Place {
  Piece process, scope_name, scope_version;
  std::uint32_t position;
  std::uint32_t first_of_process, first_of_group;  ///< the positions of their first spans

  int compare_process(const Place& other, const char* begin) const {
    return process.compare(other.process, begin);
  }
  int compare_group(const Place& other, const char* begin) const {
    if (const int by_process = compare_process(other, begin)) return by_process;
    if (const int by_name = scope_name.compare(other.scope_name, begin)) return by_name;
    return scope_version.compare(other.scope_version, begin);
  }
};

/// Sorts by process and group, both in the order in which they appear, and by position.
inline void sort_places(std::vector<Place>& places, const char* begin) {
  std::sort(places.begin(), places.end(), [begin](const Place& a, const Place& b) {
    const int by_group = a.compare_group(b, begin);
    return by_group != 0 ? by_group < 0 : a.position < b.position;
  });
  for (std::size_t from = 0, to = 0; from < places.size(); from = to) {
    std::uint32_t first = places[from].position;
    for (to = from; to < places.size(); ++to) {
      const Place& place = places[to];
      if (to > from && place.compare_process(places[from], begin) != 0) break;
      first = std::min(first, place.position);
    }
    for (std::size_t i = from; i < to; ++i) {
      const bool same = i > from && places[i].compare_group(places[i - 1], begin) == 0;
      places[i].first_of_process = first;
      places[i].first_of_group = same ? places[i - 1].first_of_group : places[i].position;
    }
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::tie(a.first_of_process, a.first_of_group, a.position) <
           std::tie(b.first_of_process, b.first_of_group, b.position);
  });
}

template <typename Source>
std::vector<Place> find_places(Source& source) {
  std::size_t count = 0;
  for (; source.more(); ++count) (void)source.survey();
  source.rewind();
  std::vector<Place> places;
  source.hold(count * sizeof(Place));
  if (!source.ok()) return places;
  places.reserve(count);
  const char* const begin = source.begin();
  while (source.more()) {
    const auto position = static_cast<std::uint32_t>(source.position());
    const Group group = source.survey();
    places.push_back({{group.process, begin},
                      {group.scope_name, begin},
                      {group.scope_version, begin},
                      position,
                      0,
                      0});
  }
  return places;
}

template <typename Source>
void write_apart(Source& source, SpanWriter& out, std::size_t likely_size) {
  std::vector<Place> places = find_places(source);
  if (!source.ok()) return;
  const char* const begin = source.begin();
  sort_places(places, begin);
  std::size_t resource_spans = 0, scope_spans = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const bool first = place.position == place.first_of_group;
    if (first) {
      if (i > 0) out.end(scope_spans);
      if (place.position == place.first_of_process) {
        if (i > 0) out.end(resource_spans);
        resource_spans = out.begin(otlp::request::resource_spans, likely_size);
        source.resource(place.process.in(begin));
      }
      const Group group{{}, place.scope_name.in(begin), place.scope_version.in(begin)};
      scope_spans = begin_scope(out, group, likely_size);
    }
    source.seek(place.position);
    Group found;
    (void)source.translate(found);
    if (!source.ok()) return;
  }
  out.end(scope_spans);
  out.end(resource_spans);
}

/// On false `out` is as it was and the report tells of nothing but the source's error.
template <typename Source>
bool write_spans(Source& source, SpanWriter& out, Report& report, std::size_t likely_size) {
  const std::size_t start = out.size();
  source.rewind();
  if (source.more() && !write_together(source, out, likely_size)) {
    out.truncate(start);
    report = {};
    source.rewind();
    write_apart(source, out, likely_size);
  }
  if (source.ok() && report.spans > 0) return true;
  out.truncate(start);
  if (!source.ok()) report = {};
  return source.ok();
}

}  // namespace sluice::jaeger
