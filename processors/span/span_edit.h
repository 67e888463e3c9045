#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/attributes/key_table.h"
#include "pipeline/model/message_patch.h"
#include "processors/span/options.h"

namespace sluice::span_processing {

/// Applies the options to one span after the other, on its bytes.
class SpanEdit {
 public:
  /// `options` outlive it.
  explicit SpanEdit(const Options& options);

  static constexpr std::size_t size_max = MessagePatch::size_max;

  /// False: the span stays as it is. True: `write` gives the new one.
  bool apply(std::string_view message);
  std::size_t size() const { return patch_.size(); }
  void write(BufferWriter& out) const { patch_.write(out); }

 private:
  /// An attribute to be set.
  struct Setting {
    std::string_view key;
    std::string_view value;
    bool placed = false;
  };

  void name_from_attributes(std::string_view message);
  void attributes_from_name();
  bool apply_rule(const Rule& rule);
  void set(std::string_view key, std::string_view value);
  void rewrite(std::string_view message, bool renamed, bool status_changed);

  const Options& options_;
  KeyTable from_keys_;
  std::vector<std::uint16_t> from_numbers_;               ///< in the order of from_attributes
  std::vector<std::optional<AnyValueView>> from_values_;  ///< by number
  std::string name_;
  std::string next_name_;
  std::vector<Setting> settings_;
  MessagePatch patch_;
};

}  // namespace sluice::span_processing
