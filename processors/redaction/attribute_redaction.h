#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/model/message_patch.h"
#include "pipeline/model/span_view.h"
#include "processors/redaction/options.h"
#include "processors/redaction/rules.h"

namespace sluice::redaction {

/// Redacts the attributes of one message after the other: of resources, or scopes, or events. What
/// cannot be read, and so not checked, goes.
class AttributeRedaction {
 public:
  /// A message may hold this many attributes; of one with more, the rest is left out.
  static constexpr std::size_t attributes_max = 16384;

  /// `number` is the field of the attributes. `options` outlive it.
  AttributeRedaction(const Options& options, std::uint32_t number);

  /// False: the message stays as it is. True: `patch` gives the new one.
  bool apply(std::string_view message);
  /// The same in pieces, for who walks over the message himself: `begin`, each attribute's field,
  /// `end`.
  void begin(std::string_view message);
  void redact(std::string_view field, std::string_view content);
  bool end();

  MessagePatch& patch() { return patch_; }

 private:
  /// The summary's attributes, in the order in which they are added.
  enum Note : std::size_t {
    redacted_keys,
    redacted_count,
    masked_keys,
    masked_count,
    allowed_keys,
    allowed_count,
    ignored_count,
    note_count
  };
  /// One that is there already.
  struct Noted {
    std::size_t piece;
    std::string_view text{};  ///< where it is one
    std::int64_t count = 0;   ///< where it is a number
  };

  void redact_value(std::string_view field, const KeyValueView& attribute, Verdict verdict);
  std::optional<std::string_view> text_of_value(const AnyValueView& value);
  void mask(std::string_view field, std::string_view key, const std::string& text);
  void erase(std::string_view field);
  void note_existing(std::string_view field, const KeyValueView& attribute);
  void summarise(std::vector<std::string_view>& keys, Note keys_note, Note count_note);
  void add_count(std::int64_t count, Note note);
  void put(Note note, std::string_view field);

  const Options& options_;
  const std::uint32_t number_;
  KeyRules keys_;
  ValueRules values_;
  MessagePatch patch_;
  bool changed_ = false;
  std::size_t attributes_ = 0;
  std::vector<std::string_view> redacted_, masked_, allowed_;
  std::int64_t ignored_ = 0;
  std::array<std::optional<Noted>, note_count> noted_;
  std::string text_;  ///< of a value that is no text
  std::string joined_;
};

}  // namespace sluice::redaction
