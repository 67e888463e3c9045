// What the byte model costs: time and heap allocations a span. Build preset `release`, then
//   build/release/test/bench_micro
// Requests look like those of a service with eight attributes a span, some 410 bytes on the wire.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "pipeline/ottl/ottl.h"
#include "pipeline/utf8.h"
#include "processors/redaction/redaction.h"
#include "processors/span/span.h"
#include "processors/probabilistic_sampler/probabilistic_sampler.h"
#include "processors/transform/transform.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Every form of new ends in these two.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace sluice {
namespace {

std::string request_of(std::size_t count) {
  std::vector<test::SpanSpec> spans = test::numbered_spans(count);
  for (std::size_t i = 0; i < count; ++i) {
    spans[i].name = "GET /api/v1/products/{id}";
    spans[i].trace_id = test::make_id(~i, 8) + test::make_id((i + 1) * 0x9e3779b97f4a7c15, 8);
    spans[i].parent_span_id = test::make_id(i + 7, 8);
    spans[i].attributes = {
        {"http.request.method", "GET"},     {"http.route", "/api/v1/products/{id}"},
        {"http.response.status_code", 200}, {"server.address", "shop-7f9c4.internal.example"},
        {"network.peer.port", 43512},       {"user.id", "user-" + std::to_string(i)},
        {"db.system", "postgresql"},        {"retry", false}};
  }
  return test::make_request({{.service = "shop", .spans = std::move(spans)}});
}

/// Reports per span what the loop around it cost.
class PerSpan {
 public:
  explicit PerSpan(benchmark::State& state) : state_(state) {}
  ~PerSpan() {
    const auto spans = static_cast<double>(spans_);
    const auto made = static_cast<double>(allocations.load() - before_);
    state_.counters["per_span"] =
        benchmark::Counter(spans, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state_.counters["allocs_per_span"] = made / spans;
    state_.counters["allocs"] = made / static_cast<double>(state_.iterations());
  }
  PerSpan(const PerSpan&) = delete;
  PerSpan& operator=(const PerSpan&) = delete;
  void add(std::size_t spans) { spans_ += spans; }

 private:
  benchmark::State& state_;
  const std::uint64_t before_ = allocations.load();
  std::size_t spans_ = 0;
};

void parse(benchmark::State& state) {
  const Buffer request = Buffer::copy_of(request_of(static_cast<std::size_t>(state.range(0))));
  PerSpan cost(state);
  for (auto _ : state) {
    ParseReport report;
    const auto batch = SpanBatch::parse(request, report);
    benchmark::DoNotOptimize(batch);
    cost.add(report.spans_taken);
  }
}
BENCHMARK(parse)->Arg(10)->Arg(100)->Arg(512)->Arg(8192);

void view(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    for (const SpanEntry& span : batch.spans()) {
      const SpanView read(batch.span_bytes(span));
      benchmark::DoNotOptimize(read);
    }
    cost.add(batch.span_count());
  }
}
BENCHMARK(view);

void encode_whole(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(static_cast<std::size_t>(state.range(0))));
  PerSpan cost(state);
  for (auto _ : state) {
    const EncodedBatch encoded = batch.encode();
    benchmark::DoNotOptimize(encoded);
    cost.add(batch.span_count());
  }
}
BENCHMARK(encode_whole)->Arg(10)->Arg(512);

/// A door, the batch processor and an exporter in small: parse, merge sixteen, encode.
void forward(benchmark::State& state) {
  const std::string bytes = request_of(static_cast<std::size_t>(state.range(0)));
  PerSpan cost(state);
  std::vector<SpanBatch> batches;
  batches.reserve(16);
  for (auto _ : state) {
    batches.clear();
    for (int i = 0; i < 16; ++i) {
      ParseReport report;
      batches.push_back(*SpanBatch::parse(Buffer::copy_of(bytes), report));
    }
    const EncodedBatch encoded = SpanBatch::concat(batches).encode();
    benchmark::DoNotOptimize(encoded);
    cost.add(16 * static_cast<std::size_t>(state.range(0)));
  }
}
BENCHMARK(forward)->Arg(10)->Arg(512);

void select_and_encode(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  std::vector<std::uint32_t> every_other(256);
  for (std::uint32_t i = 0; i < 256; ++i) every_other[i] = 2 * i;
  PerSpan cost(state);
  for (auto _ : state) {
    const EncodedBatch encoded = batch.select(every_other).encode();
    benchmark::DoNotOptimize(encoded);
    cost.add(every_other.size());
  }
}
BENCHMARK(select_and_encode);

void split(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    for (std::uint32_t first = 0; first < 512; first += 64) {
      const SpanBatch part = batch.slice(first, 64);
      benchmark::DoNotOptimize(part);
    }
    cost.add(512);
  }
}
BENCHMARK(split);

void concat(benchmark::State& state) {
  const std::vector<SpanBatch> batches(16, test::parse_batch(request_of(512)));
  PerSpan cost(state);
  for (auto _ : state) {
    const SpanBatch merged = SpanBatch::concat(batches);
    benchmark::DoNotOptimize(merged);
    cost.add(merged.span_count());
  }
}
BENCHMARK(concat);

