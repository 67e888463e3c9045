#pragma once

namespace sluice {

/// Terminates with the place and the text when an invariant of ours is broken. Always on; nothing
/// that comes from outside may reach a false condition.
// The builtins are those behind std::source_location, which clang 14 (the fuzzing compiler) lacks.
void ensure(bool condition, const char* what, const char* file = __builtin_FILE(),
            unsigned line = __builtin_LINE()) noexcept;

}  // namespace sluice
