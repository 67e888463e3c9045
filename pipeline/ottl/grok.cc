// ExtractGrokPatterns. In its patterns `%{NAME}`, `%{NAME:field}` and `%{NAME:field:type}` stand
// for patterns that have names, which name others in turn: all of that is written out once, into
// one regular expression. Its groups have numbers for names, since a field may occur more than
// once.
#include <re2/re2.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/error.h"
#include "pipeline/ottl/grok_patterns.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"
#include "pipeline/ottl/patterns.h"

namespace sluice::ottl::library {
namespace {

constexpr std::size_t expansion_size_max = 65536;
constexpr int expansion_depth_max = 100;
constexpr std::string_view group_prefix = "sluice_field_";

using Definitions = std::map<std::string, std::string, std::less<>>;

/// In the name of a group that a pattern has itself, as in that of a field, `___` is a dot.
std::string with_dots(std::string_view name) {
  constexpr std::string_view dot = "___";
  std::string out(name);
  for (std::size_t at = 0; (at = out.find(dot, at)) != std::string::npos; ++at)
    out.replace(at, dot.size(), ".");
  return out;
}

/// Takes the characters of a word from the front of `text`, and those in `also`.
std::string_view take_word(std::string_view& text, std::string_view also = {}) {
  std::size_t size = 0;
  const auto in_word = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           also.find(c) != std::string_view::npos;
  };
  while (size < text.size() && in_word(text[size])) ++size;
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

struct Reference {
  std::string_view name, field, type;
};

/// Takes one from the front of `text`, if one is there.
std::optional<Reference> take_reference(std::string_view& text) {
  std::string_view rest = text;
  Reference reference;
  if (!take(rest, "%{")) return std::nullopt;
  reference.name = take_word(rest);
  if (reference.name.empty()) return std::nullopt;
  if (take(rest, ":")) {
    reference.field = take_word(rest, "+.");
    if (reference.field.empty()) return std::nullopt;
    if (take(rest, ":") && (reference.type = take_word(rest)).empty()) return std::nullopt;
  }
  if (!take(rest, "}")) return std::nullopt;
  text = rest;
  return reference;
}

/// A pattern while it is written out.
struct Expansion {
  const Definitions& own;
  bool named_only;
  std::string expression = {};
  std::vector<std::string> fields = {};  ///< by the number in the name of a group
  std::map<std::string, std::string, std::less<>> types = {};  ///< by the name of a field
  std::string mistake = {};

  bool append(std::string_view pattern, int depth) {
    while (!pattern.empty()) {
      if (const auto reference = take_reference(pattern)) {
        if (!append(*reference, depth)) return false;
        continue;
      }
      expression += pattern.front();
      pattern.remove_prefix(1);
    }
    if (expression.size() > expansion_size_max)
      mistake = "the pattern is longer than 65,536 bytes when it is written out";
    return mistake.empty();
  }

  bool append(const Reference& reference, int depth) {
    const auto defined = own.find(reference.name);
    const auto known = defined != own.end() ? std::optional<std::string_view>(defined->second)
                                            : grok_pattern(reference.name);
    if (!known) {
      mistake = "there is no grok pattern " + config::in_quotes(reference.name) +
                config::did_you_mean(reference.name, names_known());
      return false;
    }
    if (depth == expansion_depth_max) {
      mistake = "grok patterns lie deeper in one another than 100, such as \"" +
                std::string(reference.name) + '"';
      return false;
    }
    if (reference.field.find('+') != std::string_view::npos) {
      mistake = "a field cannot have a + in its name: " + std::string(reference.field);
      return false;
    }
    const std::string field(reference.field.empty() ? reference.name : reference.field);
    if (!reference.type.empty()) types[field] = reference.type;
    if (named_only && reference.field.empty()) {
      expression += '(';
    } else {
      expression += "(?P<" + std::string(group_prefix) + std::to_string(fields.size()) + ">";
      fields.push_back(field);
    }
    if (!append(*known, depth + 1)) return false;
    expression += ')';
    return true;
  }

