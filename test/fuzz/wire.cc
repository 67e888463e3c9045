// Protobuf bytes as they come from the network: parse, read everything through the views, then
// select, split, merge, edit, repair and encode, in an order that the input decides. libprotobuf
// must give the same verdict, and what leaves must be what is in the batch.
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"
#include "pipeline/utf8.h"
#include "test/support/otlp_oracle.h"

namespace {

using namespace sluice;

std::size_t walk_attributes(AttributeRange attributes, int depth);

std::size_t walk_value(AnyValueView value, int depth) {
  if (depth > value_depth_max) return 0;
  std::size_t size = value.string().size();
  if (value.type() == AnyValueView::Type::array) {
    FieldRange elements(value.string(), otlp::list::values);
    while (const auto element = elements.next())
      size += walk_value(AnyValueView(element->content), depth + 1);
  }
  if (value.type() == AnyValueView::Type::kvlist) {
    size += walk_attributes(AttributeRange(value.string(), otlp::list::values), depth + 1);
  }
  return size;
}

std::size_t walk_attributes(AttributeRange attributes, int depth) {
  std::size_t size = 0;
  while (const auto attribute = attributes.next()) {
    size += attribute->key.size() + walk_value(attribute->value(), depth);
  }
  return size;
}

std::size_t walk(const SpanBatch& batch) {
  std::size_t size = 0;
  for (const SpanEntry& entry : batch.spans()) {
    const SpanView span(batch.span_bytes(entry));
    ensure(span.trace_id().size() == 16 && span.span_id().size() == 8,
           "a span in a batch has valid ids");
    size +=
        span.name().size() + span.status_message().size() + walk_attributes(span.attributes(), 0);
    FieldRange events = span.events();
    while (const auto event = events.next())
      size += walk_attributes(EventView(event->content).attributes(), 0);
    FieldRange links = span.links();
    while (const auto link = links.next())
      size += walk_attributes(LinkView(link->content).attributes(), 0);
    size += walk_attributes(ResourceView(batch.resource_bytes(entry)).attributes(), 0);
    size += walk_attributes(ScopeView(batch.scope_bytes(entry)).attributes(), 0);
  }
  return size;
}

/// A few decisions, drawn from the input's own bytes.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) state_ = (state_ ^ data[i]) * 0x100000001b3;
  }
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

SpanBatch edited(const SpanBatch& batch, Choices& choices) {
  BatchEditor editor(batch);
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    const std::uint32_t choice = choices.below(4);
    if (choice == 0) editor.drop_span(i);
    if (choice != 1) continue;
    BufferWriter& out = editor.begin_span(i);
    out.append(batch.span_bytes(i));
    for (std::uint32_t more = choices.below(40); more > 0; --more) out.append("\x2A\x03new");
    editor.end_span();
  }
  for (std::uint32_t i = 0; i < batch.resources().size(); ++i) {
    if (choices.below(3) == 0) editor.replace_resource(i, std::string("\x10\x07", 2));
  }
  return std::move(editor).finish();
}

SpanBatch changed(const SpanBatch& batch, Choices& choices) {
  const std::uint32_t count = batch.span_count();
  const std::uint32_t first = choices.below(count + 1);
  switch (choices.below(6)) {
    case 0: return batch.slice(first, choices.below(count - first + 1));
    case 1: return edited(batch, choices);
    case 2: return batch.compacted(0.75);
    case 3: return repair_utf8(batch).batch;
    case 4: return batch.copied();
    default: {
      const std::vector<SpanBatch> parts = {batch.slice(first, count - first), batch,
                                            batch.slice(0, first)};
      return SpanBatch::concat(parts);
    }
  }
}

bool same_fields(const SpanView& one, const SpanView& other) {
  const auto fields = [](const SpanView& span) {
    return std::tuple(span.trace_id(), span.span_id(), span.parent_span_id(), span.trace_state(),
                      span.name(), span.kind(), span.start_time_unix_nano(),
                      span.end_time_unix_nano(), span.flags(), span.has_status(),
                      span.status_code(), span.status_message());
  };
  return fields(one) == fields(other);
}

void check_round_trip(const SpanBatch& batch) {
  const EncodedBatch encoded = batch.encode();
  const std::string request = encoded.to_string();
  ensure(request.size() == encoded.size && encoded.size == batch.encoded_size(), "sizes agree");
  ensure(test::oracle_accepts_framing(request), "what leaves is a request");
  ParseReport report;
  const auto again = SpanBatch::parse(Buffer::copy_of(request), report);
  ensure(again.has_value() && again->span_count() == batch.span_count(),
         "as many spans leave as are there");
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    const SpanEntry& before = batch.spans()[i];
    const SpanEntry& after = again->spans()[i];
    ensure(batch.span_bytes(before) == again->span_bytes(after), "a span's bytes are kept");
    ensure(same_fields(batch.view(before), SpanView(batch.span_bytes(before))),
           "what the index knows of a span changes nothing");
    ensure(batch.resource_bytes(before) == again->resource_bytes(after),
           "a resource's bytes are kept");
    ensure(batch.scope_bytes(before) == again->scope_bytes(after), "a scope's bytes are kept");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ParseReport report;
  const auto parsed = SpanBatch::parse(Buffer::copy_of(input), report);
  ensure(parsed.has_value() == test::oracle_accepts_framing(input),
         "libprotobuf gives the same verdict");
  ensure(parsed.has_value() == report.error.empty(), "what is refused is explained");
  if (!parsed) return 0;
  SpanBatch batch = *parsed;
  walk(batch);
  check_round_trip(batch);
  Choices choices(data, size);
  for (int step = 0; step < 3 && batch.span_count() < 2000; ++step) {
    batch = changed(batch, choices);
    walk(batch);
    check_round_trip(batch);
  }
  return 0;
}
