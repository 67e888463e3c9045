#include "processors/forward/forward.h"

#include <memory>
#include <optional>
#include <utility>

namespace sluice {
namespace {

class Forward final : public Processor {
 public:
  explicit Forward(const ConnectorContext& context)
      : next_(context.next), counters_(context.counters), passage_(context.counters) {}

  void consume(SpanBatch batch, Ack ack) override {
    Ack followed = count(batch, std::move(ack));
    next_.consume(std::move(batch), std::move(followed));
  }
  std::optional<Answer> reserve(const Load& load) override { return next_.reserve(load); }
  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    Ack followed = count(batch, std::move(ack));
    next_.commit(std::move(batch), reserved, std::move(followed));
  }
  void cancel(const Load& reserved) override { next_.cancel(reserved); }

 private:
  Ack count(const SpanBatch& batch, Ack ack) {
    counters_.in.add(batch.span_count());
    return passage_.follow(batch.span_count(), std::move(ack));
  }

  Consumer& next_;
  SpanCounters& counters_;
  const Passage passage_;
};

}  // namespace

ConnectorType forward_connector() {
  return {{"forward", [](const config::Node& node) -> Decoded<ConnectorBuilder> {
             node.no_other_keys();
             return
                 [](const ConnectorContext& context) { return std::make_unique<Forward>(context); };
           }}};
}

}  // namespace sluice
