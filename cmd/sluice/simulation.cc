#include "cmd/sluice/simulation.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "pipeline/model/span_view.h"
#include "processors/tail_sampling/tail_sampling.h"

namespace sluice {
namespace {

/// Longer than any wait that a configuration asks for.
constexpr std::chrono::hours for_ever{24 * 365};

}  // namespace

struct SimulatedExecutor::Pending final : Timer::Pending {
  explicit Pending(std::shared_ptr<Task> of) : task(std::move(of)) {}
  ~Pending() override { *task = nullptr; }
  std::shared_ptr<Task> task;
};

Timer SimulatedExecutor::after(Duration delay, Task task) {
  auto box = std::make_shared<Task>(std::move(task));
  timers_.emplace(now_ + delay, box);
  return Timer(std::make_unique<Pending>(std::move(box)));
}

void SimulatedExecutor::run_posted() {
  while (!posted_.empty()) {
    Task task = std::move(posted_.front());
    posted_.pop_front();
    task();
  }
}

void SimulatedExecutor::advance_to(TimePoint time) {
  run_posted();
  while (!timers_.empty() && timers_.begin()->first <= time) {
    const auto first = timers_.extract(timers_.begin());
    now_ = std::max(now_, first.key());
    Task due = std::exchange(*first.mapped(), nullptr);
    if (due) due();
    run_posted();
  }
  now_ = std::max(now_, time);
}

/// Takes everything, and counts it.
class Simulation::Kept final : public Consumer {
 public:
  explicit Kept(SimulationResult& result) : result_(result) {}
  void consume(SpanBatch batch, Ack ack) override {
    result_.kept.spans += batch.span_count();
    result_.kept.bytes += batch.encoded_size();
    for (const SpanEntry& entry : batch.spans()) {
      std::array<unsigned char, 16> id{};
      std::memcpy(id.data(), batch.view(entry).trace_id().data(), id.size());
      if (result_.kept_ids.empty() || result_.kept_ids.back() != id) result_.kept_ids.push_back(id);
    }
    ack.accepted();
  }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    consume(std::move(batch), std::move(ack));
  }
  void cancel(const Load&) override {}

 private:
  SimulationResult& result_;
};

Simulation::Simulation(const config::Node& processor) : kept_(std::make_unique<Kept>(result_)) {
  const Decoded<ProcessorBuilder> decoded = tail_sampling_processor().decode(processor);
  for (const config::Node& each : processor.child("policies").list()) {
    std::string name;
    each.optional("name", name);
    policies_.push_back(std::move(name));
  }
  Siblings siblings(1);
  processor_ = decoded.build(ProcessorContext{
      {"tail_sampling", executor_, metrics_, ledger_}, counters_, *kept_, siblings});
  processor_->start();
}

Simulation::~Simulation() = default;

void Simulation::take(SpanBatch batch) {
  std::uint64_t latest = 0;
  for (const SpanEntry& entry : batch.spans())
    latest = std::max(latest, batch.view(entry).end_time_unix_nano());
  const Executor::TimePoint at{std::chrono::nanoseconds(
      static_cast<std::int64_t>(std::min<std::uint64_t>(latest, INT64_MAX / 2)))};
  if (result_.in.spans == 0) begin_ = at;
  executor_.advance_to(at);
  result_.in.spans += batch.span_count();
  result_.in.bytes += batch.encoded_size();
  processor_->consume(std::move(batch), Ack());
}

SimulationResult Simulation::finish() {
  result_.seconds = std::max(0.0, std::chrono::duration<double>(executor_.now() - begin_).count());
  executor_.advance_to(executor_.now() + for_ever);
  std::ranges::sort(result_.kept_ids);
  const auto twice = std::ranges::unique(result_.kept_ids);
  result_.kept_ids.erase(twice.begin(), twice.end());
  result_.kept.traces = result_.kept_ids.size();
  const auto count = [this](std::string_view name, const Labels& labels) {
    return static_cast<std::uint64_t>(
        metrics_.value("otelcol_processor_tail_sampling_" + std::string(name), labels));
  };
  result_.in.traces = count("new_trace_id_received", {});
  for (const std::string& name : policies_) {
    const Labels labels = {{"policy", name}, {"sampled", "true"}};
    result_.policies.push_back(
        {name,
         {count("count_traces_sampled", labels), count("count_spans_sampled", labels),
          count("count_bytes_sampled", labels)}});
  }
  return result_;
}

}  // namespace sluice
