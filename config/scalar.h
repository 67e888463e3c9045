#pragma once

#include <string_view>

#include "config/node.h"

namespace sluice::config {

/// The type that YAML gives a scalar without quotes, read as Go's YAML library reads it, since that
/// is what the collector's users know: `true`, `0x1f`, `0o17`, `1_000`, `1.5e3`, `.inf`, `~`; `yes`
/// is text.
Node::Scalar resolve_plain(std::string_view text);

/// The real number that `text` spells, or empty.
std::optional<double> parse_real(std::string_view text);

}  // namespace sluice::config
