#include "test/pipeline/ottl/reading.h"

#include <algorithm>
#include <optional>

#include "pipeline/codec/hex.h"
#include "pipeline/ottl/numbers.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::test {
namespace {

using ottl::Type;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  return out + '"';
}

std::string digits(std::string_view bytes) {
  std::string out(2 * bytes.size(), '\0');
  hex::encode(bytes, out.data());
  return out;
}

std::string shown_list(const ottl::Value& list) {
  std::string out = "[";
  ottl::Items items(list);
  while (const auto item = items.next()) out += (out.size() > 1 ? ", " : "") + shown(*item);
  return out + ']';
}

std::string shown_map(const ottl::Value& map) {
  std::vector<std::string> lines;
  ottl::Entries entries(map);
  while (const auto entry = entries.next())
    lines.push_back(quoted(entry->key) + ": " + shown(entry->value));
  std::sort(lines.begin(), lines.end());
  std::string out = "{";
  for (const std::string& line : lines) out += (out.size() > 1 ? ", " : "") + line;
  return out + '}';
}

std::string shown_real(double real) {
  std::string text = ottl::shortest(real);
  return text.find_first_of(".eIN") == std::string::npos ? text + ".0" : text;
}

std::vector<std::string> parts_of(const std::string& input) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = input.find("  |  ", from)) != std::string::npos; from = at + 5)
    parts.push_back(input.substr(from, at - from));
  parts.push_back(input.substr(from));
  return parts;
}

std::string invalid(const std::vector<ottl::Mistake>& mistakes, std::string& why) {
  for (const ottl::Mistake& mistake : mistakes)
    why += std::to_string(mistake.place.offset) + ": " + mistake.message + "\n";
  return "invalid";
}

std::string read(const std::string& text, ottl::Evaluation& in, std::string& why) {
  std::vector<ottl::Mistake> mistakes, others;
  const auto failed = [&] {
    why = in.error;
    return std::string("error");
  };
  if (const auto value =
          ottl::compile_value(text, ottl::Context::span, ottl::PathStyle::short_form, mistakes)) {
    const ottl::Value result = value->get(in);
    return result.failed() ? failed() : shown(result);
  }
  const auto condition =
      ottl::compile_condition(text, ottl::Context::span, ottl::PathStyle::short_form, others);
  if (!condition) return invalid(mistakes, why);
  const ottl::Truth answer = condition->test(in);
  if (answer == ottl::Truth::failed) return failed();
  return answer == ottl::Truth::yes ? "true" : "false";
}

}  // namespace

std::string shown(const ottl::Value& value) {
  switch (value.type) {
    case Type::nil: return "nil";
    case Type::boolean: return value.boolean ? "true" : "false";
    case Type::integer: return std::to_string(value.integer);
    case Type::real: return shown_real(value.real);
    case Type::string: return quoted(value.text);
    case Type::bytes: return "0x" + digits(value.text);
    case Type::list: return shown_list(value);
    case Type::map: return shown_map(value);
    case Type::time: return "time " + std::to_string(value.integer);
    case Type::duration: return "duration " + std::to_string(value.integer);
    case Type::trace_id: return "trace_id " + digits(value.text);
    case Type::span_id: return "span_id " + digits(value.text);
    default: return std::string(name_of(value.type));
  }
}

std::string outcome(const std::string& input, const SpanBatch& batch, std::string& why) {
  ottl::Evaluation in;
  const SpanEntry& span = batch.spans()[0];
  const ScopeEntry& scope = batch.scopes()[span.scope];
  const ResourceEntry& resource = batch.resource_of(span);
  in.begin_resource(batch.bytes(resource.resource), batch.bytes(resource.extra));
  in.begin_scope(batch.bytes(scope.scope), batch.bytes(scope.extra));
  in.begin_span(batch.span_bytes(span));
  in.clear_cache();
  const std::vector<std::string> parts = parts_of(input);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    std::vector<ottl::Mistake> mistakes;
    const auto statement = ottl::compile_statement(parts[i], ottl::Context::span,
                                                   ottl::PathStyle::short_form, mistakes);
    if (!statement) return invalid(mistakes, why);
    if (statement->run(in)) continue;
    why = in.error;
    return "error";
  }
  return read(parts.back(), in, why);
}

}  // namespace sluice::test
