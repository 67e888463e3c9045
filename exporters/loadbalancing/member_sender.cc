#include "exporters/loadbalancing/member_sender.h"

#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/export/otlp_sender.h"

namespace sluice::loadbalancing {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Under the collector's names, but of each attempt where the collector counts hand-overs to the
/// queue of a member.
class Measures {
 public:
  Measures(const std::string& endpoint, const ExporterContext& context)
      : latency_(context.metrics.histogram("otelcol_loadbalancer_backend_latency",
                                           "How long members took to answer, in ms.",
                                           {5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000},
                                           {{"exporter", context.id}, {"endpoint", endpoint}})),
        successes_(outcome(endpoint, context, "true")),
        failures_(outcome(endpoint, context, "false")) {}

  void answered(const SendResult& result, Executor::Duration after) {
    latency_.observe(static_cast<double>(duration_cast<milliseconds>(after).count()));
    (result.kind == SendResult::Kind::delivered ? successes_ : failures_).add(1);
  }

 private:
  static Counter& outcome(const std::string& endpoint, const ExporterContext& context,
                          std::string success) {
    return context.metrics.counter(
        "otelcol_loadbalancer_backend_outcome", "Requests to members, by whether they were taken.",
        {{"exporter", context.id}, {"endpoint", endpoint}, {"success", std::move(success)}});
  }

  Histogram& latency_;
  Counter& successes_;
  Counter& failures_;
};

class MemberSender final : public Sender {
 public:
  MemberSender(const net::GrpcClientBlock& remote, const std::string& endpoint,
               const ExporterContext& context)
      : executor_(context.executor),
        measures_(endpoint, context),
        sender_(make_otlp_sender(remote, context)) {}

  bool start(std::string& error) override { return sender_->start(error); }
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override {
    // By value: an answer may come on another thread while this goes.
    auto measured = [measures = measures_, &executor = executor_, start = executor_.now(),
                     answer = std::move(done)](SendResult result) mutable {
      measures.answered(result, executor.now() - start);
      answer(std::move(result));
    };
    sender_->send(std::move(batch), timeout, std::move(measured));
  }
  void stop() override { sender_->stop(); }

 private:
  Executor& executor_;
  Measures measures_;
  std::unique_ptr<Sender> sender_;
};

}  // namespace

std::unique_ptr<Sender> make_member_sender(net::GrpcClientBlock remote, const std::string& endpoint,
                                           const ExporterContext& context) {
  const std::optional<net::GrpcTarget> target = net::parse_grpc_target(endpoint);
  ensure(target.has_value(), "endpoints of members are addresses");
  remote.client.target = *target;
  return std::make_unique<MemberSender>(remote, endpoint, context);
}

}  // namespace sluice::loadbalancing
