#include "processors/routing/options.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/ottl/conditions.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::routing {
namespace {

using config::Node;
using ottl::Context;
using ottl::Mistake;
using ottl::PathStyle;
using ottl::Syntax;
using ottl::SyntaxPtr;

enum class GivenContext : std::uint8_t { none, request, otelcol, resource, span };

void report(const Node& text, const Mistake& mistake) {
  text.error_within(mistake.place.offset, mistake.place.size, mistake.message);
}

/// A condition in whichever of the two forms it has; null after a mistake, or in `route()` without
/// `where`.
struct Text {
  Node node;
  SyntaxPtr condition;
  bool sound = false;
};

Text read_statement(const Node& node) {
  Text text{node, nullptr, false};
  ottl::StatementSyntax statement;
  Mistake mistake;
  if (!ottl::parse_statement(node.as_string(), statement, mistake)) {
    report(node, mistake);
  } else if (const Syntax& editor = *statement.editor;
             editor.text != "route" || !editor.items.empty()) {
    report(node, {editor.place,
                  "expected \"route()\", which is all that a route does; what edits spans is the "
                  "processor \"transform\""});
  } else {
    text.condition = std::move(statement.where);
    text.sound = true;
  }
  return text;
}

Text read_condition(const Node& node) {
  Mistake mistake;
  Text text{node, ottl::parse_expression(node.as_string(), mistake), false};
  text.sound = text.condition != nullptr;
  if (!text.sound) report(node, mistake);
  return text;
}

Text read_text(const Node& route) {
  const bool condition = route.has("condition"), statement = route.has("statement");
  if (condition && statement) route.error("statement", "cannot stand beside \"condition\"");
  if (!condition && !statement) route.error("", "needs a condition");
  if (condition) return read_condition(route.child("condition"));
  return statement ? read_statement(route.child("statement")) : Text();
}

/// `request["name"] == "value"`, or `!=`.
std::optional<RequestCondition> request_condition(const Syntax& syntax) {
  const bool compares = syntax.kind == Syntax::Kind::comparison;
  if (!compares || (syntax.text != "==" && syntax.text != "!=")) return std::nullopt;
  const Syntax &path = *syntax.items[0], &value = *syntax.items[1];
  if (path.kind != Syntax::Kind::path || value.kind != Syntax::Kind::string) return std::nullopt;
  const ottl::Segment& first = path.segments.front();
  if (path.segments.size() != 1 || first.name != "request" || first.keys.size() != 1 ||
      first.keys[0]->kind != Syntax::Kind::string)
    return std::nullopt;
  RequestCondition condition{first.keys[0]->text, value.text, syntax.text == "=="};
  for (char& c : condition.header) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return condition;
}

void compile_request(const Text& text, const Node& node, Route& route) {
  route.about = Route::About::request;
  if (node.has("statement")) {
    node.error("statement", "the context \"request\" takes a \"condition\"");
    return;
  }
  if (auto condition = request_condition(*text.condition)) {
    route.request = std::move(*condition);
  } else {
    text.node.unexpected("", "request[\"name\"] == \"value\", or !=");
  }
}

/// Paths that name no context are about the resource, as they were before contexts were inferred.
std::pair<Context, PathStyle> context_of(const Text& text, GivenContext given) {
  switch (given) {
    case GivenContext::request:
    case GivenContext::otelcol: return {Context::resource, PathStyle::full_form};
    case GivenContext::resource: return {Context::resource, PathStyle::short_form};
    case GivenContext::span: return {Context::span, PathStyle::short_form};
    case GivenContext::none: break;
  }
  Mistake unknown;
  const Syntax* const only = text.condition.get();
  const auto inferred = only ? ottl::infer_context({&only, 1}, unknown) : std::optional<Context>();
  if (!inferred) return {Context::resource, PathStyle::short_form};
  return {*inferred, PathStyle::full_form};
}

void compile(const Text& text, GivenContext given, Route& route) {
  const auto [context, style] = context_of(text, given);
  if (context == Context::spanevent) {
    text.node.error("", "spans are routed, and not their events");
    return;
  }
  // A scope's spans are judged one by one: they are what goes to a pipeline.
  const bool spans = context != Context::resource;
  route.about = spans ? Route::About::span : Route::About::resource;
  route.condition.text = text.node.as_string();
  route.condition.reads_request = route.condition.text.find("otelcol") != std::string::npos;
  if (!text.condition) {
    route.condition.condition = ottl::always(true);
    return;
  }
  std::vector<Mistake> mistakes;
  route.condition.condition = ottl::compile_condition(
      *text.condition, spans ? Context::span : Context::resource, style, mistakes);
  for (const Mistake& mistake : mistakes) report(text.node, mistake);
}

std::vector<std::string> decode_pipelines(const Node& list, std::vector<Node>& references) {
  std::vector<std::string> pipelines;
  for (const Node& item : list.list()) {
    std::string id = item.as_string();
    if (std::ranges::find(pipelines, id) != pipelines.end()) {
      item.error("", config::in_quotes(id) + " is listed twice");
      continue;
    }
    references.push_back(item);
    pipelines.push_back(std::move(id));
  }
  return pipelines;
}

Route decode_route(const Node& node, std::vector<Node>& references) {
  Route route;
  GivenContext given = GivenContext::none;
  node.one_of("context", given,
              {{"request", GivenContext::request},
               {"otelcol", GivenContext::otelcol},
               {"resource", GivenContext::resource},
               {"span", GivenContext::span}});
  node.one_of("action", route.copy, {{"move", false}, {"copy", true}});
  const Text text = read_text(node);
  if (text.sound && given == GivenContext::request) {
    compile_request(text, node, route);
  } else if (text.sound) {
    compile(text, given, route);
  }
  route.pipelines = decode_pipelines(node.child("pipelines"), references);
  if (node.child("pipelines").list().empty())
    node.error("pipelines", "needs at least one pipeline");
  node.no_other_keys();
  return route;
}

}  // namespace

bool RequestCondition::holds(const RequestContext* context) const {
  if (context == nullptr) return false;
  return std::ranges::any_of(context->metadata, [this](const auto& each) {
    return each.first == header && (each.second == value) == equal;
  });
}

Options Options::decode(const Node& node, std::vector<Node>& references) {
  Options options;
  ottl::decode_error_mode(node, options.error_mode);
  const std::vector<Node> routes = node.child("table").list();
  if (routes.empty()) node.error("table", "needs at least one route");
  node.expect(routes.size() <= routes_max, "table", "has more than 1000 routes");
  for (const Node& route : routes) options.table.push_back(decode_route(route, references));
  options.default_pipelines = decode_pipelines(node.child("default_pipelines"), references);
  node.no_other_keys();
  return options;
}

bool Options::reads_request() const {
  return std::ranges::any_of(table, [](const Route& route) {
    return route.about == Route::About::request || route.condition.reads_request;
  });
}

}  // namespace sluice::routing
