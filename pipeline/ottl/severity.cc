// ParseSeverity: the name of the first severity whose criteria a value meets.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

/// One of these texts, or an integer in the range; a criterion may have either or both.
struct Criterion {
  std::vector<std::string> texts;
  bool has_range = false;
  std::int64_t first = 0, last = 0;
};

struct Severity {
  std::string name;
  std::vector<Criterion> criteria;
};

std::string read_texts(const Value& list, Criterion& criterion) {
  if (list.type != Type::list) return "\"equals\" is a list of strings";
  Items items(list);
  while (const auto item = items.next()) {
    if (item->type != Type::string) return "\"equals\" is a list of strings";
    criterion.texts.emplace_back(item->text);
  }
  return {};
}

/// `{"min": 400, "max": 499}`, or "4xx" for the same.
std::string read_range(const Value& range, Criterion& criterion) {
  criterion.has_range = true;
  if (range.type == Type::string) {
    const std::string_view text = range.text;
    const bool known = text.size() == 3 && text[0] >= '2' && text[0] <= '5' && text.ends_with("xx");
    if (!known) return "a range by name is \"2xx\", \"3xx\", \"4xx\" or \"5xx\"";
    criterion.first = 100 * (text[0] - '0');
    criterion.last = criterion.first + 99;
    return {};
  }
  const auto first = range.type == Type::map ? entry_of(range, "min") : std::nullopt;
  const auto last = range.type == Type::map ? entry_of(range, "max") : std::nullopt;
  if (!first || !last || first->type != Type::integer || last->type != Type::integer)
    return "a range is a map with the integers \"min\" and \"max\", or a name such as \"2xx\"";
  criterion.first = first->integer;
  criterion.last = last->integer;
  return {};
}

std::string read_severity(const Value& list, Severity& severity) {
  if (list.type != Type::list) return "the criteria of a severity are a list of maps";
  Items items(list);
  while (const auto item = items.next()) {
    if (item->type != Type::map) return "the criteria of a severity are a list of maps";
    Criterion& criterion = severity.criteria.emplace_back();
    std::string mistake;
    if (const auto texts = entry_of(*item, "equals")) mistake = read_texts(*texts, criterion);
    if (!mistake.empty()) return mistake;
    if (const auto range = entry_of(*item, "range")) mistake = read_range(*range, criterion);
    if (!mistake.empty()) return mistake;
  }
  return {};
}

bool meets(const Value& value, const Criterion& criterion) {
  if (value.type == Type::integer)
    return criterion.has_range && value.integer >= criterion.first &&
           value.integer <= criterion.last;
  return std::ranges::find(criterion.texts, value.text) != criterion.texts.end();
}

}  // namespace

std::string check_severities(Call& call) {
  const Value* const mapping = call.arguments[1].value->constant();
  if (mapping == nullptr) return "the severities must be known in advance: a map of literals";
  auto severities = std::make_shared<std::vector<Severity>>();
  Entries entries(*mapping);
  while (const auto entry = entries.next()) {
    Severity& severity = severities->emplace_back();
    severity.name = entry->key;
    std::string mistake = read_severity(entry->value, severity);
    if (!mistake.empty()) return mistake;
  }
  call.prepared = std::move(severities);
  return {};
}

Value parse_severity(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 0);
  if (value.failed()) return value;
  if (value.type != Type::string && value.type != Type::integer)
    return in.mismatch("a string or an integer", value.type);
  for (const Severity& each : *static_cast<const std::vector<Severity>*>(call.prepared.get())) {
    for (const Criterion& criterion : each.criteria) {
      if (meets(value, criterion)) return Value::of_string(each.name);
    }
  }
  return in.fail("no severity has a criterion that the value meets");
}

}  // namespace sluice::ottl::library
