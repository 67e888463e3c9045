#pragma once

#include <cstddef>
#include <string_view>

#include "config/value.h"

namespace sluice::config {

/// Where `size` bytes of a scalar's text, from `offset` on, stand in the file that it was read
/// from. The scalar's own position where the two cannot be matched: the text came from elsewhere,
/// such as an environment variable.
Position position_within(const Value& scalar, std::string_view source, std::size_t offset,
                         std::size_t size);

}  // namespace sluice::config
