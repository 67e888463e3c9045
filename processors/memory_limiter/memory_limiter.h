#pragma once

#include <cstdint>
#include <functional>

#include "pipeline/component.h"

namespace sluice {

/// The memory of a process: how much is resident, and how what is spare goes back to the system.
struct ProcessMemory {
  std::function<std::uint64_t()> resident;
  std::function<void()> give_back_spare;
};

/// `memory_limiter`: keeps the process below a limit. Newcomers are refused, to come back later,
/// while what is in flight and held leaves no room for them.
ProcessorType memory_limiter_processor();
/// The same over another memory, for tests.
ProcessorType memory_limiter_processor(ProcessMemory memory);

}  // namespace sluice
