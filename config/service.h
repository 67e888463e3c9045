#pragma once

#include "config/document.h"

namespace sluice::config {

/// Everything under `service` but the pipelines, whose ids and references document.cc checks. Marks
/// the key `pipelines` as known.
ServiceSection decode_service(const Node& service);

/// "128MiB", "64KB", "1073741824": bytes, or empty. Units are B, KB, MB, GB and KiB, MiB, GiB.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace sluice::config
