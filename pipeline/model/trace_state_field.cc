#include "pipeline/model/trace_state_field.h"

#include <cstddef>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {

FieldRange::Field find_trace_state(std::string_view span) {
  FieldRange fields(span, otlp::span::trace_state);
  const std::string_view nothing = span.substr(span.size());
  FieldRange::Field last{nothing, nothing};
  while (const auto field = fields.next()) last = *field;
  return last;
}

void write_with_trace_state(std::string_view span, FieldRange::Field field,
                            std::string_view trace_state, BufferWriter& out) {
  const auto at = static_cast<std::size_t>(field.whole.data() - span.data());
  out.append(span.substr(0, at));
  wire::append_length_delimited(out, otlp::span::trace_state, trace_state);
  out.append(span.substr(at + field.whole.size()));
}

}  // namespace sluice
