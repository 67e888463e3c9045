#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/attributes/digest.h"
#include "processors/redaction/patterns.h"

namespace sluice::redaction {

enum class Summary { silent, info, debug };

struct Options {
  static Options decode(const config::Node& node);

  bool allow_all_keys = false;
  std::vector<std::string> allowed_keys, ignored_keys;
  Patterns ignored_key_patterns, blocked_key_patterns;
  Patterns blocked_values, allowed_values;
  std::optional<Digest> digest;
  std::string masking_string = "****";
  bool redact_all_types = false;
  Summary summary = Summary::silent;
};

}  // namespace sluice::redaction
