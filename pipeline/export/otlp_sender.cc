#include "pipeline/export/otlp_sender.h"

#include <cstddef>
#include <string>
#include <utility>

#include "pipeline/codec/otlp_response.h"

namespace sluice {

namespace {

constexpr std::string_view export_path =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

SendResult::Kind kind_of(net::GrpcCode code, bool has_retry_info) {
  using Kind = SendResult::Kind;
  switch (code) {
    case net::GrpcCode::ok: return Kind::delivered;
    case net::GrpcCode::cancelled:
    case net::GrpcCode::deadline_exceeded:
    case net::GrpcCode::aborted:
    case net::GrpcCode::out_of_range:
    case net::GrpcCode::unavailable:
    case net::GrpcCode::data_loss: return Kind::retry;
    case net::GrpcCode::resource_exhausted: return has_retry_info ? Kind::retry : Kind::too_large;
    case net::GrpcCode::invalid_argument: return Kind::invalid;
    default: return Kind::permanent;
  }
}

class OtlpSender final : public Sender {
 public:
  OtlpSender(const net::GrpcClientBlock& remote, const ExporterContext& context)
      : remote_(remote),
        loops_(context.loops),
        loop_(net::loop_for(context.executor, context.loops)) {}
  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override;
  void stop() override { link_.reset(); }

 private:
  /// Calls under way know it weakly: those that outlive the sender find nothing to answer to.
  struct Link {
    std::unique_ptr<net::GrpcClient> client;
  };
  static void call(const std::weak_ptr<Link>& link, net::ClientRequest request, SendDone done);

  const net::GrpcClientBlock remote_;
  net::EventLoops& loops_;
  net::EventLoop& loop_;
  std::shared_ptr<Link> link_;
  std::size_t turn_ = 0;
};

bool OtlpSender::start(std::string& error) {
  std::unique_ptr<net::GrpcClient> client = net::make_grpc_client(remote_, loop_, error);
  if (client == nullptr) return false;
  link_ = std::make_shared<Link>(Link{std::move(client)});
  return true;
}

void OtlpSender::send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) {
  net::ClientRequest request;
  request.path = export_path;
  request.headers = remote_.headers;
  request.encoding = remote_.encoding;
  request.timeout = timeout;
  if (request.encoding == net::Encoding::none) {
    request.body = batch.encode();
    return call(link_, std::move(request), std::move(done));
  }
  net::EventLoop& worker = loops_[turn_++ % loops_.size()];
  auto compress = [link = std::weak_ptr(link_), sent = std::move(request), spans = std::move(batch),
                   answer = std::move(done)]() mutable {
    sent.body = net::deflated(spans.encode(), sent.encoding, 0);
    call(link, std::move(sent), std::move(answer));
  };
  if (worker.is_current()) return compress();
  worker.post(std::move(compress));
}

void OtlpSender::call(const std::weak_ptr<Link>& link, net::ClientRequest request, SendDone done) {
  const std::shared_ptr<Link> open = link.lock();
  if (open == nullptr) return;
  open->client->call(std::move(request),
                     [link, answer = std::move(done)](const net::ClientResponse& response) mutable {
                       if (link.lock() != nullptr) answer(read_grpc_response(response));
                     });
}

}  // namespace

std::unique_ptr<Sender> make_otlp_sender(const net::GrpcClientBlock& remote,
                                         const ExporterContext& context) {
  return std::make_unique<OtlpSender>(remote, context);
}

SendResult read_grpc_response(const net::ClientResponse& response) {
  SendResult result;
  if (response.failed) {
    result.kind = SendResult::Kind::retry;
    result.message = response.message;
    return result;
  }
  const RpcStatus status = read_rpc_status(response.status_details);
  result.kind = kind_of(response.grpc, status.retry_delay.has_value());
  if (result.kind == SendResult::Kind::retry)
    result.delay = status.retry_delay.value_or(result.delay);
  if (result.kind == SendResult::Kind::delivered) {
    PartialSuccess partial = read_partial_success(response.body);
    result.rejected_spans = partial.rejected_spans;
    result.message = std::move(partial.message);
  } else {
    result.message = std::string(net::code_name(response.grpc)) +
                     (response.message.empty() ? "" : ": ") + response.message;
  }
  return result;
}

}  // namespace sluice
