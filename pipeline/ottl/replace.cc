// Replacing by pattern, in one value or in a map's keys or values.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ottl/functions.h"
#include "pipeline/ottl/glob.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/patterns.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl::library {
namespace {

using Item = AttributeList::Item;
using Groups = std::span<const re2::StringPiece>;

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view group_named(std::string_view name, const re2::RE2& pattern, const Groups& groups) {
  std::size_t number = groups.size();
  if (name.find_first_not_of("0123456789") == std::string_view::npos && name.size() < 5) {
    number = static_cast<std::size_t>(std::stoi(std::string(name)));
  } else {
    const auto& names = pattern.NamedCapturingGroups();
    const auto found = names.find(std::string(name));
    if (found != names.end()) number = static_cast<std::size_t>(found->second);
  }
  if (number >= groups.size()) return {};
  return {groups[number].data(), groups[number].size()};
}

/// Go's template: $1, $name and ${name} are groups, $$ a dollar.
void expand(std::string_view replacement, const re2::RE2& pattern, const Groups& groups,
            std::string& out) {
  while (!replacement.empty()) {
    const std::size_t dollar = std::min(replacement.find('$'), replacement.size());
    out += replacement.substr(0, dollar);
    replacement.remove_prefix(dollar);
    if (replacement.empty()) return;
    const bool braced = replacement.size() > 1 && replacement[1] == '{';
    std::size_t end = braced ? 2 : 1;
    const std::size_t begin = end;
    while (end < replacement.size() && is_name_part(replacement[end])) ++end;
    const bool closed = !braced || (end < replacement.size() && replacement[end] == '}');
    if (replacement.starts_with("$$")) {
      out += '$';
      replacement.remove_prefix(2);
    } else if (end == begin || !closed) {
      out += '$';
      replacement.remove_prefix(1);
    } else {
      out += group_named(replacement.substr(begin, end - begin), pattern, groups);
      replacement.remove_prefix(end + (braced ? 1 : 0));
    }
  }
}

/// "%s" once, and no other directive.
bool is_format(std::string_view format) {
  const std::size_t at = format.find('%');
  return at != std::string_view::npos && format.substr(at, 2) == "%s" &&
         format.find('%', at + 1) == std::string_view::npos;
}

/// What stands for a match: the replacement, through the converter and the format if there are any.
struct Replacement {
  std::string_view text;
  const Function* converter = nullptr;
  std::string_view format;
  bool has_format = false;

  /// What becomes of `expanded`; nothing after a failure.
  std::optional<std::string_view> of(Evaluation& in, std::string_view expanded) const {
    return converter == nullptr ? expanded : converted(in, expanded);
  }
  std::optional<std::string_view> converted(Evaluation& in, std::string_view expanded) const {
    Call call(*converter);
    call.arguments.resize(1);
    call.arguments[0].given = true;
    call.arguments[0].kind = parameters_of(converter->signature)[0].kind;
    call.arguments[0].value = std::make_unique<Constant>(Value::of_string(expanded));
    const Value value = call.get(in);
    if (value.failed()) return std::nullopt;
    if (value.type != Type::string) {
      in.mismatch("a string as the replacement", value.type);
      return std::nullopt;
    }
    if (!has_format) return in.arena.keep(value.text);
    if (!is_format(format)) {
      in.fail("a replacement's format has one %s and no other directive");
      return std::nullopt;
    }
    const std::size_t at = format.find('%');
    in.text.assign(format.substr(0, at)).append(value.text).append(format.substr(at + 2));
    return in.arena.keep(in.text);
  }
};

/// The arguments from `index` on: replacement, function, format.
bool read(Evaluation& in, const Call& call, std::size_t index, Replacement& out) {
  const Value* const known = call.arguments[index].known;
  if (known != nullptr && known->type == Type::string && !call.has(index + 1) &&
      !call.has(index + 2)) {
    out.text = known->text;
    return true;
  }
  const Value text = call.argument(in, index);
  if (text.failed()) return false;
  out.text = text.text;
  if (call.has(index + 1)) out.converter = call.arguments[index + 1].function;
  if (!call.has(index + 2)) return true;
  const Value format = call.argument(in, index + 2);
  out.format = format.text;
  out.has_format = true;
  return !format.failed();
}

enum class Outcome { untouched, replaced, failed };

/// More groups than these a replacement cannot name.
constexpr std::size_t groups_max = 64;

/// Each match in `text`, into `out`. An empty one right behind another does not count.
Outcome replace_in(Evaluation& in, std::string_view text, const Pattern& pattern,
                   const Replacement& replacement, std::span<re2::StringPiece> groups,
                   Pieces& out) {
  const bool plain = groups.size() == 1;
  std::string expanded;
  Outcome outcome = Outcome::untouched;
  std::size_t copied = 0, from = 0;
  bool may_be_empty = true;
  while (from <= text.size() && pattern.find(text, from, groups)) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    if (begin < end || may_be_empty || begin > from) {
      if (outcome == Outcome::untouched) out.clear();
      outcome = Outcome::replaced;
      std::optional<std::string_view> replaced = replacement.text;
      if (!plain) {
        expanded.clear();
        expand(replacement.text, *pattern, groups, expanded);
        replaced = in.arena.keep(expanded);
      }
      replaced = replacement.of(in, *replaced);
      if (!replaced) return Outcome::failed;
      if (!out.add(text.substr(copied, begin - copied)) || !out.add(*replaced)) {
        in.fail("the text would grow too large");
        return Outcome::failed;
      }
      copied = end;
    }
    may_be_empty = begin == end;
    from = begin < end         ? end
           : end < text.size() ? end + character_size(text.substr(end))
                               : text.size() + 1;
  }
  if (outcome == Outcome::replaced && !out.add(text.substr(copied))) {
    in.fail("the text would grow too large");
    return Outcome::failed;
  }
  return outcome;
}

