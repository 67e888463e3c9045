#include <catch2/catch.hpp>
#include <string>

#include "pipeline/ottl/user_agents.h"
#include "test/pipeline/ottl/reading.h"
#include "test/support/file_root.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

std::string outcome_on(SpanSpec span, const std::string& input) {
  std::string why;
  return outcome(input, make_batch({{.spans = {std::move(span)}}}), why);
}

std::string outcome_of(const std::string& input) { return outcome_on({}, input); }

std::string nested(int depth) {
  std::string xml;
  for (int i = 0; i < depth; ++i) xml += "<a>";
  for (int i = 0; i < depth; ++i) xml += "</a>";
  return xml;
}

TEST_CASE("XML is read so deep and no deeper", "[ottl]") {
  CHECK(outcome_of("GetXML(\"" + nested(50) + "\", \"/a/b\")") == "\"\"");
  CHECK(outcome_of("GetXML(\"" + nested(51) + "\", \"/a/b\")") == "invalid");
  CHECK(outcome_of("Len(ParseXML(\"" + nested(50) + "\"))") == "2");
  CHECK(outcome_of("ParseXML(\"" + nested(51) + "\")") == "invalid");
  CHECK(outcome_of("ParseXML(\"" + nested(4000) + "\")") == "invalid");
}

TEST_CASE("entities that a document declares stay as they are", "[ottl]") {
  CHECK(outcome_of("ParseXML(\"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>\")") ==
        R"({"content": "&x;", "tag": "a"})");
}

TEST_CASE("an XPath that selects no nodes is a mistake", "[ottl]") {
  CHECK(outcome_of("GetXML(\"<a/>\", \"count(/a)\")") == "invalid");
  CHECK(outcome_of("GetXML(\"<a/>\", \"no-such()\")") == "invalid");
}

TEST_CASE("a span's name follows the semantic conventions", "[ottl]") {
  const std::string statement = R"(set_semconv_span_name("1.37.0", "old")  |  )";
  const auto name_of = [&](int kind, Attributes attributes) {
    return outcome_on({.name = "n", .kind = kind, .attributes = std::move(attributes)},
                      statement + "name");
  };
  constexpr int internal = 1, server = 2, client = 3, producer = 4, consumer = 5;
  CHECK(name_of(server, {{"http.request.method", "GET"}, {"http.route", "/a"}}) == "\"GET /a\"");
  CHECK(name_of(server, {{"http.method", "GET"}}) == "\"GET\"");
  CHECK(name_of(client, {{"http.method", "GET"}, {"url.template", "/b"}}) == "\"GET /b\"");
  CHECK(name_of(internal, {{"http.method", "GET"}}) == "\"n\"");
  CHECK(name_of(server, {{"rpc.system", "grpc"}, {"rpc.service", "s"}, {"rpc.method", "m"}}) ==
        "\"s/m\"");
  CHECK(name_of(client, {{"rpc.system", "grpc"}, {"rpc.service", "s"}}) == "\"s/*\"");
  CHECK(name_of(client, {{"rpc.system.name", "grpc"}}) == "\"grpc\"");
  CHECK(name_of(client, {{"db.system", "sql"}, {"db.query.summary", "q"}}) == "\"q\"");
  CHECK(name_of(client, {{"db.system", "sql"},
                         {"db.operation", "o"},
                         {"db.name", "n"},
                         {"db.collection.name", "c"}}) == "\"o n.c\"");
  CHECK(name_of(client, {{"db.system", "sql"}, {"server.address", "h"}, {"server.port", 1}}) ==
        "\"h:1\"");
  CHECK(name_of(server, {{"db.system", "sql"}}) == "\"n\"");
  CHECK(name_of(producer, {{"messaging.system", "kafka"},
                           {"messaging.operation.name", "send"},
                           {"messaging.destination.name", "t"}}) == "\"send t\"");
  CHECK(name_of(consumer, {{"messaging.system", "kafka"},
                           {"messaging.destination.temporary", true}}) == "\"(temporary)\"");
  CHECK(name_of(consumer, {{"messaging.system", "kafka"}}) == "\"kafka\"");

  const SpanSpec span = {.name = "n", .kind = server, .attributes = {{"http.method", "GET"}}};
  CHECK(outcome_on(span, statement + R"(attributes["old"])") == "\"n\"");
  CHECK(outcome_on(span, R"(set_semconv_span_name("v1.43.0")  |  Keys(attributes))") ==
        R"(["http.method"])");
  for (const char* version : {"1.36.0", "1.43.1", "1.44.0", "2.0.0", "x", ""})
    CHECK(outcome_on(span, "set_semconv_span_name(\"" + std::string(version) + "\")  |  name") ==
          "invalid");
  CHECK(outcome_on(span, R"(set_semconv_span_name("1.40.0", "")  |  name)") == "invalid");
}

TEST_CASE("the first expression that matches names a user agent", "[ottl]") {
  const FileRoot root;
  root.file("/regexes.yaml", R"(
user_agent_parsers:
  - regex: '(Shop)/(\d+)\.(\d+)'
    family_replacement: '$1 App'
  - regex: 'shop'
    regex_flag: 'i'
    family_replacement: 'Any Shop'
    v1_replacement: '$9'
os_parsers:
  - regex: '(Lin)ux (\d+)'
    os_replacement: '$1$1'
    os_v2_replacement: '7'
)");
  std::string mistake;
  const auto agents = ottl::UserAgents::of_file(root.path() + "/regexes.yaml", mistake);
  REQUIRE(mistake.empty());
  CHECK((agents == ottl::UserAgents::of_file(root.path() + "/regexes.yaml", mistake)));
  for (int again = 0; again < 2; ++again) {
    const ottl::UserAgent agent = agents->parse("x Shop/1.2 (Linux 6)");
    CHECK(agent.name == "Shop App");
    CHECK(agent.version == "1.2");
    CHECK(agent.system == "LinLin");
    CHECK(agent.system_version == "6.7");
  }
  CHECK(agents->parse("SHOP").name == "Any Shop");
  CHECK(agents->parse("SHOP").version == "");
  CHECK(agents->parse("").name == "Other");
}

TEST_CASE("UserAgent without its file is a mistake", "[ottl]") {
  const FileRoot root;
  root.file("/regexes.yaml", "user_agent_parsers: [{regex: '('}]\n");
  root.file("/other.yaml", "a: [b\n");
  const auto mistake_of = [&](const std::string& name) {
    std::string mistake;
    CHECK_FALSE(ottl::UserAgents::of_file(root.path() + name, mistake));
    return mistake;
  };
  CHECK(mistake_of("/none") ==
        "needs the file " + root.path() + "/none, which the package uap-core brings");
  CHECK(mistake_of("/regexes.yaml")
            .starts_with(root.path() + "/regexes.yaml is not what uap-core has: "));
  CHECK(mistake_of("/other.yaml")
            .starts_with(root.path() + "/other.yaml is not what uap-core has: "));
}

}  // namespace
}  // namespace sluice::test
