#pragma once

#include <array>
#include <vector>

#include "config/node.h"
#include "pipeline/attributes/match.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::filter {

/// Conditions about one context, of which any drops what it holds for.
struct Group {
  ottl::Context context = ottl::Context::span;
  ottl::ErrorMode error_mode = ottl::ErrorMode::ignore;
  std::vector<ottl::CompiledCondition> conditions;
};

struct Options {
  static Options decode(const config::Node& node);
  bool reads_request() const;

  std::vector<Group> groups;
  SpanMatcher spans;  ///< the legacy shape: what does not match is dropped
};

}  // namespace sluice::filter
