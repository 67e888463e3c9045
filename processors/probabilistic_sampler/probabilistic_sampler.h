#pragma once

#include "pipeline/component.h"

namespace sluice {

/// `probabilistic_sampler`: keeps a share of all traces, each span by itself, and writes into the
/// trace state how large it is.
ProcessorType probabilistic_sampler_processor();

}  // namespace sluice
