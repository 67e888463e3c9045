// Requests as they come from the network, through the processors that write messages anew: what
// leaves must be a request again with all of its spans, and hold nothing that was to be masked.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/attributes/value.h"
#include "pipeline/ensure.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "processors/redaction/redaction.h"
#include "processors/span/span.h"
#include "test/support/processor_fixture.h"

namespace {

using namespace sluice;

SpanBatch through(test::ProcessorFixture& fixture, const SpanBatch& batch) {
  fixture.processor->consume(batch, {});
  const SpanBatch result = fixture.next.batches.at(0);
  fixture.next.batches.clear();
  const std::string sent = result.encode().to_string();
  ParseReport report;
  const auto parsed = SpanBatch::parse(Buffer::copy_of(sent), report);
  ensure(parsed && parsed->span_count() == batch.span_count(),
         "what leaves is a request with the same number of spans");
  return *parsed;
}

void check_masked(std::string_view message, std::uint32_t number) {
  AttributeRange attributes(message, number);
  while (const auto attribute = attributes.next()) {
    ensure(text_of(attribute->value()).find("secret") == std::string::npos,
           "nothing is left of what is masked");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static test::ProcessorFixture names(span_processor(), R"yaml({
      name: {from_attributes: [a, b], separator: '::',
             to_attributes: {rules: ['(?P<a>[0-9]+)(?P<c>x)?', '^(?P<b>.(?P<d>.))']}},
      status: {code: Error, description: d}})yaml");
  static test::ProcessorFixture masks(redaction_processor(), R"yaml({
      allow_all_keys: true, redact_all_types: true, blocked_values: [secret, '[0-9]+'],
      blocked_key_patterns: [token], summary: debug})yaml");
  static test::ProcessorFixture lists(redaction_processor(), R"yaml({
      allowed_keys: [a], ignored_keys: [b], hash_function: md5, blocked_values: ['.'],
      summary: info})yaml");
  ParseReport report;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto batch = SpanBatch::parse(Buffer::copy_of(bytes), report);
  if (!batch || batch->empty()) return 0;
  through(names, *batch);
  through(lists, *batch);
  const SpanBatch masked = through(masks, *batch);
  for (const SpanEntry& entry : masked.spans()) {
    check_masked(masked.resource_bytes(entry), otlp::resource::attributes);
    check_masked(masked.scope_bytes(entry), otlp::scope::attributes);
    check_masked(masked.span_bytes(entry), otlp::span::attributes);
    FieldRange events = SpanView(masked.span_bytes(entry)).events();
    while (const auto event = events.next()) check_masked(event->content, otlp::event::attributes);
  }
  return 0;
}
