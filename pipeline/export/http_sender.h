#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "pipeline/export/http_client_block.h"
#include "pipeline/export/sender.h"

namespace sluice {

/// What a sender over HTTP differs in. Both are called on any worker.
struct HttpSenderForm {
  /// The body, not compressed.
  std::function<EncodedBatch(const SpanBatch&)> body;
  /// What a response means for the batch.
  std::function<SendResult(const net::ClientResponse&, std::chrono::system_clock::time_point)> read;
  /// The body is the batch's own bytes: nothing is gained by making it elsewhere.
  bool body_is_free = false;
};

/// A sender whose every attempt is one POST. Where the body is written or compressed, the workers
/// take turns, since that is most of what an attempt costs.
std::unique_ptr<Sender> make_http_sender(const HttpClientBlock& block, HttpSenderForm form,
                                         const ExporterContext& context);

/// A body in one buffer.
EncodedBatch body_of(Buffer buffer);

/// Retry-After: seconds, or an HTTP date (IMF-fixdate) in the future; 0 where it is neither.
std::chrono::milliseconds parse_retry_after(std::string_view text,
                                            std::chrono::system_clock::time_point now);

}  // namespace sluice
