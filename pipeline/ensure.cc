#include "pipeline/ensure.h"

#include <cstdio>
#include <exception>

namespace sluice {

void ensure(bool condition, const char* what, const char* file, unsigned line) noexcept {
  if (condition) [[likely]]
    return;
  std::fprintf(stderr, "%s:%u: broken invariant: %s\n", file, line, what);
  std::terminate();
}

}  // namespace sluice
