// set_semconv_span_name: a span's name made of its attributes, as the semantic conventions of
// OpenTelemetry 1.37 to 1.43 say for HTTP, RPC, databases and messaging. Attributes are looked for
// under their name in the conventions, then under the one they had before.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"

namespace sluice::ottl::library {
namespace {

using Text = std::optional<std::string>;

/// The attributes of the span at hand, as text.
class Attributes {
 public:
  explicit Attributes(AttributeList& list) : list_(list) {}

  Text text(std::string_view key, std::string_view older = {}) const {
    for (const std::string_view name : {key, older}) {
      if (name.empty()) continue;
      if (const auto value = list_.find(name)) return sluice::text_of(AnyValueView(*value));
    }
    return std::nullopt;
  }
  bool is_true(std::string_view key) const {
    const auto value = list_.find(key);
    return value && AnyValueView(*value).type() == AnyValueView::Type::boolean &&
           AnyValueView(*value).boolean();
  }

 private:
  AttributeList& list_;
};

Text http_name(const Attributes& of, std::string_view subject) {
  Text name = of.text("http.request.method", "http.method");
  if (!name) return name;
  if (const Text target = of.text(subject)) *name += ' ' + *target;
  return name;
}

Text rpc_name(const Attributes& of) {
  const Text system = of.text("rpc.system.name", "rpc.system");
  if (!system) return system;
  const Text method = of.text("rpc.method", "rpc.grpc.method");
  const Text service = of.text("rpc.service", "rpc.grpc.service");
  if (service) return *service + '/' + method.value_or("*");
  return method ? method : system;
}

Text server(const Attributes& of) {
  Text address = of.text("server.address");
  if (!address) return address;
  if (const Text port = of.text("server.port")) *address += ':' + *port;
  return address;
}

Text database_target(const Attributes& of) {
  const Text space = of.text("db.namespace", "db.name");
  Text within = of.text("db.collection.name");
  if (!within) within = of.text("db.stored_procedure.name");
  if (within) return space && !space->empty() ? *space + '.' + *within : *within;
  return space && !space->empty() ? space : server(of);
}

Text database_name(const Attributes& of) {
  const Text system = of.text("db.system.name", "db.system");
  if (!system) return system;
  if (Text summary = of.text("db.query.summary")) return summary;
  const std::string operation = of.text("db.operation.name", "db.operation").value_or("");
  const std::string target = database_target(of).value_or("");
  if (!operation.empty() && !target.empty()) return operation + ' ' + target;
  if (!operation.empty()) return operation;
  return target.empty() ? system : target;
}

Text destination(const Attributes& of) {
  if (of.is_true("messaging.destination.temporary")) return "(temporary)";
  if (of.is_true("messaging.destination.anonymous")) return "(anonymous)";
  if (Text pattern = of.text("messaging.destination.template")) return pattern;
  if (Text name = of.text("messaging.destination.name", "messaging.destination")) return name;
  return server(of);
}

Text messaging_name(const Attributes& of) {
  const Text system = of.text("messaging.system");
  if (!system) return system;
  const Text operation = of.text("messaging.operation.name", "messaging.operation");
  const std::string target = destination(of).value_or("");
  if (!target.empty()) return operation ? *operation + ' ' + target : target;
  return operation ? operation : system;
}

/// The first name that there is and that is not empty.
template <typename... Names>
std::string first_of(const Names&... names) {
  std::string first;
  const auto take = [&first](const Text& name) {
    if (first.empty() && name) first = *name;
  };
  (take(names), ...);
  return first;
}

std::string conventional_name(const Attributes& of, SpanKind kind) {
  switch (kind) {
    case SpanKind::server:
      return first_of(http_name(of, "http.route"), rpc_name(of), messaging_name(of));
    case SpanKind::client:
      return first_of(http_name(of, "url.template"), rpc_name(of), database_name(of),
                      messaging_name(of));
    case SpanKind::producer:
    case SpanKind::consumer: return first_of(messaging_name(of));
    default: return {};
  }
}

}  // namespace

std::string check_semconv(Call& call) {
  std::string_view version = call.literal(0, std::string_view());
  if (version.starts_with('v')) version.remove_prefix(1);
  const std::string_view minor = version.starts_with("1.") ? version.substr(2) : "";
  const auto number = parse_integer(minor.substr(0, minor.find('.')), 10);
  const std::string_view patch = minor.substr(std::min(minor.find('.'), minor.size()));
  const bool whole = patch.empty() || patch == ".0";
  const bool known = number && *number >= 37 && *number <= 43 &&
                     (whole || (*number < 43 && parse_integer(patch.substr(1), 10)));
  if (!known) return "the version of the semantic conventions is from \"1.37.0\" to \"1.43.0\"";
  const bool empty = call.has(1) && call.literal(1, std::string_view()).empty();
  return empty ? "the attribute of the original name cannot have an empty name" : "";
}

Value set_semconv_span_name(Evaluation& in, const Call& call) {
  const SpanView kind_holder(in.span.holder_of(otlp::span::kind));
  const SpanView name_holder(in.span.holder_of(otlp::span::name));
  const std::string before(name_holder.name());
  const std::string name = conventional_name(Attributes(in.span.attributes), kind_holder.kind());
  if (name.empty() || name == before) return {};
  in.span.set_field(text_field(otlp::span::name, name, in.span.memory));
  const std::string_view key = call.literal(1, std::string_view());
  if (key.empty()) return {};
  if (const auto value = encoded(Value::of_string(before), in.arena))
    in.span.attributes.set(key, *value, in.span.memory);
  return {};
}

}  // namespace sluice::ottl::library
