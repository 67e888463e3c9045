#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/node.h"
#include "processors/tail_sampling/policy.h"

namespace sluice::tail_sampling {

/// What kind of traffic a trace is: the values that its spans have under some attributes, as the
/// collector's adaptive_tail_sampling composes them.
class Fingerprint {
 public:
  static constexpr std::size_t selectors_max = 16;
  /// More different values of one attribute are not looked at.
  static constexpr std::size_t values_max = 100;

  /// Reads `fingerprint_attributes`: selectors such as `resource.attributes["service.name"]`, of
  /// resource, scope, span, root (spans without parent) or any; a bare key is one of any.
  static Fingerprint decode(const config::Node& options);

  /// The different values of each selector, sorted, with commas between them, or `<missing>`; a
  /// bullet between selectors. Reads all spans of the trace.
  std::string of(const Case& trace) const;

 private:
  enum Scope : std::uint8_t { resource = 1, scope = 2, span = 4, root = 8, any = 7 };
  struct Selector {
    std::uint8_t scopes = any;
    std::string key;
  };
  std::vector<Selector> selectors_;
};

}  // namespace sluice::tail_sampling
