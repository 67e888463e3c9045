#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "pipeline/codec/jaeger/draft.h"

namespace sluice::jaeger {

// OTLP has spans under their scope and their resource; Jaeger has the scope in a span's tags and,
// in protobuf, perhaps a process in each span. Nearly always all spans of a batch belong together,
// so they are written in one pass under what the first one says. A span that turns out to belong
// elsewhere makes the batch be done again, in two passes: one that finds where each span belongs,
// and one that writes them group by group.
//
// A Source gives the spans of one batch:
//   Position                  where a span lies, trivially copyable, ordered
//   void rewind()             to the first
//   bool more()               one stands here; false at the end or at a mistake
//   Position position()
//   void seek(Position)       to one that `position` gave
//   Group survey()            where this one belongs; steps over it
//   bool translate(Group&)    writes it, and finds where it belongs; steps over it. False: left
//                             out
//   void resource(process)    writes the Resource
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
  while (source.more()) {
    Group found;
    if (source.translate(found) && found != group) return false;
  }
  out.end(scope_spans);
  out.end(resource_spans);
  return true;
}

template <typename Source>
void write_apart(Source& source, SpanWriter& out, std::size_t likely_size) {
  using Position = typename Source::Position;
  struct Place {
    std::uint32_t process, group;
    Position position;
    bool operator<(const Place& other) const {
      return std::tie(process, group, position) <
             std::tie(other.process, other.group, other.position);
    }
  };
  std::map<std::string_view, std::uint32_t> processes;
  std::map<Group, std::uint32_t> groups;
  std::vector<Place> places;
  while (source.more()) {
    const Position position = source.position();
    const Group group = source.survey();
    const auto next_process = static_cast<std::uint32_t>(processes.size());
    const auto next_group = static_cast<std::uint32_t>(groups.size());
    const std::uint32_t process = processes.emplace(group.process, next_process).first->second;
    places.push_back({process, groups.emplace(group, next_group).first->second, position});
  }
  if (!source.ok()) return;
  std::sort(places.begin(), places.end());
  std::size_t resource_spans = 0, scope_spans = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const bool new_process = i == 0 || place.process != places[i - 1].process;
    if (i == 0 || place.group != places[i - 1].group) {
      source.seek(place.position);
      const Group group = source.survey();
      if (i > 0) out.end(scope_spans);
      if (i > 0 && new_process) out.end(resource_spans);
      if (new_process) {
        resource_spans = out.begin(otlp::request::resource_spans, likely_size);
        source.resource(group.process);
      }
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
