#include "exporters/loadbalancing/loadbalancing.h"

#include <charconv>
#include <string>
#include <utility>

#include "exporters/loadbalancing/balancer.h"
#include "exporters/loadbalancing/member_sender.h"

namespace sluice {
namespace {

using loadbalancing::Balancer;
using loadbalancing::BalancerOptions;
using loadbalancing::RoutingKey;
using std::chrono::nanoseconds;

struct LoadBalancingOptions {
  ExportOptions exporting;  ///< ahead of all members
  BalancerOptions balancer;
  net::GrpcClientBlock remote;

  bool has_front() const { return exporting.queue.enabled || exporting.retry.enabled; }
};

RoutingKey decode_routing_key(const config::Node& node) {
  RoutingKey key;
  std::string name = "traceID";
  node.optional("routing_key", name);
  node.optional("routing_attributes", key.attributes);
  if (name == "service" || name == "attributes") key.kind = RoutingKey::Kind::attributes;
  if (name == "resource" || name == "metric" || name == "streamID") {
    node.error("routing_key", "\"" + name +
                                  "\" is not for traces; expected \"traceID\", \"service\" or "
                                  "\"attributes\"");
  } else if (name != "traceID" && !name.empty() && key.kind != RoutingKey::Kind::attributes) {
    node.unexpected("routing_key", "one of \"traceID\", \"service\", \"attributes\"");
  }
  if (name == "attributes") {
    node.expect(!key.attributes.empty(), "routing_attributes",
                "at least one is needed with routing_key: attributes");
  } else {
    node.expect(key.attributes.empty(), "routing_attributes", "only with routing_key: attributes");
  }
  if (name == "service") key.attributes = {"service.name"};
  return key;
}

loadbalancing::StaticMembers decode_static(const config::Node& node) {
  loadbalancing::StaticMembers members;
  node.required("hostnames", members.hostnames);
  node.expect(!node.has("hostnames") || !members.hostnames.empty(), "hostnames",
              "at least one is needed");
  node.expect(members.hostnames.size() <= Balancer::members_max, "hostnames",
              "must not be more than " + std::to_string(Balancer::members_max));
  for (const std::string& each : members.hostnames) {
    node.expect(net::parse_grpc_target(loadbalancing::with_port(each)).has_value(), "hostnames",
                "\"" + each + "\" is no address such as \"sampler-1\" or \"sampler-1:4317\"");
  }
  node.no_other_keys();
  return members;
}

/// As in the collector, 0 stands for the default.
void decode_time(const config::Node& node, std::string_view key, nanoseconds& time) {
  const nanoseconds by_default = time;
  node.optional(key, time);
  node.expect(time >= nanoseconds::zero(), key, "must not be negative");
  if (time == nanoseconds::zero()) time = by_default;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && at == end && port > 0;
}

loadbalancing::DnsMembers decode_dns(const config::Node& node) {
  loadbalancing::DnsMembers members;
  node.required("hostname", members.hostname);
  node.expect(!node.has("hostname") || !members.hostname.empty(), "hostname", "must not be empty");
  node.optional("port", members.port);
  node.expect(members.port.empty() || is_port(members.port), "port", "must be 1 to 65535");
  decode_time(node, "interval", members.interval);
  decode_time(node, "timeout", members.timeout);
  node.no_other_keys();
  return members;
}

loadbalancing::FileMembers decode_file(const config::Node& node) {
  loadbalancing::FileMembers members;
  node.required("path", members.path);
  decode_time(node, "interval", members.interval);
  node.no_other_keys();
  return members;
}

loadbalancing::SourceOptions decode_resolver(const config::Node& node) {
  loadbalancing::SourceOptions options;
  const config::Node fixed = node.child("static");
  const config::Node dns = node.child("dns");
  const config::Node file = node.child("file");
  if (fixed.present()) options = decode_static(fixed);
  if (dns.present()) options = decode_dns(dns);
  if (file.present()) options = decode_file(file);
  const int given = fixed.present() + dns.present() + file.present();
  const bool has_other = node.has("k8s") || node.has("aws_cloud_map");
  if (node.has("k8s")) {
    node.error("k8s",
               "Kubernetes is not asked for its endpoints; use dns with the name of a "
               "headless service");
  }
  if (node.has("aws_cloud_map")) {
    node.error("aws_cloud_map",
               "AWS Cloud Map is not supported; use dns, or file with a list that "
               "is kept up to date");
  }
  if (given == 0 && !has_other) node.error("", "expected static, dns or file, found none of them");
  node.expect(given <= 1, "", "expected one of static, dns and file, found several");
  node.no_other_keys();
  return options;
}

/// The member's own; where the sender waits for its result, the time that all attempts may take
/// bounds each of them and their sum.
ExportOptions decode_member(const config::Node& node, nanoseconds time_max) {
  ExportOptions member;
  decode_export(node, member);
  if (time_max > nanoseconds::zero() && member.queue.waits_for_result()) {
    const auto bound = [&](nanoseconds& time) {
      if (time == nanoseconds::zero() || time > time_max) time = time_max;
    };
    bound(member.timeout);
    bound(member.retry.max_elapsed_time);
  }
  return member;
}

LoadBalancingOptions decode_options(const config::Node& node) {
  LoadBalancingOptions options;
  options.exporting.timeout = nanoseconds::zero();
  options.exporting.retry.enabled = false;
  options.exporting.queue.enabled = node.has("sending_queue");
  decode_export(node, options.exporting);
  options.balancer.key = decode_routing_key(node);
  options.balancer.source = decode_resolver(node.child("resolver"));

  const config::Node protocol = node.child("protocol");
  const config::Node otlp = protocol.child("otlp");
  options.remote = net::decode_grpc_client_without_endpoint(otlp, net::Encoding::gzip);
  otlp.accepted_without_effect({"endpoint"});
  options.balancer.exporting = decode_member(otlp, options.exporting.timeout);
  otlp.no_other_keys();
  protocol.no_other_keys();
  node.no_other_keys();
  return options;
}

/// The balancer, and ahead of it a queue and retries where the options have them. These count as
/// the exporter; the members then count under a name of their own, since what has left the one is
/// in the others.
class LoadBalancing final : public Exporter {
 public:
  LoadBalancing(const LoadBalancingOptions& options, const ExporterContext& context)
      : options_(options), executor_(context.executor) {
    const auto make_sender = [remote = options.remote](const std::string& endpoint,
                                                       const ExporterContext& given) {
      return loadbalancing::make_member_sender(remote, endpoint, given);
    };
    if (!options.has_front()) {
      balancer_ = std::make_shared<Balancer>(context, options.balancer, make_sender);
      return;
    }
    const std::string members = context.id + ":members";
    member_counters_ = std::make_unique<SpanCounters>(context.metrics, "exporter", members);
    const ExporterContext inner{{members, context.executor, context.metrics, context.ledger},
                                *member_counters_,
                                context.loops};
    balancer_ = std::make_shared<Balancer>(inner, options.balancer, make_sender);
    front_ =
        make_exporter(context, options.exporting, loadbalancing::make_offering_sender(balancer_));
  }

