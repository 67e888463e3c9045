#include "pipeline/ottl/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/error.h"
#include "pipeline/ottl/functions.h"

namespace sluice::ottl {
namespace {

constexpr std::pair<std::string_view, std::int64_t> enumerators[] = {
    {"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1}, {"SPAN_KIND_SERVER", 2},
    {"SPAN_KIND_CLIENT", 3},      {"SPAN_KIND_PRODUCER", 4}, {"SPAN_KIND_CONSUMER", 5},
    {"STATUS_CODE_UNSET", 0},     {"STATUS_CODE_OK", 1},     {"STATUS_CODE_ERROR", 2},
};

/// What paths may begin with, and whose fields these are; the innermost context first.
struct ContextName {
  std::string_view written;
  std::string_view meant;
  Context outermost;  ///< the least that must be at hand
};
constexpr ContextName context_names[] = {
    {"spanevent", "spanevent", Context::spanevent},
    {"span", "span", Context::span},
    {"scope", "scope", Context::scope},
    {"instrumentation_scope", "scope", Context::scope},
    {"resource", "resource", Context::resource},
    {"otelcol", "otelcol", Context::resource},
};

const ContextName* find_context(std::string_view written) {
  const auto* const found = std::ranges::find(context_names, written, &ContextName::written);
  return found == std::end(context_names) ? nullptr : found;
}

std::string usable_contexts(Context context) {
  std::string list;
  for (const ContextName& each : context_names) {
    if (each.outermost <= context) list += (list.empty() ? "" : ", ") + std::string(each.written);
  }
  return list;
}

std::vector<std::string> context_words() {
  std::vector<std::string> words;
  for (const ContextName& each : context_names) words.emplace_back(each.written);
  return words;
}

/// What statements ask for.
struct Wishes {
  const ContextName* innermost = nullptr;
  bool spans = false;        ///< a function that only spans have
  bool enumerators = false;  ///< which spans and their events have
};

void collect(const Syntax& syntax, std::vector<std::string>& locals, Wishes& wishes) {
  if (syntax.kind == Syntax::Kind::path) {
    const std::string& first = syntax.segments.front().name;
    const ContextName* const named = find_context(first);
    const bool local = std::ranges::find(locals, first) != locals.end();
    const bool inner = wishes.innermost == nullptr || named < wishes.innermost;
    if (named != nullptr && !local && syntax.segments.size() > 1 && inner) wishes.innermost = named;
  }
  if (syntax.kind == Syntax::Kind::call) {
    const Function* const function = find_function(syntax.text);
    wishes.spans = wishes.spans || (function != nullptr && function->spans_only);
  }
  if (syntax.kind == Syntax::Kind::symbol && enumerator(syntax.text)) wishes.enumerators = true;
  const std::size_t before = locals.size();
  if (syntax.kind == Syntax::Kind::lambda)
    locals.insert(locals.end(), syntax.names.begin(), syntax.names.end());
  for (const SyntaxPtr& item : syntax.items) collect(*item, locals, wishes);
  for (const SyntaxPtr& key : syntax.keys) collect(*key, locals, wishes);
  for (const Segment& segment : syntax.segments) {
    for (const SyntaxPtr& key : segment.keys) collect(*key, locals, wishes);
  }
  locals.resize(before);
}

bool grants(Context context, const Wishes& wishes) {
  if (wishes.spans && context != Context::span) return false;
  return !wishes.enumerators || context >= Context::span;
}

}  // namespace

std::optional<std::int64_t> enumerator(std::string_view name) {
  for (const auto& [each, number] : enumerators) {
    if (each == name) return number;
  }
  return std::nullopt;
}

std::vector<std::string> enumerator_names() {
  std::vector<std::string> names;
  for (const auto& [name, number] : enumerators) names.emplace_back(name);
  return names;
}

PathName path_name(const Syntax& path, Context context, PathStyle style) {
  PathName name{name_of(context), {}, path.place, {}};
  const std::vector<Segment>& segments = path.segments;
  const ContextName* const named = segments.size() > 1 ? find_context(segments[0].name) : nullptr;
  std::size_t first = 0;
  if (named != nullptr) {
    name.context = named->meant;
    first = 1;
    if (named->outermost > context) {
      name.mistake = "there is no " + std::string(named->written) + " at hand in the context " +
                     std::string(name_of(context));
    }
  } else if (style == PathStyle::full_form) {
    name.mistake = "a path begins with its context where that is not given, one of " +
                   usable_contexts(context) + ", found " + config::in_quotes(segments[0].name) +
                   config::did_you_mean(segments[0].name, context_words());
  }
  for (std::size_t i = first; i < segments.size(); ++i) {
    name.field += (i > first ? "." : "") + segments[i].name;
    if (i + 1 < segments.size() && !segments[i].keys.empty() && name.mistake.empty())
      name.mistake = "only the last field of a path can be indexed";
  }
  if (name.field == "cache" && name.context != name_of(context) && name.mistake.empty())
    name.mistake = "the cache is that of the context, " + std::string(name_of(context)) + ".cache";
  const Place& last = segments.back().place;
  name.place = {segments[first].place.offset,
                last.offset + last.size - segments[first].place.offset};
  return name;
}

std::optional<Context> infer_context(std::span<const Syntax* const> all, Mistake& mistake) {
  Wishes wishes;
  std::vector<std::string> locals;
  for (const Syntax* const syntax : all) collect(*syntax, locals, wishes);
  const bool unknown = wishes.innermost == nullptr || wishes.innermost->written == "otelcol";
  if (unknown) {
    mistake = {all.empty() ? Place() : all.front()->place,
               "no path says what this is about; a path begins with its context, such as " +
                   usable_contexts(Context::spanevent)};
    return std::nullopt;
  }
  const Context wanted = wishes.innermost->outermost;
  if (grants(wanted, wishes)) return wanted;
  for (const Context context : all_contexts) {
    if (context > wanted && grants(context, wishes)) return context;
  }
  return wanted;  // where compiling says which function or enumerator it lacks
}

}  // namespace sluice::ottl
