// The two ends of a benchmark: `load generate` sends OTLP at a pace and counts the answers, `load
// sink` takes OTLP over gRPC and counts spans. Each prints one line of JSON. test/bench/run.py puts
// a collector between them.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"
#include "pipeline/net/client.h"
#include "pipeline/net/server.h"
#include "test/bench/payload.h"

namespace sluice::bench {
namespace {

constexpr std::string_view export_path =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 2; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }
  std::string text(const std::string& name, const std::string& fallback) const {
    const auto found = values_.find("--" + name);
    return found == values_.end() ? fallback : found->second;
  }
  std::uint64_t number(const std::string& name, std::uint64_t fallback) const {
    return std::strtoull(text(name, std::to_string(fallback)).c_str(), nullptr, 10);
  }

 private:
  std::map<std::string, std::string> values_;
};

std::uint64_t count_spans(std::string_view request) {
  std::uint64_t count = 0;
  const auto each = [](std::string_view message, std::uint32_t number, auto&& found) {
    wire::Cursor cursor(message);
    for (wire::Field field; cursor.next(field);) {
      if (field.number == number && field.type == wire::Type::length) found(field.content);
    }
  };
  each(request, otlp::request::resource_spans, [&](std::string_view resource) {
    each(resource, otlp::resource_spans::scope_spans, [&](std::string_view scope) {
      each(scope, otlp::scope_spans::spans, [&](std::string_view) { ++count; });
    });
  });
  return count;
}

class Sink final : public net::Service {
 public:
  net::Admission admit(const net::RequestHead&) override { return {256 << 20, std::nullopt}; }
  void serve(net::Request request, net::Reply reply) override {
    spans += count_spans(request.body.bytes());
    ++requests;
    net::Response response;
    if (!request.is_grpc) response.content_type = "application/x-protobuf";
    reply.send(std::move(response));
  }
  net::Response transport_error(net::TransportError, const net::RequestHead&,
                                std::string_view detail) override {
    net::Response response;
    response.status = 500;
    response.grpc = net::GrpcCode::internal;
    response.message = detail;
    return response;
  }
  std::atomic<std::uint64_t> spans{0}, requests{0};
};

int run_sink(const Options& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  net::EventLoops loops(1);
  Ledger ledger(std::size_t{2} << 30);
  Metrics metrics;
  net::Listeners listeners(loops, ledger, metrics);
  Sink sink;
  std::string error;
  const auto endpoint = net::Endpoint::parse(options.text("listen", "127.0.0.1:5317"));
  for (const std::string_view path : {export_path, std::string_view("/v1/traces")}) {
    if (!endpoint || !listeners.route("sink", *endpoint, {}, std::string(path), {}, sink, error)) {
      std::fprintf(stderr, "%s\n", error.c_str());
      return 1;
    }
  }
  loops.start();
  if (!listeners.open(error)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    std::printf("{\"spans\": %llu, \"requests\": %llu}\n",
                static_cast<unsigned long long>(sink.spans.load()),
                static_cast<unsigned long long>(sink.requests.load()));
    std::fflush(stdout);
    if (signal != SIGUSR1) break;  // SIGUSR1 asks for the figures, the others end it as well
  }
  loops.stop();
  return 0;
}

/// Sends `total` spans in requests of `batch`, over `connections`, at `rate` spans a second (0: as
/// fast as they are answered, `in_flight` requests a connection).
class Generator {
 public:
  Generator(const Options& options, net::EventLoop& loop)
      : loop_(loop),
        grpc_(options.text("protocol", "grpc") == "grpc"),
        gzip_(options.text("compression", "none") == "gzip"),
        total_(options.number("total", 1'000'000)),
        rate_(static_cast<double>(options.number("rate", 0))),
        payload_(make_payload(static_cast<std::uint32_t>(options.number("batch", 512)), random_)) {
    const auto target = net::Endpoint::parse(options.text("to", "127.0.0.1:4317"));
    const std::uint64_t connections = options.number("connections", 4);
    for (std::uint64_t i = 0; i < connections; ++i) {
      if (grpc_) {
        net::GrpcClientOptions client;
        client.target = *net::parse_grpc_target(target->to_string());
        grpc_clients_.push_back(std::make_unique<net::GrpcClient>(loop, client, nullptr));
      } else {
        net::HttpClientOptions client;
        client.host = target->host;
        client.port = target->port;
        http_clients_.push_back(std::make_unique<net::HttpClient>(loop, client, nullptr));
      }
    }
    slots_ = connections * options.number("in-flight", 4);
  }

