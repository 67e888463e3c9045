#include "pipeline/ensure.h"

#include <cstdio>
#include <exception>

namespace sluice {

void ensure(bool condition, const char* what, std::source_location where) noexcept {
  if (condition) [[likely]] return;
  std::fprintf(stderr, "%s:%u: broken invariant: %s\n", where.file_name(), where.line(), what);
  std::terminate();
}

}  // namespace sluice
