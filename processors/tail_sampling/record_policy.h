#pragma once

#include <string_view>

#include "pipeline/model/span_batch.h"

namespace sluice::tail_sampling {

/// The batch with the name of the policy that kept it as attribute `tailsampling.policy` of every
/// scope, where the collector puts it too. The spans keep their bytes.
SpanBatch with_policy(const SpanBatch& batch, std::string_view policy);

}  // namespace sluice::tail_sampling
