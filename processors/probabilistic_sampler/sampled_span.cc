#include "processors/probabilistic_sampler/sampled_span.h"

#include "pipeline/attributes/convert.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::probabilistic_sampler {
namespace {

using wire::Type;

constexpr std::string_view priority_key = "sampling.priority";

template <typename Number>
Priority priority_of_number(Number number) {
  if (number == 0) return Priority::drops;
  return number > 0 ? Priority::keeps : Priority::defers;
}

/// A number, or a text that spells one: clients differ, and the type gets lost between formats.
Priority priority_of(const AnyValueView& value) {
  switch (value.type()) {
    case AnyValueView::Type::integer: return priority_of_number(value.integer());
    case AnyValueView::Type::real: return priority_of_number(value.real());
    case AnyValueView::Type::string:
      if (const auto number = read_real(value.string())) return priority_of_number(*number);
      return Priority::defers;
    default: return Priority::defers;
  }
}

}  // namespace

SampledSpan::SampledSpan(std::string_view message) {
  const std::string_view nothing = message.substr(message.size());
  trace_state = {nothing, nothing};
  bool has_priority = false;
  wire::Cursor cursor(message);
  wire::Field field;
  while (cursor.next(field)) {
    switch (wire::tag(field.number, field.type)) {
      case wire::tag(otlp::span::trace_id, Type::length): trace_id = field.content; break;
      case wire::tag(otlp::span::trace_state, Type::length):
        trace_state = {field.whole, field.content};
        break;
      case wire::tag(otlp::span::attributes, Type::length): {
        // The first one counts. Most are too short for the key, with its tag and length.
        if (has_priority || field.content.size() < priority_key.size() + 2) break;
        const FieldRange::Field attribute{field.whole, field.content};
        if (attribute_key(attribute) != priority_key) break;
        has_priority = true;
        priority = priority_of(read_key_value(attribute).value());
        break;
      }
      default: break;
    }
  }
}

}  // namespace sluice::probabilistic_sampler
