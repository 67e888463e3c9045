// Any text as a statement, a condition and a value, on any span: `text NUL request`, where the
// second part is an ExportTraceServiceRequest or, if it is none, a span made up here. Nothing may
// crash or hang; what comes out is a valid span again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pipeline/ottl/ottl.h"
#include "test/support/otlp_builder.h"

using namespace sluice;

namespace {

SpanBatch batch_of(std::string_view bytes) {
  ParseReport report;
  const auto batch = SpanBatch::parse(Buffer::copy_of(bytes), report);
  if (batch && !batch->empty()) return *batch;
  return test::make_batch(
      {{.service = "shop",
        .attributes = {{"n", 1}},
        .spans = {{.name = "GET /a",
                   .trace_state = "a=b,c=d",
                   .attributes = {{"s", "text 12"},
                                  {"i", 42},
                                  {"d", 2.5},
                                  {"b", true},
                                  {"l", test::Array{1, "x", 2.5}},
                                  {"m", test::KvList{{"k", "v"}, {"n", test::KvList{{"x", 1}}}}},
                                  {"y", test::Bytes{"\x01\x02"}}},
                   .events = {{.name = "e", .attributes = {{"a", 1}}}}}}}});
}

void begin(ottl::Evaluation& in, const SpanBatch& batch) {
  const SpanEntry& span = batch.spans()[0];
  const ScopeEntry& scope = batch.scopes()[span.scope];
  const ResourceEntry& resource = batch.resource_of(span);
  in.begin_resource(batch.bytes(resource.resource), batch.bytes(resource.extra));
  in.begin_scope(batch.bytes(scope.scope), batch.bytes(scope.extra));
  in.begin_span(batch.span_bytes(span));
  in.clear_cache();
}

void check_written(ottl::Evaluation& in) {
  BufferWriter span;
  in.span.write(span);
  const std::string request =
      test::length_field(1, test::length_field(2, test::length_field(2, span.bytes())));
  ParseReport report;
  const auto batch = SpanBatch::parse(Buffer::copy_of(request), report);
  if (!batch || batch->span_count() != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string text(input.substr(0, input.find('\0')));
  const SpanBatch batch = batch_of(text.size() < size ? input.substr(text.size() + 1) : "");
  for (const ottl::PathStyle style : {ottl::PathStyle::short_form, ottl::PathStyle::full_form}) {
    std::vector<ottl::Mistake> mistakes;
    ottl::Evaluation in;
    begin(in, batch);
    if (const auto value = ottl::compile_value(text, ottl::Context::span, style, mistakes))
      value->get(in);
    if (const auto condition = ottl::compile_condition(text, ottl::Context::span, style, mistakes))
      condition->test(in);
    if (in.span.changed()) std::abort();
    const auto statement = ottl::compile_statement(text, ottl::Context::span, style, mistakes);
    if (statement) {
      statement->run(in);
      statement->run(in);
      if (in.span.changed()) check_written(in);
    }
    for (const ottl::Mistake& mistake : mistakes) {
      if (mistake.message.empty() || mistake.place.offset > text.size()) std::abort();
    }
  }
  return 0;
}
