#include "processors/resourcedetection/resourcedetection.h"

#include <stdlib.h>

#include <catch2/catch.hpp>

#include "pipeline/attributes/value.h"
#include "pipeline/model/span_view.h"
#include "test/support/file_root.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

using Strings = std::vector<std::string>;

/// A variable of the environment, for the time of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

Strings resource_of(const SpanBatch& batch) {
  Strings lines;
  AttributeRange range = ResourceView(batch.resource_bytes(batch.spans()[0])).attributes();
  while (const auto attribute = range.next())
    lines.push_back(std::string(attribute->key) + "=" + text_of(attribute->value()));
  return lines;
}

SpanBatch batch_of(Attributes resource) {
  return make_batch({{.attributes = std::move(resource), .spans = numbered_spans(2)}});
}

/// The attributes of a resource after the options.
Strings after(const ProcessorType& type, std::string_view options, Attributes before) {
  ProcessorFixture test(type, options);
  CHECK(test.mistakes == Strings{});
  CHECK(test.send(batch_of(std::move(before))) == "accepted");
  CHECK(test.conserved());
  return resource_of(parse_batch(test.next.batches.at(0).encode().to_string()));
}

TEST_CASE("the environment's attributes are added to resources", "[resourcedetection]") {
  const Variable variable("OTEL_RESOURCE_ATTRIBUTES", " team=web , note=a%2Cb+c,empty=,x=y=z, ");
  const ProcessorType type = resourcedetection_processor();
  CHECK(after(type, "{}", {{"service.name", "shop"}}) ==
        Strings{"service.name=shop", "team=web", "note=a,b c", "empty=", "x=y=z"});
  CHECK(after(type, "{override: true}", {{"team", "old"}, {"a", 1}})[0] == "team=web");
  CHECK(after(type, "{override: false}", {{"team", "old"}, {"a", 1}})[0] == "team=old");
}

TEST_CASE("without a text in the environment a batch keeps its bytes", "[resourcedetection]") {
  ProcessorFixture test(resourcedetection_processor(), "{detectors: [env]}");
  const SpanBatch batch = batch_of({{"a", 1}});
  test.send(batch);
  CHECK(test.next.batches.at(0).span_bytes(0).data() == batch.span_bytes(0).data());
  CHECK(test.next.batches.at(0).encode().to_string() == batch.encode().to_string());
}

TEST_CASE("the older variable is read where the newer one is not set", "[resourcedetection]") {
  const Variable variable("OTEL_RESOURCE", "team=web");
  CHECK(after(resourcedetection_processor(), "{}", {}) == Strings{"team=web"});
}

TEST_CASE("an environment of another form is a mistake", "[resourcedetection]") {
  for (const char* text : {"team", "=web", "a=b,c", "a=%4", "a=%zz", "a=\xff"}) {
    const Variable variable("OTEL_RESOURCE_ATTRIBUTES", text);
    CHECK(processor_mistakes(resourcedetection_processor(), "{detectors: [env]}") ==
          Strings{"test.yaml:1:13: detectors: OTEL_RESOURCE_ATTRIBUTES is not of the form "
                  "key=value,key=value"});
  }
}

TEST_CASE("the system's attributes are those of its files", "[resourcedetection]") {
  const FileRoot root;
  root.file("/etc/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\n"
            "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\nBUILD_ID='b1'\n");
  root.file("/etc/debian_version", "12.5\n");
  root.file("/etc/machine-id", "0123456789abcdef\n");
  root.file("/proc/cpuinfo",
            "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n"
            "model name\t: AMD EPYC\nstepping\t: 0\ncache size\t: 512 KB\n\n"
            "processor\t: 1\nmodel name\t: other\n");
  std::string options =
      "{detectors: [system], system: {hostname_sources: [os], resource_attributes: {"
      "host.name: {enabled: false}";
  for (const char* name : {"os.version", "host.id", "os.name", "os.build.id", "host.cpu.vendor.id",
                           "host.cpu.family", "host.cpu.model.id", "host.cpu.model.name",
                           "host.cpu.stepping", "host.cpu.cache.l2.size"}) {
    options += std::string(", ") + name + ": {enabled: true}";
  }
  CHECK(after(resourcedetection_processor(root.path()), options + "}}}", {}) ==
        Strings{"os.type=linux", "os.version=12.5", "host.id=0123456789abcdef", "os.name=debian",
                "os.build.id=b1", "host.cpu.vendor.id=AuthenticAMD", "host.cpu.family=25",
                "host.cpu.model.id=1", "host.cpu.model.name=AMD EPYC", "host.cpu.stepping=0",
                "host.cpu.cache.l2.size=512"});
}

