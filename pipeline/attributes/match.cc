#include "pipeline/attributes/match.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/attributes/action.h"
#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"

namespace sluice {
namespace {

enum class MatchType { strict, regexp };

using Pattern = std::shared_ptr<const re2::RE2>;

bool found_in(std::string_view text, const Pattern& pattern) {
  return pattern && re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
}

/// Words to be equal to, or patterns to be found in a text; one of them suffices.
struct TextFilter {
  std::vector<std::string> words;
  std::vector<Pattern> patterns;

  bool given() const { return !words.empty() || !patterns.empty(); }
  bool matches(std::string_view text) const {
    return std::find(words.begin(), words.end(), text) != words.end() ||
           std::any_of(patterns.begin(), patterns.end(),
                       [text](const Pattern& pattern) { return found_in(text, pattern); });
  }
};

struct AttributeFilter {
  std::string key;
  std::optional<std::string> value;  ///< encoded
  Pattern pattern;                   ///< neither: the attribute only has to be there
};

struct LibraryFilter {
  TextFilter name;
  std::optional<TextFilter> version;  ///< absent: any
};

TextFilter decode_words(const config::Node& node, std::string_view key,
                        std::vector<std::string> words, MatchType type) {
  if (type == MatchType::strict) return {std::move(words), {}};
  TextFilter filter;
  for (std::string& word : words)
    filter.patterns.push_back(decode_pattern(node, key, std::move(word)));
  return filter;
}

TextFilter decode_list(const config::Node& node, std::string_view key, MatchType type) {
  std::vector<std::string> words;
  node.optional(key, words);
  return decode_words(node, key, std::move(words), type);
}

std::vector<AttributeFilter> decode_attributes(const config::Node& node, std::string_view list,
                                               MatchType type) {
  std::vector<AttributeFilter> filters;
  for (const config::Node& item : node.child(list).list()) {
    AttributeFilter filter;
    item.required("key", filter.key);
    const config::Node value = item.child("value");
    const std::optional<config::Node::Scalar> scalar = value.scalar();
    const bool text = scalar && scalar->type == config::Node::Scalar::Type::string;
    if (!value.present() || value.kind() == config::Node::Kind::null) {
      // any value
    } else if (type == MatchType::strict) {
      filter.value = encoded_value(value);
    } else if (text) {
      filter.pattern = decode_pattern(item, "value", scalar->string);
    } else {
      item.unexpected("value", "text, as match_type is regexp");
    }
    item.no_other_keys();
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::vector<LibraryFilter> decode_libraries(const config::Node& node, MatchType type) {
  std::vector<LibraryFilter> filters;
  for (const config::Node& item : node.child("libraries").list()) {
    std::string name;
    std::optional<std::string> version;
    item.optional("name", name);
    item.optional("version", version);
    item.no_other_keys();
    LibraryFilter filter{decode_words(item, "name", {name}, type), std::nullopt};
    if (version) filter.version = decode_words(item, "version", {*version}, type);
    filters.push_back(std::move(filter));
  }
  return filters;
}

constexpr std::string_view kind_names[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};

std::string_view kind_name(SpanKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < std::size(kind_names) ? kind_names[number] : std::string_view();
}

void check_kinds(const config::Node& node, const TextFilter& kinds) {
  for (const std::string& kind : kinds.words) {
    const auto* const known = std::find(std::begin(kind_names) + 1, std::end(kind_names), kind);
    if (known != std::end(kind_names)) continue;
    node.error("span_kinds",
               "expected SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, "
               "SPAN_KIND_PRODUCER or SPAN_KIND_CONSUMER, found \"" +
                   kind + "\"");
  }
}

/// The text that a pattern is held against; nothing for values that are no scalars.
std::optional<std::string> scalar_text(const AnyValueView& value) {
  switch (value.type()) {
    case AnyValueView::Type::string:
    case AnyValueView::Type::boolean:
    case AnyValueView::Type::integer: return text_of(value);
    case AnyValueView::Type::real: return fixed_text_of(value.real());
    default: return std::nullopt;
  }
}

bool matches(const AttributeFilter& filter, const AnyValueView& value) {
  if (filter.value) return same_value(AnyValueView(*filter.value), value);
  if (!filter.pattern) return true;
  if (value.type() == AnyValueView::Type::string) return found_in(value.string(), filter.pattern);
  const std::optional<std::string> text = scalar_text(value);
  return text && found_in(*text, filter.pattern);
}

bool match_all(const std::vector<AttributeFilter>& filters, std::string_view message,
               std::uint32_t number) {
  return std::all_of(filters.begin(), filters.end(), [&](const AttributeFilter& filter) {
    const std::optional<KeyValueView> attribute = find_attribute(message, number, filter.key);
    return attribute && matches(filter, attribute->value());
  });
}

std::string service_of(std::string_view resource) {
  const auto service = find_attribute(resource, otlp::resource::attributes, "service.name");
  return service ? text_of(service->value()) : "<nil-service-name>";
}

}  // namespace

class SpanMatcher::Properties {
 public:
  static std::shared_ptr<const Properties> decode(const config::Node& node);

  bool matches_origin(std::string_view resource, std::string_view scope) const {
    if (services_.given() && !services_.matches(service_of(resource))) return false;
    return match_all(resources_, resource, otlp::resource::attributes) &&
           matches_library(ScopeView(scope));
  }

  bool matches_span(std::string_view message) const {
    if (names_.given() || kinds_.given()) {
      const SpanView span(message);
      if (names_.given() && !names_.matches(span.name())) return false;
      if (kinds_.given() && !kinds_.matches(kind_name(span.kind()))) return false;
    }
    return match_all(attributes_, message, otlp::span::attributes);
  }

 private:
  bool matches_library(const ScopeView& scope) const {
    if (libraries_.empty()) return true;
    return std::any_of(libraries_.begin(), libraries_.end(),
                       [&scope](const LibraryFilter& library) {
                         return library.name.matches(scope.name) &&
                                (!library.version || library.version->matches(scope.version));
                       });
  }
  bool given() const {
    return services_.given() || names_.given() || kinds_.given() || !attributes_.empty() ||
           !resources_.empty() || !libraries_.empty();
  }

  TextFilter services_, names_, kinds_;
  std::vector<AttributeFilter> attributes_, resources_;
  std::vector<LibraryFilter> libraries_;
};

std::shared_ptr<const SpanMatcher::Properties> SpanMatcher::Properties::decode(
    const config::Node& node) {
  if (!node.present() || node.kind() == config::Node::Kind::null) return nullptr;
  auto properties = std::make_shared<Properties>();
  std::string word;
  MatchType type = MatchType::strict;
  node.required("match_type", word);
  node.one_of("match_type", type, {{"strict", MatchType::strict}, {"regexp", MatchType::regexp}});
  properties->services_ = decode_list(node, "services", type);
  properties->names_ = decode_list(node, "span_names", type);
  properties->kinds_ = decode_list(node, "span_kinds", type);
  properties->attributes_ = decode_attributes(node, "attributes", type);
  properties->resources_ = decode_attributes(node, "resources", type);
  properties->libraries_ = decode_libraries(node, type);
  check_kinds(node, properties->kinds_);
  if (node.has("regexp")) {
    node.child("regexp").accepted_without_effect({"cacheenabled", "cachemaxnumentries"});
    node.child("regexp").no_other_keys();
  }
  for (const std::string_view key :
       {"log_bodies", "log_severity_texts", "log_severity_number", "metric_names"}) {
    if (node.has(key)) node.error(key, "is for logs or metrics; sluice takes traces");
  }
  if (!properties->given()) {
    node.error(
        "", "needs one of services, span_names, span_kinds, attributes, resources and libraries");
  }
  node.no_other_keys();
  return properties;
}

SpanMatcher SpanMatcher::decode(const config::Node& node) {
  SpanMatcher matcher;
  matcher.include_ = Properties::decode(node.child("include"));
  matcher.exclude_ = Properties::decode(node.child("exclude"));
  return matcher;
}

bool SpanMatcher::Walk::matches(const SpanEntry& entry) {
  if (entry.scope != scope_) enter_scope(entry);
  const std::string_view span = batch_.span_bytes(entry);
  if (matcher_.include_ && !(include_open_ && matcher_.include_->matches_span(span))) return false;
  return !(exclude_open_ && matcher_.exclude_->matches_span(span));
}

void SpanMatcher::Walk::enter_scope(const SpanEntry& entry) {
  scope_ = entry.scope;
  const std::string_view resource = batch_.resource_bytes(entry);
  const std::string_view scope = batch_.scope_bytes(entry);
  include_open_ = matcher_.include_ && matcher_.include_->matches_origin(resource, scope);
  exclude_open_ = matcher_.exclude_ && matcher_.exclude_->matches_origin(resource, scope);
}

}  // namespace sluice
