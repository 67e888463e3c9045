// SpanBatch::encode: a batch as one ExportTraceServiceRequest, in stretches of the bytes that are
// there.
//
// Spans that still are a whole request, in its order, leave as that request: one slice, unknown
// fields of every level included. The others go out in runs: neighbours of one ResourceSpans and
// ScopeSpans occurrence under a header with fresh lengths,
//
//   0a len( 0a len resource | 12 len( 0a len scope | span fields as they lie ... | scope's extra )
//   ... | extra )
//
// Lengths stand before content, so the first pass sums them up into a plan, a few words a run; the
// second writes. Headers and stretches of no more than `copied_max` bytes are copied into one
// scratch buffer, where neighbours grow together: a slice costs the sender more than copying so
// little. In encode_whole everything goes there, so that scratch is the whole request.

#include <utility>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_index.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

constexpr std::size_t copied_max_of_slices = 256;

struct Step {
  enum class Kind : std::uint8_t { request, resource, scope };
  Kind kind;
  std::uint32_t first = 0;  ///< span
  std::uint32_t count = 0;  ///< spans of a request or scope
  std::size_t size = 0;     ///< of the message: what its length says
};

std::size_t content_size(bool present, const Range& content) {
  return present ? wire::field_size(1, content.length) : 0;
}

class Plan {
 public:
  explicit Plan(const SpanBatch::Index& index) : spans_(index.spans), tables_(*index.tables) {
    make();
  }

  const std::vector<Step>& steps() const { return steps_; }
  std::size_t size() const { return size_; }

 private:
  void make();
  std::uint32_t request_at(std::uint32_t first) const;
  bool request_may_start(std::uint32_t span, std::uint32_t after_request) const {
    return span == after_request || span == 0 || spans_[span].buffer != spans_[span - 1].buffer;
  }
  std::uint32_t add_resource(std::uint32_t first);
  std::uint32_t add_scope(std::uint32_t first, std::uint32_t begin);

  const SpanEntries& spans_;
  const BatchTables& tables_;
  std::vector<Step> steps_;
  std::size_t size_ = 0;
};

void Plan::make() {
  const auto count = static_cast<std::uint32_t>(spans_.size());
  std::uint32_t after_request = 0;
  for (std::uint32_t span = 0; span < count;) {
    const std::uint32_t whole = request_may_start(span, after_request) ? request_at(span) : 0;
    if (whole > 0) {
      const std::size_t length = tables_.sources[spans_[span].buffer].length;
      steps_.push_back({Step::Kind::request, span, whole, length});
      size_ += length;
      after_request = span += whole;
    } else {
      span = add_resource(span);
    }
  }
}

/// How many spans from `first` on are exactly one request's: all of them, in the order of its
/// bytes.
std::uint32_t Plan::request_at(std::uint32_t first) const {
  const std::uint16_t buffer = spans_[first].buffer;
  const std::uint32_t count = tables_.sources[buffer].span_count;
  if (count == 0 || count > spans_.size() - first || spans_[first + count - 1].buffer != buffer)
    return 0;
  for (std::uint32_t i = first + 1; i < first + count; ++i) {
    if (spans_[i].buffer != buffer || spans_[i].offset <= spans_[i - 1].offset) return 0;
  }
  return count;
}

std::uint32_t Plan::add_resource(std::uint32_t first) {
  const std::size_t step = steps_.size();
  steps_.push_back({Step::Kind::resource, first});
  const std::uint32_t number = tables_.scopes[spans_[first].scope].resource;
  const ResourceEntry& resource = tables_.resources[number];
  std::size_t size = content_size(resource.has_resource, resource.resource) + resource.extra.length;
  std::uint32_t span = first;
  while (span < spans_.size() && tables_.scopes[spans_[span].scope].resource == number) {
    const std::uint32_t next = add_scope(span, first);
    if (next == span) break;
    span = next;
    size += wire::field_size(otlp::resource_spans::scope_spans, steps_.back().size);
  }
  steps_[step].size = size;
  size_ += wire::field_size(otlp::request::resource_spans, size);
  return span;
}

/// Adds the run of one scope that starts at `first`, unless a whole request does so (never at
/// `begin`, where the caller has looked). Returns where the run ends.
std::uint32_t Plan::add_scope(std::uint32_t first, std::uint32_t begin) {
  const ScopeEntry& scope = tables_.scopes[spans_[first].scope];
  std::size_t size = content_size(scope.has_scope, scope.scope) + scope.extra.length;
  std::uint32_t span = first;
  for (; span < spans_.size() && spans_[span].scope == spans_[first].scope; ++span) {
    if (span != begin && spans_[span].buffer != spans_[span - 1].buffer && request_at(span) > 0)
      break;
    size += spans_[span].length;
  }
  if (span > first) steps_.push_back({Step::Kind::scope, first, span - first, size});
  return span;
}

class Emission {
 public:
  Emission(const SpanBatch::Index& index, std::size_t copied_max)
      : spans_(index.spans),
        tables_(*index.tables),
        copied_max_(copied_max),
        kept_(tables_.sources.size(), false) {}

  EncodedBatch run(const Plan& plan);