/// Where a match is matters more than its groups: RE2 is several times as fast without these.
Outcome replace_in(Evaluation& in, std::string_view text, const Pattern& pattern,
                   const Replacement& replacement, Pieces& out) {
  if (replacement.text.find('$') == std::string_view::npos) {
    std::array<re2::StringPiece, 1> whole;
    return replace_in(in, text, pattern, replacement, whole, out);
  }
  std::array<re2::StringPiece, groups_max + 1> groups;
  const auto count = static_cast<std::size_t>((*pattern).NumberOfCapturingGroups()) + 1;
  const std::size_t wanted = std::clamp<std::size_t>(count, 2, groups.size());
  return replace_in(in, text, pattern, replacement, std::span(groups).first(wanted), out);
}

/// A key that was replaced takes the place of its item; one that comes twice keeps the later value.
Value replace_keys(Evaluation& in, const Call& call, const Pattern& pattern,
                   const Replacement& replacement) {
  auto edit = [&](AttributeList& map, Arena& memory) {
    std::vector<std::pair<std::string, std::string_view>> renamed;
    bool any = false;
    Pieces& key = in.pieces;
    map.each([&](const Item& item) {
      const Outcome outcome = replace_in(in, item.key, pattern, replacement, key);
      if (outcome == Outcome::replaced) {
        any = true;
        renamed.emplace_back(key.joined(), item.value);
      } else if (outcome == Outcome::untouched) {
        renamed.emplace_back(item.key, item.value);
      } else {
        any = true;
      }
    });
    if (!any) return Value();
    map.clear();
    for (const auto& [name, value] : renamed) map.set(name, value, memory);
    return Value();
  };
  return call.path(0).edit_map(in, MapEdit(edit));
}

Value replace_values(Evaluation& in, const Call& call, const Pattern& pattern,
                     const Replacement& replacement) {
  Pieces& replaced = in.pieces;
  auto edit = [&](AttributeList& map, Arena& memory) {
    map.each([&](Item& item) {
      const AnyValueView value(item.value);
      if (value.type() != AnyValueView::Type::string) return;
      if (replace_in(in, value.string(), pattern, replacement, replaced) == Outcome::replaced)
        map.change_text(item, replaced.all(), memory);
    });
    return Value();
  };
  return call.path(0).edit_map(in, MapEdit(edit));
}

/// The whole text that a match by glob is replaced with; nothing after a failure.
std::optional<std::string_view> whole_replacement(Evaluation& in, const Call& call) {
  Replacement replacement;
  return read(in, call, 2, replacement) ? replacement.of(in, replacement.text) : std::nullopt;
}

}  // namespace

Value replace_pattern(Evaluation& in, const Call& call) {
  const Attribute* const attribute = call.attribute_at(0);
  const Value text = attribute != nullptr ? attribute->get(in) : call.path(0).get(in);
  if (text.failed() || text.is_nil()) return text;
  Replacement replacement;
  if (!read(in, call, 2, replacement)) return Value::failure();
  if (text.type != Type::string) return {};
  const Pattern pattern(in, call, 1);
  if (!pattern) return Value::failure();
  Pieces& replaced = in.pieces;
  switch (replace_in(in, text.text, pattern, replacement, replaced)) {
    case Outcome::untouched: return {};
    case Outcome::replaced: break;
    case Outcome::failed: return Value::failure();
  }
  if (attribute == nullptr)
    return call.path(0).set(in, Value::of_string(in.arena.keep(replaced.joined())));
  attribute->set_text(in, replaced.all());
  return {};
}

Value replace_all_patterns(Evaluation& in, const Call& call) {
  Replacement replacement;
  if (!read(in, call, 3, replacement)) return Value::failure();
  const Pattern pattern(in, call, 2);
  if (!pattern) return Value::failure();
  return call.literal(1, std::string_view()) == "key"
             ? replace_keys(in, call, pattern, replacement)
             : replace_values(in, call, pattern, replacement);
}

std::string check_mode(Call& call) {
  const std::string_view mode = call.literal(1, std::string_view());
  if (mode != "key" && mode != "value") return "the mode is \"key\" or \"value\"";
  return prepare_pattern(call, 2);
}

Value replace_match(Evaluation& in, const Call& call) {
  const Value glob = call.argument(in, 1);
  if (glob.failed()) return glob;
  const Value text = call.path(0).get(in);
  if (text.failed()) return text;
  const auto replaced = whole_replacement(in, call);
  if (!replaced) return Value::failure();
  if (text.type != Type::string || !glob_matches(glob.text, text.text)) return {};
  return call.path(0).set(in, Value::of_string(*replaced));
}

Value replace_all_matches(Evaluation& in, const Call& call) {
  const Value glob = call.argument(in, 1);
  if (glob.failed()) return glob;
  const auto replaced = whole_replacement(in, call);
  if (!replaced) return Value::failure();
  auto edit = [&](AttributeList& map, Arena& memory) {
    map.each([&](Item& item) {
      const AnyValueView value(item.value);
      if (value.type() == AnyValueView::Type::string && glob_matches(glob.text, value.string()))
        map.change_text(item, {&*replaced, 1}, memory);
    });
    return Value();
  };
  return call.path(0).edit_map(in, MapEdit(edit));
}

}  // namespace sluice::ottl::library