  std::vector<std::string> names_known() const {
    std::vector<std::string> names = grok_pattern_names();
    for (const auto& [name, definition] : own) names.push_back(name);
    return names;
  }
};

/// A pattern that is written out and compiled.
class Grok {
 public:
  static std::optional<Grok> of(std::string_view pattern, const Definitions& own, bool named_only,
                                std::string& mistake) {
    Expansion expansion{own, named_only};
    if (!expansion.append(pattern, 0)) {
      mistake = expansion.mistake;
      return std::nullopt;
    }
    Grok grok;
    grok.pattern_ = make_pattern(expansion.expression, mistake);
    if (!grok.pattern_) return std::nullopt;
    std::size_t next = 0;  // groups come in the order of the expression, as fields do
    for (const auto& [number, name] : grok.pattern_->CapturingGroupNames()) {
      const std::string field = name.starts_with(group_prefix) && next < expansion.fields.size()
                                    ? expansion.fields[next++]
                                    : name;
      const auto type = expansion.types.find(field);
      grok.groups_.push_back({static_cast<std::size_t>(number), with_dots(field),
                              type == expansion.types.end() ? "string" : type->second});
    }
    if (named_only && grok.groups_.empty()) {
      mistake = "the pattern needs a named group, such as %{WORD:name}";
      return std::nullopt;
    }
    return grok;
  }

  Value extract(Evaluation& in, std::string_view text) const {
    std::vector<re2::StringPiece> groups(
        static_cast<std::size_t>(pattern_->NumberOfCapturingGroups()) + 1);
    MapBuilder map;
    if (pattern_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                        re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
      for (const Group& group : groups_) {
        const re2::StringPiece& match = groups[group.number];
        if (match.empty()) continue;
        const Value value = typed(in, {match.data(), match.size()}, group.type);
        if (value.failed()) return value;
        map.put(group.field, value);
      }
    }
    return map.finish(in.arena);
  }

 private:
  struct Group {
    std::size_t number;
    std::string field, type;
  };

  static Value typed(Evaluation& in, std::string_view text, std::string_view type) {
    if (type == "string") return Value::of_string(text);
    if (type == "int" || type == "long") {
      const auto number = parse_integer(text, 10);
      return number ? Value::of_integer(*number) : in.fail("not an integer: ", text);
    }
    if (type == "double" || type == "float") {
      const auto number = parse_real(text);
      return number ? Value::of_real(*number) : in.fail("not a number: ", text);
    }
    if (type == "bool" || type == "boolean") {
      const auto boolean = parse_boolean(text);
      return boolean ? Value::of_boolean(*boolean) : in.fail("not a boolean: ", text);
    }
    return in.fail("unknown type in a grok pattern: ", type);
  }

  std::shared_ptr<const re2::RE2> pattern_;
  std::vector<Group> groups_;
};

struct Prepared {
  Definitions own;
  std::optional<Grok> grok;  ///< where the pattern is constant
};

std::string add_definition(std::string_view text, Definitions& own) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos) return "a definition is NAME=pattern";
  const std::string_view name = text.substr(0, at);
  if (name.find(':') != std::string_view::npos) return "a pattern's name cannot have a colon in it";
  own[std::string(name)] = text.substr(at + 1);
  return {};
}

}  // namespace

std::string check_grok(Call& call) {
  auto prepared = std::make_shared<Prepared>();
  for (const ExpressionPtr& item : call.arguments[3].list) {
    std::string mistake = add_definition(item->constant()->text, prepared->own);
    if (!mistake.empty()) return mistake;
  }
  std::string mistake;
  if (const Value* const pattern = call.arguments[1].value->constant())
    prepared->grok = Grok::of(pattern->text, prepared->own, call.literal(2, false), mistake);
  call.prepared = std::move(prepared);
  return mistake;
}

Value extract_grok_patterns(Evaluation& in, const Call& call) {
  const auto& prepared = *static_cast<const Prepared*>(call.prepared.get());
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (prepared.grok) return prepared.grok->extract(in, text.text);
  const Value pattern = call.argument(in, 1);
  if (pattern.failed()) return pattern;
  std::string mistake;
  const auto grok = Grok::of(pattern.text, prepared.own, call.literal(2, false), mistake);
  return grok ? grok->extract(in, text.text) : in.fail(mistake);
}

}  // namespace sluice::ottl::library
