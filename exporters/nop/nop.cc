#include "exporters/nop/nop.h"

#include <utility>

namespace sluice {
namespace {

class Nop final : public Exporter {
 public:
  explicit Nop(SpanCounters& counters) : counters_(counters) {}

  void consume(SpanBatch batch, Ack ack) override {
    counters_.in.add(batch.span_count());
    counters_.out.add(batch.span_count());
    ack.accepted();
  }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    consume(std::move(batch), std::move(ack));
  }
  void cancel(const Load&) override {}

  bool start(std::string&) override { return true; }
  void stop(Task done) override { done(); }
  std::uint64_t held() const override { return 0; }

 private:
  SpanCounters& counters_;
};

ExporterBuilder decode(const config::Node& node) {
  node.no_other_keys();
  return [](const ExporterContext& context) { return std::make_unique<Nop>(context.counters); };
}

}  // namespace

ExporterType nop_exporter() { return {{"nop", decode}}; }

}  // namespace sluice
