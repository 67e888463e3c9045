#pragma once

#include <chrono>
#include <memory>

#include "pipeline/export/http_sender.h"

namespace sluice {

struct OtlpHttpOptions {
  enum class Format : std::uint8_t { proto, json };
  HttpClientBlock http;
  Format format = Format::proto;
  ExportOptions exporting;
};

/// Protobuf leaves as the batch's own bytes.
std::unique_ptr<Sender> make_otlphttp_sender(const OtlpHttpOptions& options,
                                             const ExporterContext& context);

/// What a response means for the batch (OTLP specification, "OTLP/HTTP Response").
SendResult read_http_response(const net::ClientResponse& response,
                              std::chrono::system_clock::time_point now);

}  // namespace sluice