  ~LoadBalancing() override {
    front_.reset();
    // Its timers belong to the executor.
    if (!executor_.is_current()) executor_.post([balancer = std::move(balancer_)] {});
  }

  void consume(SpanBatch batch, Ack ack) override {
    entry().consume(std::move(batch), std::move(ack));
  }
  std::optional<Answer> reserve(const Load& load) override { return entry().reserve(load); }
  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    entry().commit(std::move(batch), reserved, std::move(ack));
  }
  void cancel(const Load& reserved) override { entry().cancel(reserved); }

  bool start(std::string& error) override {
    // Said now rather than when the first member is known.
    if (!is_plain(options_.remote) && !net::TlsClient::create(options_.remote.tls, error))
      return false;
    balancer_->start();
    return true;
  }

  void stop(Task done) override {
    if (front_ == nullptr) return balancer_->stop(std::move(done));
    front_->stop([balancer = balancer_, done = std::move(done)]() mutable {
      balancer->stop(std::move(done));
    });
  }

  std::uint64_t held() const override {
    return balancer_->held() + (front_ != nullptr ? front_->held() : 0);
  }

 private:
  Consumer& entry() { return front_ != nullptr ? static_cast<Consumer&>(*front_) : *balancer_; }

  const LoadBalancingOptions options_;
  Executor& executor_;
  std::unique_ptr<SpanCounters> member_counters_;
  std::shared_ptr<Balancer> balancer_;
  std::unique_ptr<QueuedExporter> front_;
};

ExporterBuilder decode(const config::Node& node) {
  return [options = decode_options(node)](const ExporterContext& context) {
    return std::make_unique<LoadBalancing>(options, context);
  };
}

}  // namespace

ExporterType loadbalancing_exporter() {
  return {{.name = "loadbalancing", .decode = decode, .aliases = {"load_balancing"}}};
}

}  // namespace sluice