 private:
  void request(const Step& step);
  std::size_t resource(const std::vector<Step>& steps, std::size_t at);
  void scope(const Step& step);
  void message(const Range& range);
  void header(std::uint32_t number, std::size_t size);
  void stretch(std::uint16_t buffer, std::string_view bytes);
  void extend_scratch_slice(std::size_t size);
  void point_into_scratch();

  const SpanEntries& spans_;
  const BatchTables& tables_;
  const std::size_t copied_max_;
  EncodedBatch out_;
  std::vector<bool> kept_;  ///< by source: its buffer is in `out_`
  BufferWriter scratch_;
  std::vector<std::size_t> scratch_slices_;  ///< which slices lie in scratch, one behind the other
};

EncodedBatch Emission::run(const Plan& plan) {
  if (copied_max_ >= plan.size()) scratch_.reserve(plan.size());
  const std::vector<Step>& steps = plan.steps();
  for (std::size_t at = 0; at < steps.size();) {
    if (steps[at].kind == Step::Kind::request) {
      request(steps[at++]);
    } else {
      at = resource(steps, at);
    }
  }
  point_into_scratch();
  out_.size = plan.size();
  return std::move(out_);
}

void Emission::request(const Step& step) {
  const std::uint16_t buffer = spans_[step.first].buffer;
  const Source& source = tables_.sources[buffer];
  stretch(buffer, source.buffer.bytes().substr(source.offset, source.length));
}

std::size_t Emission::resource(const std::vector<Step>& steps, std::size_t at) {
  const Step& own = steps[at];
  const ResourceEntry& entry = tables_.resources[tables_.scopes[spans_[own.first].scope].resource];
  header(otlp::request::resource_spans, own.size);
  if (entry.has_resource) {
    header(otlp::resource_spans::resource, entry.resource.length);
    message(entry.resource);
  }
  for (++at; at < steps.size() && steps[at].kind == Step::Kind::scope; ++at) scope(steps[at]);
  message(entry.extra);
  return at;
}

void Emission::scope(const Step& step) {
  const ScopeEntry& entry = tables_.scopes[spans_[step.first].scope];
  header(otlp::resource_spans::scope_spans, step.size);
  if (entry.has_scope) {
    header(otlp::scope_spans::scope, entry.scope.length);
    message(entry.scope);
  }
  const std::uint32_t end = step.first + step.count;
  for (std::uint32_t span = step.first; span < end;) {
    const SpanEntry& start = spans_[span];
    std::size_t length = start.length;
    for (++span; span < end; ++span) {
      if (spans_[span].buffer != start.buffer || spans_[span].offset != start.offset + length)
        break;
      length += spans_[span].length;
    }
    stretch(start.buffer, {tables_.sources[start.buffer].buffer.data() + start.offset, length});
  }
  message(entry.extra);
}

void Emission::message(const Range& range) {
  if (range.length > 0) stretch(range.buffer, tables_.bytes(range));
}

void Emission::header(std::uint32_t number, std::size_t size) {
  const std::size_t before = scratch_.size();
  wire::append_tag(scratch_, number, wire::Type::length);
  wire::append_varint(scratch_, size);
  extend_scratch_slice(scratch_.size() - before);
}

void Emission::stretch(std::uint16_t buffer, std::string_view bytes) {
  if (bytes.size() <= copied_max_) {
    scratch_.append(bytes);
    return extend_scratch_slice(bytes.size());
  }
  if (!kept_[buffer]) {
    kept_[buffer] = true;
    out_.buffers.push_back(tables_.sources[buffer].buffer);
  }
  out_.slices.push_back({bytes.data(), bytes.size()});
}

void Emission::extend_scratch_slice(std::size_t size) {
  if (scratch_slices_.empty() || scratch_slices_.back() + 1 != out_.slices.size()) {
    scratch_slices_.push_back(out_.slices.size());
    out_.slices.push_back({nullptr, 0});
  }
  out_.slices.back().size += size;
}

/// Scratch moves as it grows, so its slices learn their addresses last.
void Emission::point_into_scratch() {
  if (scratch_.size() == 0) return;
  MemoryAccount* account = tables_.sources[spans_.front().buffer].buffer.account();
  Buffer buffer = std::move(scratch_).freeze(account, 0);
  const char* at = buffer.data();
  for (const std::size_t slice : scratch_slices_) {
    out_.slices[slice].data = at;
    at += out_.slices[slice].size;
  }
  out_.buffers.push_back(std::move(buffer));
}

}  // namespace

EncodedBatch SpanBatch::encode() const {
  if (empty()) return {};
  return Emission(*index_, copied_max_of_slices).run(Plan(*index_));
}

Buffer encode_whole(const SpanBatch::Index& index, std::size_t size_max) {
  const Plan plan(index);
  if (plan.size() > size_max) return {};
  return Emission(index, size_max).run(plan).buffers.front();
}

std::size_t SpanBatch::encoded_size() const { return empty() ? 0 : Plan(*index_).size(); }

std::string EncodedBatch::to_string() const {
  std::string text;
  text.reserve(size);
  for (const Slice& slice : slices) text.append(slice.data, slice.size);
  return text;
}

}  // namespace sluice
