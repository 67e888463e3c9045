#include "processors/routing/routing.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/error.h"
#include "pipeline/joined_answers.h"
#include "processors/routing/options.h"
#include "processors/routing/sorter.h"

namespace sluice {
namespace {

using routing::Options;
using routing::Sorter;

/// A piece that is less than this share of what it would hold on to is copied out.
constexpr double share_min = 0.25;

class Routing final : public Processor {
 public:
  Routing(const ConnectorContext& context, std::shared_ptr<const Options> options)
      : counters_(context.counters),
        passage_(context.counters),
        sorter_(context, std::move(options)) {}

  void consume(SpanBatch batch, Ack ack) override {
    std::vector<Piece> pieces = cut(std::move(batch), ack);
    if (pieces.empty()) return;
    if (pieces.size() == 1) {
      return pieces[0].next->consume(std::move(pieces[0].spans), std::move(ack));
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      pieces[i].load = Load::of(pieces[i].spans);
      std::optional<Answer> refusal = pieces[i].next->reserve(pieces[i].load);
      if (!refusal) continue;
      while (i > 0) pieces[--i].cancel();
      return ack.resolve(std::move(*refusal));
    }
    commit_all(std::move(pieces), std::move(ack));
  }

  /// What the batch will be is not known, so that each slot must have room for all of it.
  std::optional<Answer> reserve(const Load& load) override {
    const std::vector<Sorter::Slot>& slots = sorter_.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      std::optional<Answer> refusal = slots[i].next->reserve(load);
      if (!refusal) continue;
      while (i > 0) slots[--i].next->cancel(load);
      return refusal;
    }
    return std::nullopt;
  }

  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    std::vector<Piece> pieces = cut(std::move(batch), ack);
    std::size_t used = 0;
    for (std::size_t i = 0; i < sorter_.slots().size(); ++i) {
      if (used < pieces.size() && pieces[used].slot == i) {
        pieces[used++].load = reserved;
      } else {
        sorter_.slots()[i].next->cancel(reserved);
      }
    }
    if (!pieces.empty()) commit_all(std::move(pieces), std::move(ack));
  }

  void cancel(const Load& reserved) override {
    for (const Sorter::Slot& slot : sorter_.slots()) slot.next->cancel(reserved);
  }

 private:
  /// What goes to one slot.
  struct Piece {
    std::size_t slot;
    Consumer* next;
    SpanBatch spans;
    Load load;  ///< that was reserved for it
    void cancel() const { next->cancel(load); }
  };

  /// Counts and sorts. `ack` is then to be answered for all pieces, or was answered if there are
  /// none.
  std::vector<Piece> cut(SpanBatch batch, Ack& ack) {
    const std::uint64_t count = batch.span_count();
    counters_.in.add(count);
    if (!sorter_.sort(batch)) {
      passage_.reject(count);
      ack.rejected(sorter_.refusal());
      return {};
    }
    std::vector<Piece> pieces;
    const std::vector<Sorter::Slot>& slots = sorter_.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].spans.empty()) continue;
      const bool all = slots[i].spans.size() == count;
      SpanBatch spans = all ? batch : batch.select(slots[i].spans).compacted(share_min);
      pieces.push_back({i, slots[i].next, std::move(spans), {}});
    }
    counters_.dropped.add(sorter_.dropped());
    if (pieces.empty()) {
      ack.accepted();
    } else {
      ack = passage_.follow(count - sorter_.dropped(), std::move(ack));
    }
    return pieces;
  }

  static void commit_all(std::vector<Piece> pieces, Ack ack) {
    JoinedAnswers& joined = JoinedAnswers::create(pieces.size(), std::move(ack));
    for (std::size_t i = 0; i < pieces.size(); ++i)
      pieces[i].next->commit(std::move(pieces[i].spans), pieces[i].load, joined.branch(i));
  }

  SpanCounters& counters_;
  const Passage passage_;
  Sorter sorter_;
};

/// Which pipelines a table may name is known once the graph is: those that have the connector among
/// their receivers.
void check_pipelines(const config::Node& node, const std::vector<config::Node>& references,
                     const ConnectorContext& context) {
  std::vector<std::string> known, named;
  for (const ConnectorContext::Exit& exit : context.exits) known.push_back(exit.pipeline);
  for (const config::Node& reference : references) {
    named.push_back(reference.as_string());
    if (std::ranges::find(known, named.back()) != known.end()) continue;
    reference.error("", "no pipeline " + config::in_quotes(named.back()) + " has " +
                            config::in_quotes(context.id) + " among its receivers" +
                            config::did_you_mean(named.back(), known));
  }
  for (const std::string& pipeline : known) {
    if (std::ranges::find(named, pipeline) != named.end()) continue;
    node.warning("", "no route leads to " + config::in_quotes(pipeline) +
                         ", which has it among its receivers");
  }
}

}  // namespace

ConnectorType routing_connector() {
  return {{"routing", [](const config::Node& node) -> Decoded<ConnectorBuilder> {
             std::vector<config::Node> references;
             const auto options =
                 std::make_shared<const Options>(Options::decode(node, references));
             return {[=](const ConnectorContext& context) {
                       check_pipelines(node, references, context);
                       return std::make_unique<Routing>(context, options);
                     },
                     options->reads_request()};
           }}};
}

}  // namespace sluice
