#pragma once

#include <memory>
#include <vector>

#include "pipeline/component.h"

namespace sluice {

/// Hands every batch to all of `next`, in order: reserves room with all, then commits copies of the
/// handles to all; where one has no room, nobody gets anything and the refusal is passed on. The
/// Ack is resolved once, when all have answered, with the worst answer: retry_later, else rejected,
/// else accepted. Holds nothing and may be called from any thread that its targets may be called
/// from.
std::unique_ptr<Consumer> make_fanout(std::vector<Consumer*> next);

}  // namespace sluice