  void start(Task done) {
    done_ = std::move(done);
    begin_ = loop_.now();
    for (std::uint64_t slot = 0; slot < slots_; ++slot) next(slot);
  }

  void report() const {
    const double seconds = std::chrono::duration<double>(loop_.now() - begin_).count();
    std::printf(
        "{\"sent\": %llu, \"ok\": %llu, \"failed\": %llu, \"spans_per_s\": %.0f, "
        "\"bytes_per_span\": %.1f}\n",
        static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(ok_),
        static_cast<unsigned long long>(sent_ - ok_), static_cast<double>(ok_) / seconds,
        static_cast<double>(payload_.bytes.size()) / payload_.spans);
  }

 private:
  void next(std::uint64_t slot) {
    if (sent_ >= total_) {
      if (++idle_ == slots_) done_();
      return;
    }
    if (rate_ > 0) {
      const auto due =
          begin_ + std::chrono::duration_cast<Executor::Duration>(
                       std::chrono::duration<double>(static_cast<double>(sent_) / rate_));
      if (due > loop_.now()) {
        sent_ += payload_.spans;  // taken: another slot must wait for the one behind
        timers_.resize(slots_);
        timers_[slot] = loop_.after(due - loop_.now(), [this, slot] { send(slot); });
        return;
      }
    }
    sent_ += payload_.spans;
    send(slot);
  }

  void send(std::uint64_t slot) {
    payload_.renew(random_);
    net::ClientRequest request;
    Buffer body = Buffer::copy_of(payload_.bytes);
    request.body.slices.push_back({body.data(), body.size()});
    request.body.size = body.size();
    request.body.buffers.push_back(std::move(body));
    if (gzip_) {
      Buffer packed = net::deflate(net::Encoding::gzip, request.body);
      request.body = {};
      request.body.slices.push_back({packed.data(), packed.size()});
      request.body.size = packed.size();
      request.body.buffers.push_back(std::move(packed));
      request.encoding = net::Encoding::gzip;
    }
    request.timeout = std::chrono::seconds(60);
    auto answered = [this, slot](net::ClientResponse response) {
      loop_.post([this, slot,
                  good = !response.failed &&
                         (grpc_ ? response.grpc == net::GrpcCode::ok : response.status == 200)] {
        if (good) ok_ += payload_.spans;
        next(slot);
      });
    };
    if (grpc_) {
      request.path = export_path;
      grpc_clients_[slot % grpc_clients_.size()]->call(std::move(request), std::move(answered));
    } else {
      request.path = "/v1/traces";
      request.headers.emplace_back("content-type", "application/x-protobuf");
      if (gzip_) request.headers.emplace_back("content-encoding", "gzip");
      http_clients_[slot % http_clients_.size()]->post(std::move(request), std::move(answered));
    }
  }

  net::EventLoop& loop_;
  std::mt19937_64 random_{1};
  bool grpc_, gzip_;
  std::uint64_t total_, slots_ = 0, sent_ = 0, ok_ = 0, idle_ = 0;
  double rate_;
  Payload payload_;
  Executor::TimePoint begin_;
  std::vector<Timer> timers_;
  std::vector<std::unique_ptr<net::GrpcClient>> grpc_clients_;
  std::vector<std::unique_ptr<net::HttpClient>> http_clients_;
  Task done_;
};

int run_generator(const Options& options) {
  net::EventLoops loops(1);
  Generator generator(options, loops[0]);
  loops.start();
  std::atomic<bool> done{false};
  loops[0].post([&] {
    generator.start([&] {
      generator.report();
      done = true;
      done.notify_one();
    });
  });
  done.wait(false);
  loops.stop();
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const sluice::bench::Options options(argc, argv);
  if (command == "generate") return sluice::bench::run_generator(options);
  if (command == "sink") return sluice::bench::run_sink(options);
  std::fprintf(
      stderr,
      "usage: load generate [--to 127.0.0.1:4317] [--protocol grpc|http] [--compression none|gzip] "
      "[--batch 512]\n"
      "                     [--total 1000000] [--rate 0] [--connections 4] [--in-flight 4]\n"
      "       load sink [--listen 127.0.0.1:5317]\n");
  return 2;
}
