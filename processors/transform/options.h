#pragma once

#include <vector>

#include "config/node.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::transform {

/// Statements about one context, run where one of the conditions holds, or always if there are
/// none.
struct Group {
  ottl::Context context = ottl::Context::span;
  ottl::ErrorMode error_mode = ottl::ErrorMode::ignore;
  std::vector<ottl::CompiledCondition> conditions;
  std::vector<ottl::CompiledStatement> statements;

  /// Whether a statement changes a scope or a resource from within, which other spans then see.
  bool writes_outward() const;
};

/// Groups that one walk over a batch serves: what a later one sees is the same as if the one before
/// had been through with all spans.
using Pass = std::vector<const Group*>;

struct Options {
  static Options decode(const config::Node& node);
  std::vector<Pass> passes() const;
  bool reads_request() const;

  std::vector<Group> groups;
};

}  // namespace sluice::transform
