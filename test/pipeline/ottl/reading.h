#pragma once

#include <string>
#include <vector>

#include "pipeline/model/span_batch.h"
#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/value.h"

namespace sluice::test {

/// A value as tests write it down: `"text"`, `12`, `2.5`, `0x0102`, `[1, "a"]`, `{"a": nil}`,
/// `time 17…`.
std::string shown(const ottl::Value& value);

/// What a line of cases.txt gives: statements separated by `  |  `, the last part an expression or
/// a condition. "error" for a failure, "invalid" for what does not compile; `why` says why.
std::string outcome(const std::string& input, const SpanBatch& batch, std::string& why);

}  // namespace sluice::test