void delete_attribute(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    BatchEditor editor(batch);
    for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
      const std::string_view message = batch.span_bytes(i);
      const auto found = find_attribute(message, otlp::span::attributes, "user.id");
      if (!found) continue;
      const auto at = static_cast<std::size_t>(found->field.data() - message.data());
      BufferWriter& out = editor.begin_span(i);
      out.append(message.substr(0, at));
      out.append(message.substr(at + found->field.size()));
      editor.end_span();
    }
    const SpanBatch edited = std::move(editor).finish();
    benchmark::DoNotOptimize(edited);
    cost.add(edited.span_count());
  }
}
BENCHMARK(delete_attribute);

void update_attribute(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  const std::string field =
      test::length_field(otlp::span::attributes,
                         test::key_value_message({"user.id", "a value that is somewhat longer"}));
  PerSpan cost(state);
  for (auto _ : state) {
    BatchEditor editor(batch);
    for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
      const std::string_view message = batch.span_bytes(i);
      const auto found = find_attribute(message, otlp::span::attributes, "user.id");
      if (!found) continue;
      const auto at = static_cast<std::size_t>(found->field.data() - message.data());
      BufferWriter& out = editor.begin_span(i);
      out.append(message.substr(0, at));
      out.append(field);
      out.append(message.substr(at + found->field.size()));
      editor.end_span();
    }
    const SpanBatch edited = std::move(editor).finish();
    benchmark::DoNotOptimize(edited);
    cost.add(edited.span_count());
  }
}
BENCHMARK(update_attribute);

/// OTTL on each span of a request: what a statement costs beyond having the span at hand.
template <typename Each>
void each_span(benchmark::State& state, Each each) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  ottl::Evaluation in;
  BufferWriter out(1 << 12);
  const auto pass = [&] {
    for (const SpanEntry& span : batch.spans()) {
      in.release();
      in.begin_span(batch.span_bytes(span));
      each(in);
      if (!in.span.changed()) continue;
      out.truncate(0);
      in.span.write(out);
    }
  };
  pass();  // scratch memory grows once
  PerSpan cost(state);
  for (auto _ : state) {
    pass();
    cost.add(batch.span_count());
  }
}

void ottl_condition(benchmark::State& state, const char* text) {
  std::vector<ottl::Mistake> mistakes;
  const auto condition =
      ottl::compile_condition(text, ottl::Context::span, ottl::PathStyle::short_form, mistakes);
  each_span(state, [&](ottl::Evaluation& in) { benchmark::DoNotOptimize(condition->test(in)); });
}
BENCHMARK_CAPTURE(ottl_condition, nothing, "true");
BENCHMARK_CAPTURE(ottl_condition, first_attribute,
                  "attributes[\"http.request.method\"] == \"GET\"");
BENCHMARK_CAPTURE(ottl_condition, last_attribute, "attributes[\"retry\"] == true");
BENCHMARK_CAPTURE(ottl_condition, number, "attributes[\"http.response.status_code\"] >= 400");
BENCHMARK_CAPTURE(ottl_condition, missing, "attributes[\"none\"] == nil");
BENCHMARK_CAPTURE(ottl_condition, name, "name == \"GET /api/v1/products/{id}\"");
BENCHMARK_CAPTURE(ottl_condition, pattern, "IsMatch(name, \"products/[0-9]+$\")");

void ottl_statement(benchmark::State& state, const char* text) {
  std::vector<ottl::Mistake> mistakes;
  const auto statement =
      ottl::compile_statement(text, ottl::Context::span, ottl::PathStyle::short_form, mistakes);
  each_span(state, [&](ottl::Evaluation& in) { benchmark::DoNotOptimize(statement->run(in)); });
}
BENCHMARK_CAPTURE(ottl_statement, set_new, "set(attributes[\"tier\"], \"gold\")");
BENCHMARK_CAPTURE(ottl_statement, set_there, "set(attributes[\"db.system\"], \"mysql\")");
BENCHMARK_CAPTURE(ottl_statement, set_same, "set(attributes[\"db.system\"], \"postgresql\")");
BENCHMARK_CAPTURE(ottl_statement, set_name, "set(name, \"short\")");
BENCHMARK_CAPTURE(ottl_statement, delete_key, "delete_key(attributes, \"user.id\")");
BENCHMARK_CAPTURE(ottl_statement, delete_missing, "delete_key(attributes, \"none\")");
BENCHMARK_CAPTURE(ottl_statement, replace_pattern,
                  "replace_pattern(attributes[\"http.route\"], \"/products/.*\", \"/p\")");
BENCHMARK_CAPTURE(ottl_statement, replace_nothing,
                  "replace_pattern(attributes[\"http.route\"], \"/orders/[0-9]+\", \"/o\")");

void check_utf8(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    const RepairedBatch checked = repair_utf8(batch);
    benchmark::DoNotOptimize(checked);
    cost.add(batch.span_count());
  }
}
BENCHMARK(check_utf8);

