// What tail sampling costs without a network: requests in memory, through parse and
// `tail_sampling`, on one worker and on two. Build preset `release`, then
//   build/release/test/bench_sampler
// Each worker has its own requests of 512 spans, two of each trace; a trace comes in four requests,
// to workers in turn, so that with two workers half of all spans change threads.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/countdown.h"
#include "pipeline/net/event_loop.h"
#include "processors/tail_sampling/tail_sampling.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

constexpr std::size_t traces_a_request = 256, parts = 4;

/// Traces are held for 200 ms: after this time as much is let go as comes in.
constexpr std::chrono::milliseconds warm_up{600}, measured{3000};

constexpr std::string_view options = R"(
  {decision_wait: 200ms, num_traces: 10000000, policies: [
    {name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
    {name: slow, type: latency, latency: {threshold_ms: 1000}},
    {name: rest, type: probabilistic, probabilistic: {sampling_percentage: 5}}]})";

class Sink final : public Consumer {
 public:
  void consume(SpanBatch batch, Ack ack) override {
    spans.fetch_add(batch.span_count());
    ack.accepted();
  }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    consume(std::move(batch), std::move(ack));
  }
  void cancel(const Load&) override {}
  std::atomic<std::uint64_t> spans{0};
};

/// A request in which the trace ids are still to be written, and where.
struct Template {
  std::string bytes;
  std::vector<std::size_t> ids;
};

Template make_template() {
  const std::string id(16, '\xA5');
  std::vector<test::SpanSpec> spans = test::numbered_spans(2 * traces_a_request);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    spans[i].trace_id = id;
    spans[i].name = "GET /api/v1/products/{id}";
    spans[i].start = 1'700'000'000'000'000'000;
    spans[i].end = spans[i].start + 1'000'000;
    spans[i].attributes = {
        {"http.request.method", "GET"},     {"http.route", "/api/v1/products/{id}"},
        {"http.response.status_code", 200}, {"server.address", "shop-7f9c4.internal.example"},
        {"network.peer.port", 43512},       {"user.id", "user-" + std::to_string(i)},
        {"db.system", "postgresql"},        {"retry", false}};
  }
  Template out{test::make_request({{.service = "shop", .spans = std::move(spans)}}), {}};
  for (std::size_t at = out.bytes.find(id); at != std::string::npos;
       at = out.bytes.find(id, at + 1))
    out.ids.push_back(at);
  return out;
}

/// Feeds one worker: what a door does, from the bytes on.
class Feeder {
 public:
  Feeder(Executor& executor, Processor& processor, Ledger& ledger, const Template& from,
         std::size_t worker, std::size_t workers)
      : executor_(executor),
        processor_(processor),
        ledger_(ledger),
        from_(from),
        worker_(worker),
        workers_(workers) {}

  /// Until `stop`.
  void start(Task done) {
    done_ = std::move(done);
    executor_.post([this] { turn(); });
  }
  void stop() { is_stopped_ = true; }
  std::uint64_t requests() const { return fed_; }

 private:
  void turn() {
    if (is_stopped_) return done_();
    // Four requests after each other hold the same traces, each sent to the next worker.
    const std::size_t number = next_++;
    const std::uint64_t group = (number / parts) * workers_ + (worker_ + number % parts) % workers_;
    BufferWriter body(from_.bytes.size());
    body.append(from_.bytes);
    for (std::size_t span = 0; span < from_.ids.size(); ++span) {
      const std::uint64_t trace = group * traces_a_request + span / 2 + 1;
      const std::uint64_t id[2] = {trace * 0x9e3779b97f4a7c15, trace};
      std::memcpy(body.data() + from_.ids[span], id, sizeof id);
    }
    ParseReport report;
    auto batch =
        SpanBatch::parse(ledger_.charge(from_.bytes.size()).freeze(std::move(body)), report);
    processor_.consume(std::move(*batch), Ack());
    fed_.store(next_, std::memory_order_relaxed);
    executor_.post([this] { turn(); });
  }

  Executor& executor_;
  Processor& processor_;
  Ledger& ledger_;
  const Template& from_;
  std::size_t worker_, workers_;
  std::size_t next_ = 0;
  std::atomic<std::uint64_t> fed_{0};
  std::atomic<bool> is_stopped_{false};
  Task done_;
};

double spans_per_second(std::size_t workers, const Template& request) {
  net::EventLoops loops(workers);
  Metrics metrics;
  Ledger ledger{SIZE_MAX};
  SpanCounters counters{metrics, "processor", "bench"};
  config::Problems problems;
  const auto decoded =
      tail_sampling_processor().decode(config::parse_text(options, "bench.yaml", problems));
  Sink sink;
  Siblings siblings(workers);
  std::vector<std::unique_ptr<Processor>> processors;
  std::vector<std::unique_ptr<Feeder>> feeders;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    processors.push_back(decoded.build(ProcessorContext{
        {"bench", loops[worker], metrics, ledger}, counters, sink, siblings, worker}));
    feeders.push_back(std::make_unique<Feeder>(loops[worker], *processors[worker], ledger, request,
                                               worker, workers));
  }
  loops.start();
  Countdown fed;
  for (auto& each : feeders) each->start(fed.ticket());
  const auto requests = [&] {
    std::uint64_t sum = 0;
    for (const auto& each : feeders) sum += each->requests();
    return sum;
  };
  std::this_thread::sleep_for(warm_up);
  const std::uint64_t before = requests();
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(measured);
  const auto spans = static_cast<double>((requests() - before) * 2 * traces_a_request);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto all_spans = static_cast<double>(requests() * 2 * traces_a_request);
  for (auto& each : feeders) each->stop();
  fed.wait();
  Countdown stopped;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    loops[worker].post([&processor = *processors[worker], done = stopped.ticket()]() mutable {
      processor.stop(std::move(done));
    });
  }
  stopped.wait();
  loops.stop();
  std::printf("%zu worker%s %.0f spans/s, %.0f ns a span and worker, %.1f %% kept\n", workers,
              workers == 1 ? ": " : "s:", spans / took.count(),
              1e9 * took.count() * static_cast<double>(workers) / spans,
              100 * static_cast<double>(sink.spans.load()) / all_spans);
  return spans / took.count();
}

}  // namespace
}  // namespace sluice

int main() {
  const sluice::Template request = sluice::make_template();
  const double one = sluice::spans_per_second(1, request);
  const double two = sluice::spans_per_second(2, request);
  std::printf("two workers do %.2f times what one does\n", two / one);
}
