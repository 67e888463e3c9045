#pragma once

#include <string>

#include "pipeline/model/span_view.h"

namespace sluice::zipkin {

/// Attributes as a JSON object, in the form that append_json_attributes reads back: whole doubles
/// keep their ".0", what JSON has no number for is a string, bytes are base64, and of a key given
/// twice the last counts.
void append_json_object(AttributeRange attributes, std::string& out);

}  // namespace sluice::zipkin
