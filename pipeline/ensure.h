#pragma once

#include <source_location>

namespace sluice {

/// Terminates with the place and the text when an invariant of ours is broken. Always on; nothing
/// that comes from outside may reach a false condition.
void ensure(bool condition, const char* what,
            std::source_location where = std::source_location::current()) noexcept;

}  // namespace sluice