TEST_CASE("what a system does not say is left out", "[resourcedetection]") {
  const FileRoot root;
  CHECK(
      after(resourcedetection_processor(root.path()),
            "{detectors: [system], system: {hostname_sources: [os], resource_attributes: {"
            "host.name: {enabled: false}, host.id: {enabled: true}, os.version: {enabled: true}}}}",
            {}) == Strings{"os.type=linux"});
}

TEST_CASE("the host has a name, an architecture, a description and interfaces",
          "[resourcedetection]") {
  const Strings lines =
      after(resourcedetection_processor(),
            "{detectors: [system], system: {hostname_sources: [os], resource_attributes: {"
            "host.arch: {enabled: true}, os.description: {enabled: true}, "
            "host.interface: {enabled: true}, host.ip: {enabled: true}, "
            "host.mac: {enabled: true}}}}",
            {});
  REQUIRE(lines.size() >= 4);
  CHECK(lines[0].size() > std::string("host.name=").size());
  CHECK(lines[1] == "os.type=linux");
  CHECK(lines[2].starts_with("host.arch="));
  CHECK(lines.back().find("Linux") != std::string::npos);
}

TEST_CASE("a full name comes from the file of hosts", "[resourcedetection]") {
  char name[256] = {};
  REQUIRE(gethostname(name, sizeof name - 1) == 0);
  const FileRoot root;
  root.file("/etc/hosts", "# comment\n127.0.0.1 localhost\n10.0.0.7\tshop.example " +
                              std::string(name) + " # other\n");
  CHECK(after(resourcedetection_processor(root.path()),
              "{detectors: [system], system: {hostname_sources: [dns]}}",
              {})[0] == "host.name=shop.example");
}

TEST_CASE("of an attribute that both detectors find the first one's value counts",
          "[resourcedetection]") {
  const Variable variable("OTEL_RESOURCE_ATTRIBUTES", "os.type=mine");
  const std::string system = ", system: {hostname_sources: [os]}}";
  const ProcessorType type = resourcedetection_processor();
  CHECK(after(type, "{detectors: [env, system]" + system, {})[0] == "os.type=mine");
  CHECK(after(type, "{detectors: [system, env]" + system, {})[1] == "os.type=linux");
}

TEST_CASE("attributes of the system can be left out", "[resourcedetection]") {
  CHECK(
      after(resourcedetection_processor(),
            "{detectors: [system], timeout: 0s, refresh_interval: 0s, system: {hostname_sources: "
            "[os], resource_attributes: {host.name: {enabled: false}, os.type: {enabled: true}}}}",
            {{"service.name", "shop"}}) == Strings{"service.name=shop", "os.type=linux"});
}

TEST_CASE("the system's schema is set where there is none", "[resourcedetection]") {
  ProcessorFixture test(resourcedetection_processor(),
                        "{detectors: [system], system: {hostname_sources: [os]}}");
  test.send(make_batch({{.spans = numbered_spans(1)},
                        {.schema_url = "https://example/1", .spans = numbered_spans(1)}}));
  const std::string sent = test.next.batches.at(0).encode().to_string();
  const std::string schema = length_field(3, "https://opentelemetry.io/schemas/1.40.0");
  CHECK(sent.find(schema) != std::string::npos);
  CHECK(sent.find(schema) == sent.rfind(schema));
  CHECK(sent.find("https://example/1") != std::string::npos);
}

TEST_CASE("mistakes in the options of resourcedetection are named where they stand",
          "[resourcedetection]") {
  const auto mistakes = [](std::string_view yaml) {
    return processor_mistakes(resourcedetection_processor(), yaml);
  };
  CHECK(mistakes("{detectors: [env, gcp]}") ==
        Strings{"test.yaml:1:13: detectors: sluice has no detector \"gcp\", which asks a service; "
                "there are env and system"});
  CHECK(mistakes("{detectors: [sytem]}") ==
        Strings{"test.yaml:1:13: detectors: expected env or system, found \"sytem\""});
  CHECK(mistakes("{ec2: {tags: [a]}}").size() == 1);
  CHECK(mistakes("{system: {hostname_sources: [ldap]}}") ==
        Strings{"test.yaml:1:29: system.hostname_sources: expected os, dns, cname or lookup, found "
                "\"ldap\""});
  CHECK(mistakes("{system: {resource_attributes: {host.nam: {enabled: true}}}}").size() == 1);
  CHECK(mistakes("{refresh_interval: 5m}").size() == 1);
  CHECK(mistakes("{timeout: -1s}").size() == 1);
  CHECK(mistakes("{retry: {enabled: true}, fail_on_missing_metadata: true}").empty());
}

TEST_CASE("the README of resourcedetection shows what is decoded", "[resourcedetection]") {
  CHECK(readme_mistakes("processors/resourcedetection/README.md", "processors", "resourcedetection",
                        resourcedetection_processor().decode) == Strings{});
}

}  // namespace
}  // namespace sluice::test
