#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/model/span_writer.h"

/// What OTLP has and Zipkin has not, packed into text: events with attributes as annotations
/// ("name|{…}|dropped"), links as tags ("traceid|spanid|tracestate|{…}|dropped").
namespace sluice::zipkin {

/// The members of a JSON object as KeyValues under field `number`: whole numbers that fit are
/// integers, all others doubles. False, and nothing is written, when the text is not one JSON
/// object of at most 64 levels.
bool append_json_attributes(SpanWriter& out, std::uint32_t number, std::string_view json);

/// The name, attributes and dropped count of an event, into its open message. A text of another
/// form is the name as it is; so is one that packs nothing but a name, which nobody writes.
void append_event_text(SpanWriter& out, std::string_view text);

/// One Span.Link under the field of a span's links; false, and nothing is written, when the text is
/// none.
bool append_link_text(SpanWriter& out, std::string_view text);

}  // namespace sluice::zipkin
