#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/attributes/action.h"
#include "pipeline/model/request_context.h"
#include "pipeline/model/span_view.h"

namespace sluice {

/// The encoded value in another type, by the collector's rules; nothing if it has that type already
/// or cannot be read as one.
std::optional<std::string> converted(const AnyValueView& value, AttributeAction::Type type);

/// The number that a text spells: decimal or hexadecimal (which needs its exponent), "Inf",
/// "Infinity", "NaN" in any case.
std::optional<double> read_real(std::string_view text);

/// What `from_context: name` means for a request: "metadata.KEY", "auth.KEY", "client.address",
/// anything else a metadata key. Several values are joined with ';'. Nothing where the request has
/// none.
std::optional<std::string> context_value(const RequestContext* context, std::string_view name);

}  // namespace sluice
