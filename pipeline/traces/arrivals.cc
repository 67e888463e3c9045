#include "pipeline/traces/arrivals.h"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

/// The size of a length-delimited field whose number is below 16.
std::size_t field_size(std::size_t content) {
  std::size_t size = 2 + content;
  for (std::size_t rest = content; rest >= 0x80; rest >>= 7) ++size;
  return size;
}

/// What spans of one scope take as a ResourceSpans of their own.
std::size_t encoded_size(std::size_t spans, std::string_view resource, std::string_view scope) {
  const std::size_t scope_spans = field_size(scope.size()) + spans;
  return field_size(field_size(resource.size()) + field_size(scope_spans));
}

/// What a span says, into the facts of those before it; with `spans` 0 there are none. The size is
/// that of the spans alone.
void add(const SpanView& span, const SpanEntry& entry, TraceFacts& facts) {
  const std::uint64_t start = span.start_time_unix_nano();
  facts.last_end = std::max(facts.last_end, span.end_time_unix_nano());
  if (start == 0) {
    facts.has_unstarted = true;
    facts.last_end_unstarted = facts.last_end;
  }
  if (facts.first_start == 0 || start < facts.first_start) facts.first_start = start;
  facts.has_root = facts.has_root || span.parent_span_id().empty();
  facts.bytes += entry.length;
  ++facts.spans;
}

}  // namespace

std::size_t shared_size(const SpanBatch& batch, std::uint32_t one, std::uint32_t other) {
  const SpanEntry& a = batch.spans()[one];
  const SpanEntry& b = batch.spans()[other];
  if (&batch.resource_of(a) != &batch.resource_of(b)) return 0;
  std::size_t size = field_size(field_size(batch.resource_bytes(a).size()));
  if (a.scope == b.scope) size += field_size(field_size(batch.scope_bytes(a).size()));
  return size;
}

/// A product folded in half, twice: fast, and not to be foreseen without the key. Neither factor
/// may be known: a sender that makes one of them zero has the same hash for whatever is in the
/// other.
std::uint64_t ArrivalReader::hash(std::string_view trace_id) const {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t first = 0, second = 0;
  std::memcpy(&first, trace_id.data(), 8);
  std::memcpy(&second, trace_id.data() + 8, 8);
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  constexpr std::uint64_t odd = 0xa0761d6478bd642f;
  return fold(fold(first ^ key_, second ^ (key_ * odd)) ^ key_, odd);
}

void ArrivalReader::read(const SpanBatch& batch, std::vector<std::vector<Arrival>>& by_shard) {
  constexpr std::uint32_t none = UINT32_MAX;
  Arrival* open = nullptr;
  std::uint32_t scope = none;
  Matches of_resource;
  std::string_view resource_bytes, scope_bytes;
  const auto close = [&] {
    if (open != nullptr)
      open->facts.bytes = encoded_size(open->facts.bytes, resource_bytes, scope_bytes);
    open = nullptr;
  };
  const std::span<const SpanEntry> spans = batch.spans();
  const bool single_spans = questions_ != nullptr && questions_->want_single_spans();
  if (questions_ != nullptr) questions_->begin(batch);
  for (std::uint32_t index = 0; index < spans.size(); ++index) {
    const SpanEntry& entry = spans[index];
    if (entry.scope != scope) {
      close();
      scope = entry.scope;
      resource_bytes = batch.resource_bytes(entry);
      scope_bytes = batch.scope_bytes(entry);
      of_resource.reset();
      if (questions_ != nullptr) questions_->ask(ResourceView(resource_bytes), of_resource);
    }
    const SpanView span = batch.view(entry);
    TraceId id;
    std::memcpy(id.data(), span.trace_id().data(), id.size());
    const bool goes_on = open != nullptr && same_id(open->facts.trace_id, id) && !single_spans;
    if (!goes_on) {
      close();
      const std::uint64_t id_hash = hash(span.trace_id());
      open = &by_shard[shard_of(id_hash, by_shard.size())].emplace_back();
      open->hash = id_hash;
      open->first = index;
      open->facts.trace_id = id;
      open->facts.matched = of_resource;
    }
    add(span, entry, open->facts);
    if (questions_ != nullptr) questions_->ask(batch, entry, span, open->facts);
  }
  close();
}

}  // namespace sluice
