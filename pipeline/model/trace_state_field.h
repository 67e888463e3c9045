#pragma once

#include <string_view>

#include "pipeline/model/buffer.h"
#include "pipeline/model/span_view.h"

namespace sluice {

/// The field of a span's message that holds its trace state: the last one, which counts. Where
/// there is none, empty, at the message's end.
FieldRange::Field find_trace_state(std::string_view span);

/// Appends the span's message with this trace state in the place of the field that was found there.
void write_with_trace_state(std::string_view span, FieldRange::Field field,
                            std::string_view trace_state, BufferWriter& out);

}  // namespace sluice
