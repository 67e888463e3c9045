#include "processors/tail_sampling/fingerprint.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"

namespace sluice::tail_sampling {
namespace {

using Values = std::vector<std::string>;

void add(const std::optional<KeyValueView>& attribute, Values& values) {
  if (!attribute || values.size() == Fingerprint::values_max) return;
  std::string text = text_of(attribute->value());
  if (std::ranges::find(values, text) == values.end()) values.push_back(std::move(text));
}

void join(Values& values, std::string& out) {
  std::ranges::sort(values);
  if (values.empty()) out += "<missing>";
  for (const std::string& value : values) {
    if (&value != &values.front()) out += ',';
    out += value;
  }
}

/// The text between them, if it stands between them.
std::optional<std::string_view> between(std::string_view text, std::string_view before,
                                        std::string_view behind) {
  if (text.size() <= before.size() + behind.size() || !text.starts_with(before) ||
      !text.ends_with(behind))
    return std::nullopt;
  return text.substr(before.size(), text.size() - before.size() - behind.size());
}

}  // namespace

Fingerprint Fingerprint::decode(const config::Node& options) {
  constexpr std::array<std::pair<std::string_view, Scope>, 5> scopes = {
      {{"resource", resource}, {"scope", scope}, {"span", span}, {"root", root}, {"any", any}}};
  constexpr std::string_view key = "fingerprint_attributes";
  Fingerprint out;
  for (const config::Node& each : options.child(key).list()) {
    Selector selector{any, each.as_string()};
    const std::string text = selector.key;
    for (const auto& [name, bits] : scopes) {
      const auto inner = between(text, std::string(name) + ".attributes[\"", "\"]");
      if (inner) selector = {bits, std::string(*inner)};
    }
    each.expect(!text.empty() && selector.key.find_first_of("[]\"") == std::string::npos, "",
                "must be such as resource.attributes[\"service.name\"], of resource, scope, span, "
                "root or any; or a key alone");
    out.selectors_.push_back(std::move(selector));
  }
  if (out.selectors_.empty()) options.error(key, "at least one attribute is required");
  options.expect(out.selectors_.size() <= selectors_max, key, "must be at most 16");
  return out;
}

std::string Fingerprint::of(const Case& trace) const {
  std::array<Values, selectors_max> values;
  std::string_view seen_resource, seen_scope;
  const auto add_all = [&](std::uint8_t scopes, const auto& find) {
    for (std::size_t i = 0; i < selectors_.size(); ++i) {
      if ((selectors_[i].scopes & scopes) != 0) add(find(selectors_[i].key), values[i]);
    }
  };
  trace.held->each_span(trace.trace, [&](const SpanBatch& batch, const SpanEntry& entry) {
    const std::string_view in_resource = batch.resource_bytes(entry);
    if (in_resource.data() != seen_resource.data())
      add_all(resource, [&](std::string_view key) {
        return find_attribute(in_resource, otlp::resource::attributes, key);
      });
    const std::string_view in_scope = batch.scope_bytes(entry);
    if (in_scope.data() != seen_scope.data())
      add_all(scope, [&](std::string_view key) {
        return find_attribute(in_scope, otlp::scope::attributes, key);
      });
    seen_resource = in_resource;
    seen_scope = in_scope;
    const SpanView view = batch.view(entry);
    const bool is_root = view.parent_span_id().empty();
    add_all(is_root ? span | root : span,
            [&](std::string_view key) { return view.attribute(key); });
  });
  std::string out;
  for (std::size_t i = 0; i < selectors_.size(); ++i) {
    if (i > 0) out += "•";
    join(values[i], out);
  }
  return out;
}

}  // namespace sluice::tail_sampling
