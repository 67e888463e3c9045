#include "processors/redaction/attribute_redaction.h"

#include <algorithm>
#include <utility>

#include "pipeline/attributes/value.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::redaction {
namespace {

using Type = AnyValueView::Type;

constexpr std::string_view note_names[] = {"redaction.redacted.keys", "redaction.redacted.count",
                                           "redaction.masked.keys",   "redaction.masked.count",
                                           "redaction.allowed.keys",  "redaction.allowed.count",
                                           "redaction.ignored.count"};

/// Whether the message says what a KeyValue says, once, and nothing else: then what is read of it
/// is all that there is.
bool is_key_value(std::string_view message) {
  wire::Cursor cursor(message);
  wire::Field field;
  bool key = false, value = false;
  while (cursor.next(field)) {
    bool& seen = field.number == otlp::key_value::key ? key : value;
    const bool known =
        field.number == otlp::key_value::key || field.number == otlp::key_value::value;
    if (!known || field.type != wire::Type::length || std::exchange(seen, true)) return false;
  }
  return cursor.ok();
}

/// The same of an AnyValue, of whose fields one may be there.
bool is_value(std::string_view message) {
  if (message.empty()) return true;
  wire::Cursor cursor(message);
  wire::Field field;
  return cursor.next(field) && field.whole.size() == message.size() &&
         AnyValueView(message).type() != Type::empty;
}

bool is_nested(Type type) { return type == Type::array || type == Type::kvlist; }

/// The same of an AnyValue and all that is within it: what its text as JSON would not show is not
/// readable.
bool readable(std::string_view value, int depth) {
  if (depth == 0 || !is_value(value)) return false;
  const AnyValueView view(value);
  if (!is_nested(view.type())) return true;
  std::vector<std::string_view> keys;
  wire::Cursor items(view.string());
  wire::Field field;
  while (items.next(field)) {
    if (!field.is(otlp::list::values, wire::Type::length)) return false;
    std::string_view inner = field.content;
    if (view.type() == Type::kvlist) {
      if (!is_key_value(inner)) return false;
      const KeyValueView entry = read_key_value({field.whole, field.content});
      keys.push_back(entry.key);
      inner = entry.value_message;
    }
    if (!readable(inner, depth - 1)) return false;
  }
  std::sort(keys.begin(), keys.end());
  return items.ok() && std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

}  // namespace

AttributeRedaction::AttributeRedaction(const Options& options, std::uint32_t number)
    : options_(options), number_(number), keys_(options), values_(options) {}

bool AttributeRedaction::apply(std::string_view message) {
  begin(message);
  wire::Cursor cursor(message);
  wire::Field field;
  const char* read = message.data();
  while (cursor.next(field)) {
    if (field.is(number_, wire::Type::length)) redact(field.whole, field.content);
    read = cursor.at();
  }
  if (!cursor.ok()) erase(message.substr(static_cast<std::size_t>(read - message.data())));
  return end();
}

void AttributeRedaction::begin(std::string_view message) {
  patch_.begin(message);
  changed_ = false;
  attributes_ = 0;
  redacted_.clear();
  masked_.clear();
  allowed_.clear();
  ignored_ = 0;
  noted_.fill(std::nullopt);
}

void AttributeRedaction::redact(std::string_view field, std::string_view content) {
  if (++attributes_ > attributes_max) return erase(field);
  if (plain_value_offset(content) == 0 && !is_key_value(content)) return erase(field);
  const KeyValueView attribute = read_key_value({field, content});
  const Verdict verdict = keys_.verdict(attribute.key);
  if (verdict == Verdict::redacted) {
    redacted_.push_back(attribute.key);
    return erase(field);
  }
  if (verdict == Verdict::ignored) {
    ++ignored_;
  } else if (verdict == Verdict::blocked || values_.any()) {
    return redact_value(field, attribute, verdict);
  }
  note_existing(field, attribute);
}

/// An allowed value passes, whatever its key and whatever else is found in it.
void AttributeRedaction::redact_value(std::string_view field, const KeyValueView& attribute,
                                      Verdict verdict) {
  if (options_.redact_all_types ? !readable(attribute.value_message, value_depth_max)
                                : !is_value(attribute.value_message))
    return erase(field);
  const AnyValueView value = attribute.value();
  std::string_view text;
  if (value.type() == Type::string) {
    text = value.string();
  } else if (options_.redact_all_types) {
    text = text_ = text_of(value);
    if (text.empty() && is_nested(value.type())) return erase(field);  // a number is not finite
  }
  if (values_.allowed(text)) {
    allowed_.push_back(attribute.key);
    return note_existing(field, attribute);
  }
  if (verdict == Verdict::blocked) return mask(field, attribute.key, values_.masked_whole(text));
  if (const std::string* const masked = values_.masked(text))
    return mask(field, attribute.key, *masked);
  note_existing(field, attribute);
}

void AttributeRedaction::mask(std::string_view field, std::string_view key,
                              const std::string& text) {
  masked_.push_back(key);
  changed_ = true;
  const std::string_view bytes = patch_.string_attribute(number_, key, text);
  const std::size_t piece = patch_.replace(field, bytes);
  for (std::size_t note = 0; note < note_count; ++note) {
    if (key == note_names[note] && !noted_[note])
      noted_[note] = Noted{piece, bytes.substr(bytes.size() - text.size())};
  }
}

void AttributeRedaction::erase(std::string_view field) {
  patch_.erase(field);
  changed_ = true;
}

/// A summary of an earlier processor is added to.
void AttributeRedaction::note_existing(std::string_view field, const KeyValueView& attribute) {
  if (options_.summary == Summary::silent || !attribute.key.starts_with("redaction.")) return;
  const auto* const name = std::find(std::begin(note_names), std::end(note_names), attribute.key);
  if (name == std::end(note_names)) return;
  std::optional<Noted>& noted = noted_[static_cast<std::size_t>(name - std::begin(note_names))];
  if (noted) return;
  const AnyValueView value = attribute.value();
  noted = Noted{patch_.replace(field, field)};
  if (value.type() == Type::string) noted->text = value.string();
  if (value.type() == Type::integer) noted->count = value.integer();
}

bool AttributeRedaction::end() {
  if (options_.summary != Summary::silent) {
    summarise(redacted_, redacted_keys, redacted_count);
    summarise(masked_, masked_keys, masked_count);
    summarise(allowed_, allowed_keys, allowed_count);
    if (ignored_ > 0) add_count(ignored_, ignored_count);
  }
  return changed_;
}

void AttributeRedaction::summarise(std::vector<std::string_view>& keys, Note keys_note,
                                   Note count_note) {
  if (keys.empty()) return;
  const auto count = static_cast<std::int64_t>(keys.size());
  if (options_.summary == Summary::debug) {
    if (const auto& before = noted_[keys_note]; before && !before->text.empty()) {
      std::string_view rest = before->text;
      for (;;) {
        const std::size_t comma = rest.find(',');
        keys.push_back(rest.substr(0, comma));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
      }
    }
    std::sort(keys.begin(), keys.end());
    joined_.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i > 0) joined_ += ',';
      joined_ += keys[i];
    }
    put(keys_note, patch_.string_attribute(number_, note_names[keys_note], joined_));
  }
  add_count(count, count_note);
}

void AttributeRedaction::add_count(std::int64_t count, Note note) {
  if (noted_[note]) {
    const auto sum =
        static_cast<std::uint64_t>(count) + static_cast<std::uint64_t>(noted_[note]->count);
    count = static_cast<std::int64_t>(sum);
  }
  put(note, patch_.integer_attribute(number_, note_names[note], count));
}

void AttributeRedaction::put(Note note, std::string_view field) {
  changed_ = true;
  if (noted_[note])
    patch_.amend(noted_[note]->piece, field);
  else
    patch_.append(field);
}

}  // namespace sluice::redaction
