#pragma once

#include <optional>

#include "pipeline/ledger.h"
#include "pipeline/model/span_writer.h"

/// What the doors of other formats than OTLP do around a translation, beside which the request's
/// body is still held: an Allowance bounds how large both become.
namespace sluice {

/// For the translation of `body`, whose own charge covers one half of what the allowance has: as
/// much again. 64 bytes a span and 64 KiB more are settled by the freezing.
std::optional<Charge> charge_translation(Ledger& ledger, const Buffer& body);

/// The translation in place of the body, which goes first.
Buffer replace_body(Buffer body, SpanWriter spans, Charge charge);

}  // namespace sluice
