#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "pipeline/export/sender.h"
#include "pipeline/net/client.h"
#include "pipeline/net/client_headers.h"

namespace sluice {

struct OtlpHttpOptions {
  enum class Format : std::uint8_t { proto, json };
  net::HttpClientOptions client;
  std::string path;
  net::TlsClientOptions tls;
  Format format = Format::proto;
  net::Encoding encoding = net::Encoding::gzip;
  std::int32_t compression_level = 0;
  net::HeaderList headers;  ///< complete: content type and user agent too
  ExportOptions exporting;
};

/// One attempt is one POST. Protobuf leaves as the batch's own bytes; where they are written as
/// JSON or compressed, the workers take turns, since that is most of what an attempt costs.
class OtlpHttpSender final : public Sender {
 public:
  OtlpHttpSender(const OtlpHttpOptions& options, const ExporterContext& context);
  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override;
  void stop() override;

 private:
  struct Link;
  static EncodedBatch body_of(const SpanBatch& batch, const OtlpHttpOptions& options);
  static void post(const std::weak_ptr<Link>& link, SpanBatch batch,
                   std::chrono::nanoseconds timeout, SendDone done);

  OtlpHttpOptions options_;
  net::EventLoops& loops_;
  net::EventLoop& loop_;
  std::shared_ptr<Link> link_;
  std::size_t turn_ = 0;
};

/// What a response means for the batch (OTLP specification, "OTLP/HTTP Response").
SendResult read_http_response(const net::ClientResponse& response,
                              std::chrono::system_clock::time_point now);

/// Retry-After: seconds, or an HTTP date (IMF-fixdate) in the future; 0 where it is neither.
std::chrono::milliseconds parse_retry_after(std::string_view text,
                                            std::chrono::system_clock::time_point now);

}  // namespace sluice
