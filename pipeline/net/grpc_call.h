#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/executor.h"
#include "pipeline/net/client.h"
#include "pipeline/net/gather.h"

namespace sluice::net {

class Http2Connection;

/// The bytes of one gRPC message on their way out: prefix and body, without a copy of the body.
class MessageCursor {
 public:
  MessageCursor(const EncodedBatch& body, bool compressed);
  std::size_t remaining() const { return remaining_; }
  std::string_view prefix() const { return {prefix_, sizeof prefix_}; }
  /// Adds the next `size` bytes to `gather`; they stay valid as long as the body and this do.
  void take(std::size_t size, Gather& gather);
  void rewind();

 private:
  std::string_view piece(std::size_t index) const;
  const EncodedBatch* body_;
  char prefix_[5];
  std::size_t piece_ = 0;  ///< 0 is the prefix, then the slices
  std::size_t offset_ = 0;
  std::size_t remaining_ = 0;
};

/// What comes back for one call, header by header, as the gRPC specification of HTTP/2 has it.
class GrpcReply {
 public:
  void on_header(std::string_view name, std::string_view value);
  /// False: more than a response may have.
  bool on_data(std::string_view bytes);
  /// The stream ended in order, or was reset with `error_code` of HTTP/2.
  ClientResponse finish(std::uint32_t error_code);
  bool has_status() const { return grpc_status_ >= 0; }

 private:
  bool read_message(ClientResponse& response);
  int http_status_ = 0;
  int grpc_status_ = -1;
  bool too_large_ = false;
  std::string message_, details_, encoding_, content_type_, data_;
};

/// One unary call, from the first attempt to `done`. Its request stays in place until it is over.
struct GrpcCall {
  GrpcCall(ClientRequest what, ClientDone whom);
  ClientRequest request;
  ClientDone done;
  MessageCursor cursor;
  GrpcReply reply;
  Timer deadline;
  Executor::TimePoint started{};
  Executor::TimePoint due = Executor::TimePoint::max();
  Http2Connection* connection = nullptr;
  std::int32_t stream = 0;
  bool resent = false;  ///< once is enough for a peer that refuses streams
};

/// What gRPC calls snappy is the framed form.
std::string_view grpc_encoding_name(Encoding encoding);
/// grpc-timeout: at most eight digits and a unit.
std::string grpc_timeout(std::chrono::nanoseconds timeout);
std::string percent_decode(std::string_view text);

}  // namespace sluice::net
