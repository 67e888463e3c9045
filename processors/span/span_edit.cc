#include "processors/span/span_edit.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::span_processing {
namespace {

void append_text(std::string& out, const AnyValueView& value) {
  switch (value.type()) {
    case AnyValueView::Type::string: out += value.string(); return;
    case AnyValueView::Type::boolean: out += value.boolean() ? "true" : "false"; return;
    case AnyValueView::Type::integer: out += std::to_string(value.integer()); return;
    case AnyValueView::Type::real: out += fixed_text_of(value.real()); return;
    default: out += "<unknown-attribute-type>"; return;
  }
}

}  // namespace

SpanEdit::SpanEdit(const Options& options)
    : options_(options), from_keys_(options.from_attributes) {
  for (const std::string& key : options.from_attributes)
    from_numbers_.push_back(from_keys_.find(key));
  from_values_.resize(from_numbers_.size());
}

bool SpanEdit::apply(std::string_view message) {
  const SpanView span(message);
  patch_.begin(message);
  settings_.clear();
  name_ = span.name();
  if (!from_numbers_.empty()) name_from_attributes(message);
  if (!name_.empty()) attributes_from_name();
  const bool renamed = name_ != span.name();
  const bool status_changed =
      options_.status && (span.status_code() != options_.status->code ||
                          span.status_message() != options_.status->description);
  if (!renamed && !status_changed && settings_.empty()) return false;
  rewrite(message, renamed, status_changed);
  return true;
}

/// The values of all keys make the name, or it stays: of a key that is there twice the first one.
void SpanEdit::name_from_attributes(std::string_view message) {
  std::fill(from_values_.begin(), from_values_.end(), std::nullopt);
  AttributeRange attributes(message, otlp::span::attributes);
  while (const std::optional<KeyValueView> attribute = attributes.next()) {
    const std::uint16_t number = from_keys_.find(attribute->key);
    if (number != KeyTable::none && !from_values_[number])
      from_values_[number] = attribute->value();
  }
  next_name_.clear();
  for (std::size_t i = 0; i < from_numbers_.size(); ++i) {
    const std::optional<AnyValueView>& value = from_values_[from_numbers_[i]];
    if (!value) return;
    if (i > 0) next_name_ += options_.separator;
    append_text(next_name_, *value);
  }
  name_.swap(next_name_);
}

void SpanEdit::attributes_from_name() {
  for (const Rule& rule : options_.rules) {
    if (apply_rule(rule) && options_.break_after_match) return;
  }
}

/// A group that took no part gives an empty value and keeps its place in the name; one inside of
/// another has no text of the name before it.
bool SpanEdit::apply_rule(const Rule& rule) {
  const re2::StringPiece name(name_);
  if (!re2::RE2::PartialMatch(name, *rule.pattern)) return false;
  std::vector<re2::StringPiece> found(rule.keys.size() + 1);
  if (!rule.pattern->Match(name, 0, name.size(), re2::RE2::UNANCHORED, found.data(),
                           static_cast<int>(found.size()))) {
    return false;
  }
  next_name_.clear();
  std::size_t copied = 0;
  for (std::size_t group = 0; group < rule.keys.size(); ++group) {
    const re2::StringPiece& part = found[group + 1];
    set(rule.keys[group], patch_.copy({part.data(), part.size()}));
    const std::size_t begin =
        part.data() == nullptr ? copied : static_cast<std::size_t>(part.data() - name.data());
    if (begin > copied) next_name_.append(name_, copied, begin - copied);
    next_name_ += '{';
    next_name_ += rule.keys[group];
    next_name_ += '}';
    copied = std::max(copied, begin + part.size());
  }
  next_name_.append(name_, copied);
  if (!options_.keep_original_name) name_.swap(next_name_);
  return true;
}

void SpanEdit::set(std::string_view key, std::string_view value) {
  const auto found = std::find_if(settings_.begin(), settings_.end(),
                                  [key](const Setting& each) { return each.key == key; });
  if (found == settings_.end()) {
    settings_.push_back({key, value});
  } else {
    found->value = value;
  }
}

void SpanEdit::rewrite(std::string_view message, bool renamed, bool status_changed) {
  std::string_view name, status;
  if (renamed) name = patch_.string_field(otlp::span::name, name_);
  if (status_changed) status = options_.status->field;
  bool name_placed = !renamed;
  bool status_placed = !status_changed;
  // Of a field that is there twice, the first one makes place for the new one and the rest goes.
  const auto place = [this](std::string_view field, bool& placed, std::string_view bytes) {
    patch_.replace(field, std::exchange(placed, true) ? std::string_view() : bytes);
  };
  wire::Cursor cursor(message);
  wire::Field field;
  while (cursor.next(field)) {
    if (renamed && field.is(otlp::span::name, wire::Type::length)) {
      place(field.whole, name_placed, name);
    } else if (status_changed && field.is(otlp::span::status, wire::Type::length)) {
      place(field.whole, status_placed, status);
    } else if (!settings_.empty() && field.is(otlp::span::attributes, wire::Type::length)) {
      const std::string_view key = read_key_value({field.whole, field.content}).key;
      for (Setting& each : settings_) {
        if (each.placed || each.key != key) continue;
        each.placed = true;
        patch_.replace(field.whole,
                       patch_.string_attribute(otlp::span::attributes, each.key, each.value));
      }
    }
  }
  if (!name_placed) patch_.append(name);
  if (!status_placed) patch_.append(status);
  for (const Setting& each : settings_) {
    if (!each.placed)
      patch_.append(patch_.string_attribute(otlp::span::attributes, each.key, each.value));
  }
}

}  // namespace sluice::span_processing