void json_in(benchmark::State& state) {
  BufferWriter text;
  otlp_json_append(test::parse_batch(request_of(512)), text);
  const std::string json(text.bytes());
  PerSpan cost(state);
  for (auto _ : state) {
    BufferWriter out;
    JsonReport report;
    if (!otlp_json_to_proto(json, out, report)) state.SkipWithError(report.error.c_str());
    benchmark::DoNotOptimize(out.data());
    cost.add(512);
  }
}
BENCHMARK(json_in);

void json_out(benchmark::State& state) {
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    BufferWriter text;
    otlp_json_append(batch, text);
    benchmark::DoNotOptimize(text.data());
    cost.add(512);
  }
}
BENCHMARK(json_out);

/// What a processor adds to a batch of 512 spans that goes through it.
void through(benchmark::State& state, const ProcessorType& type, const char* options) {
  test::ProcessorFixture fixture(type, options);
  if (!fixture.mistakes.empty()) return state.SkipWithError(fixture.mistakes[0].c_str());
  const SpanBatch batch = test::parse_batch(request_of(512));
  PerSpan cost(state);
  for (auto _ : state) {
    fixture.processor->consume(batch, {});
    fixture.next.batches.clear();
    cost.add(batch.span_count());
  }
}
BENCHMARK_CAPTURE(through, redaction_of_nothing, redaction_processor(),
                  "{allow_all_keys: true, blocked_values: ['4[0-9]{12}(?:[0-9]{3})?', "
                  "'(5[1-5][0-9]{14})'], blocked_key_patterns: [token]}");
BENCHMARK_CAPTURE(through, redaction_of_one_value, redaction_processor(),
                  "{allow_all_keys: true, blocked_values: ['user-[0-9]+', '(5[1-5][0-9]{14})'], "
                  "blocked_key_patterns: [token]}");
BENCHMARK_CAPTURE(through, redaction_by_a_list, redaction_processor(),
                  "{allowed_keys: [service.name, http.request.method, http.route, "
                  "http.response.status_code]}");
BENCHMARK_CAPTURE(through, transform_by_three, transform_processor(),
                  "{trace_statements: [{context: span, statements: ["
                  "'set(attributes[\"tier\"], \"gold\") where "
                  "attributes[\"http.response.status_code\"] >= 400', "
                  "'replace_pattern(attributes[\"http.route\"], \"/products/.*\", \"/p\")', "
                  "'delete_key(attributes, \"user.id\")']}]}");
BENCHMARK_CAPTURE(through, span_of_nothing, span_processor(),
                  "{name: {to_attributes: {rules: ['^/api/(?P<id>[0-9]+)$']}}}");
BENCHMARK_CAPTURE(through, span_named, span_processor(),
                  "{name: {from_attributes: [http.request.method, http.route], separator: ' '}}");
BENCHMARK_CAPTURE(through, hash_seed_drops, probabilistic_sampler_processor(),
                  "{sampling_percentage: 1}");
BENCHMARK_CAPTURE(through, hash_seed_tenth, probabilistic_sampler_processor(),
                  "{sampling_percentage: 10}");
BENCHMARK_CAPTURE(through, hash_seed_keeps, probabilistic_sampler_processor(),
                  "{sampling_percentage: 100}");
BENCHMARK_CAPTURE(through, equalizing_drops, probabilistic_sampler_processor(),
                  "{mode: equalizing, sampling_percentage: 1}");
BENCHMARK_CAPTURE(through, equalizing_tenth, probabilistic_sampler_processor(),
                  "{mode: equalizing, sampling_percentage: 10}");
BENCHMARK_CAPTURE(through, proportional_tenth, probabilistic_sampler_processor(),
                  "{mode: proportional, sampling_percentage: 10}");
BENCHMARK_CAPTURE(through, proportional_keeps, probabilistic_sampler_processor(),
                  "{mode: proportional, sampling_percentage: 100}");

/// Spans that a sampler before kept, and whose trace state says all there is to say.
void sampled_before(benchmark::State& state) {
  test::ProcessorFixture fixture(probabilistic_sampler_processor(),
                                 "{mode: equalizing, sampling_percentage: 50}");
  fixture.send(test::parse_batch(request_of(512)));
  const SpanBatch batch = std::exchange(fixture.next.batches, {}).at(0);
  PerSpan cost(state);
  for (auto _ : state) {
    fixture.processor->consume(batch, {});
    fixture.next.batches.clear();
    cost.add(batch.span_count());
  }
}
BENCHMARK(sampled_before);

void recycle_buffer(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    BufferWriter writer(size);
    writer.data()[0] = 1;
    writer.advance(size);
    const Buffer buffer = std::move(writer).freeze();
    benchmark::DoNotOptimize(buffer);
  }
}
BENCHMARK(recycle_buffer)->Arg(4000)->Arg(200'000)->Arg(3'000'000);

}  // namespace
}  // namespace sluice

BENCHMARK_MAIN();
