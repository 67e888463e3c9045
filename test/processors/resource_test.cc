#include "processors/resource/resource.h"

#include <catch2/catch.hpp>

#include "pipeline/attributes/value.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

/// "key=value" of each span's resource.
std::vector<Strings> resources_of(const SpanBatch& batch) {
  std::vector<Strings> all;
  for (const SpanEntry& span : batch.spans()) {
    Strings lines;
    AttributeRange range = ResourceView(batch.resource_bytes(span)).attributes();
    while (const auto attribute = range.next()) {
      lines.push_back(std::string(attribute->key) + "=" + text_of(attribute->value()));
    }
    all.push_back(std::move(lines));
  }
  return all;
}

TEST_CASE("actions on a resource are seen by all its spans", "[resource]") {
  ProcessorFixture test(resource_processor(), R"({attributes: [
      {action: upsert, key: env, value: prod}, {action: delete, key: host.id}]})");
  CHECK(test.mistakes == Strings{});
  const SpanBatch batch =
      make_batch({{.service = "a", .attributes = {{"host.id", "h"}}, .spans = numbered_spans(2)},
                  {.service = "b", .attributes = {{"env", "test"}}, .spans = numbered_spans(1)}});
  CHECK(test.send(batch) == "accepted");
  const SpanBatch& result = test.next.batches.at(0);
  const Strings a = {"service.name=a", "env=prod"};
  CHECK(resources_of(result) == std::vector<Strings>{a, a, {"service.name=b", "env=prod"}});
  CHECK(resources_of(parse_batch(result.encode().to_string())) == resources_of(result));
  CHECK(result.span_bytes(0) == batch.span_bytes(0));
}

TEST_CASE("a span without a resource gets one when an attribute is inserted", "[resource]") {
  ProcessorFixture test(resource_processor(),
                        "{attributes: [{action: insert, key: env, value: prod}]}");
  const std::string span =
      length_field(2, span_message({.trace_id = make_id(1, 16), .span_id = make_id(1, 8)}));
  test.send(parse_batch(length_field(1, length_field(2, span))));
  const SpanBatch& result = test.next.batches.at(0);
  CHECK(resources_of(parse_batch(result.encode().to_string())) ==
        std::vector<Strings>{{"env=prod"}});
}

TEST_CASE("a batch whose resources stay as they are keeps its bytes", "[resource]") {
  ProcessorFixture test(resource_processor(),
                        "{attributes: [{action: insert, key: service.name, value: x}]}");
  const SpanBatch batch = make_batch({{.service = "a", .spans = numbered_spans(2)}});
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
}

TEST_CASE("an attribute of a resource that is malformed stays as it came", "[resource]") {
  ProcessorFixture test(resource_processor(),
                        "{attributes: [{action: insert, key: env, value: prod}]}");
  const std::string spans = length_field(
      2, length_field(2, span_message({.trace_id = make_id(1, 16), .span_id = make_id(1, 8)})));
  ParseReport report;
  const auto batch = SpanBatch::parse(
      Buffer::copy_of(length_field(1, length_field(1, "\x0a\x02\x0a\x7f") + spans)), report);
  REQUIRE(batch);
  test.send(*batch);
  const std::string sent = test.next.batches.at(0).encode().to_string();
  CHECK(sent.find("\x0a\x02\x0a\x7f") != std::string::npos);
  CHECK(sent.find("prod") != std::string::npos);
}

TEST_CASE("a resource that copies of a large value would make absurdly large loses its attributes",
          "[resource]") {
  std::string actions;
  for (int i = 0; i < 16; ++i)
    actions += ", {action: insert, from_attribute: a, key: c" + std::to_string(i) + "}";
  ProcessorFixture test(resource_processor(),
                        "{attributes: [{action: delete, key: none}" + actions + "]}");
  const std::string large(std::size_t{33} << 20, 'x');
  test.send(
      make_batch({{.service = "a", .attributes = {{"a", large}}, .spans = numbered_spans(1)}}));
  CHECK(resources_of(test.next.batches.at(0)) == std::vector<Strings>{{}});
}

TEST_CASE("resource values may come from the request's context", "[resource]") {
  ProcessorFixture test(
      resource_processor(),
      "{attributes: [{action: insert, key: tenant, from_context: metadata.tenant}]}");
  CHECK(test.reads_context);
  SpanBatch batch = make_batch({{.service = "a", .spans = numbered_spans(1)}});
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"tenant", "t1"}};
  batch.set_context(std::move(context));
  test.send(batch);
  CHECK(resources_of(test.next.batches.at(0)) ==
        std::vector<Strings>{{"service.name=a", "tenant=t1"}});
}

TEST_CASE("mistakes in the options of resource are named where they stand", "[resource]") {
  CHECK(processor_mistakes(resource_processor(), "{}") ==
        Strings{"test.yaml:1:1: attributes: required, but missing"});
  CHECK(processor_mistakes(resource_processor(), "attributes: [{action: hash}]") ==
        Strings{"test.yaml:1:14: attributes[0]: the action \"hash\" needs key or pattern"});
  CHECK(processor_mistakes(resource_processor(), "actions: [{action: hash, key: a}]").size() == 2);
}

TEST_CASE("the README of resource shows what is decoded", "[resource]") {
  CHECK(readme_mistakes("processors/resource/README.md", "processors", "resource",
                        resource_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
