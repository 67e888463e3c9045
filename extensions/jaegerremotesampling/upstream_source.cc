#include "extensions/jaegerremotesampling/upstream_source.h"

#include <algorithm>
#include <utility>

#include "extensions/jaegerremotesampling/sampling_fields.h"
#include "extensions/jaegerremotesampling/strategy_json.h"
#include "pipeline/log.h"
#include "pipeline/model/span_writer.h"

namespace sluice::remote_sampling {
namespace {

constexpr std::string_view method = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
constexpr std::chrono::seconds timeout{5};
constexpr std::chrono::seconds rest_after_failure{5};

EncodedBatch parameters(const std::string& service) {
  SpanWriter writer(service.size() + 8);
  if (!service.empty()) writer.string(parameters_field::service_name, service);
  EncodedBatch body;
  body.buffers.push_back(std::move(writer).take().freeze());
  const std::string_view bytes = body.buffers.back().bytes();
  if (!bytes.empty()) body.slices.push_back({bytes.data(), bytes.size()});
  body.size = bytes.size();
  return body;
}

}  // namespace

UpstreamSource::UpstreamSource(net::GrpcClientBlock block, std::chrono::nanoseconds lifetime,
                               const ExtensionContext& context)
    : block_(std::move(block)),
      lifetime_(lifetime),
      id_(context.id),
      executor_(context.executor),
      loop_(net::loop_for(context.executor, context.loops)) {}

bool UpstreamSource::start(std::string& error) {
  client_ = net::make_grpc_client(block_, loop_, error);
  return client_ != nullptr;
}

void UpstreamSource::stop() {
  alive_.reset();
  client_.reset();
  waiting_.clear();
  waiting_count_ = 0;
}

void UpstreamSource::find(const std::string& service, FoundDone done) {
  if (client_ == nullptr) return done({Found::Kind::failed, {}, {}, "shutting down"});
  const auto kept = kept_by_service_.find(service);
  if (kept != kept_by_service_.end() && executor_.now() < kept->second->until)
    return done({Found::Kind::fresh, kept->second->response, {}, {}});
  if (waiting_count_ >= waiting_max)
    return done({Found::Kind::failed, {}, net::GrpcCode::unavailable, "too many are asking"});
  ++waiting_count_;
  std::vector<FoundDone>& same = waiting_[service];
  same.push_back(std::move(done));
  if (same.size() == 1) ask(service);
}

void UpstreamSource::ask(const std::string& service) {
  net::ClientRequest request;
  request.path = method;
  request.headers = block_.headers;
  request.encoding = block_.encoding;
  request.timeout = timeout;
  request.body = parameters(service);
  if (request.encoding != net::Encoding::none)
    request.body = net::deflated(request.body, request.encoding, 0);
  client_->call(std::move(request), [this, service, alive = std::weak_ptr(alive_),
                                     &executor = executor_](net::ClientResponse response) {
    executor.post([this, service, alive, held = std::move(response)]() mutable {
      if (!alive.expired()) answered(service, std::move(held));
    });
  });
}

void UpstreamSource::answered(const std::string& service, net::ClientResponse response) {
  Found found;
  if (response.failed || response.grpc != net::GrpcCode::ok) {
    found = failure(service, response);
  } else if (!strategy_json(response.body)) {
    response.failed = true;
    response.message = "the answer is not valid";
    found = failure(service, response);
  } else {
    found.response = std::move(response.body);
    keep(service, found.response);
  }
  const auto asked = waiting_.extract(service);
  waiting_count_ -= asked.mapped().size();
  for (FoundDone& done : asked.mapped()) done(found);
}

Found UpstreamSource::failure(const std::string& service, const net::ClientResponse& response) {
  std::string reason = response.message;
  if (!response.failed)
    reason = std::string(net::code_name(response.grpc)) + (reason.empty() ? "" : ": ") + reason;
  log::limited(log::Level::warn, "the upstream of remote sampling fails",
               {{"extension", id_}, {"reason", reason}});
  if (const auto kept = kept_by_service_.find(service); kept != kept_by_service_.end()) {
    const auto rest = std::min<Executor::Duration>(lifetime_, rest_after_failure);
    kept->second->until = executor_.now() + rest;
    return {Found::Kind::stale, kept->second->response, {}, {}};
  }
  const net::GrpcCode code = response.failed ? net::GrpcCode::unavailable : response.grpc;
  return {Found::Kind::failed, {}, code, "the upstream fails: " + reason};
}

void UpstreamSource::keep(const std::string& service, const std::string& response) {
  if (lifetime_.count() == 0) return;
  if (const auto before = kept_by_service_.find(service); before != kept_by_service_.end())
    forget(before->second);
  kept_.push_front({service, response, executor_.now() + lifetime_});
  kept_by_service_.emplace(service, kept_.begin());
  bytes_kept_ += kept_.front().size();
  while (kept_.size() > services_kept_max || bytes_kept_ > bytes_kept_max)
    forget(std::prev(kept_.end()));
}

void UpstreamSource::forget(KeptList::iterator which) {
  bytes_kept_ -= which->size();
  kept_by_service_.erase(which->service);
  kept_.erase(which);
}

}  // namespace sluice::remote_sampling
