#pragma once

#include <cstddef>

#include "pipeline/model/span_view.h"

namespace sluice {

inline constexpr std::size_t hash_text_size = 64;

/// Writes the SHA-256 of a value in lower-case hex, `hash_text_size` characters. As the collector
/// does: of text its bytes, of numbers 8 bytes (little-endian), of booleans one; false, and nothing
/// written, for values of other types.
bool put_hash(const AnyValueView& value, char* out);

}  // namespace sluice
