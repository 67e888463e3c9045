#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "pipeline/attributes/match.h"
#include "pipeline/model/span_view.h"

namespace re2 {
class RE2;
}

namespace sluice::span_processing {

/// A pattern of names. Every group is an attribute's value, and its place in the name is taken by
/// the attribute's key in braces.
struct Rule {
  std::shared_ptr<const re2::RE2> pattern;
  std::vector<std::string> keys;  ///< by group, the first one is number 1; unnamed ones are empty
};

struct Status {
  StatusCode code = StatusCode::unset;
  std::string description;
  std::string field;  ///< of the span, encoded
};

struct Options {
  static Options decode(const config::Node& node);

  SpanMatcher matcher;
  std::vector<std::string> from_attributes;
  std::string separator;
  std::vector<Rule> rules;
  bool break_after_match = false;
  bool keep_original_name = false;
  std::optional<Status> status;
};

}  // namespace sluice::span_processing
