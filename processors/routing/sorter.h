#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/ottl/failures.h"
#include "processors/routing/options.h"

namespace sluice::routing {

/// Deals the spans of a batch to slots. A slot is what one pipeline gets, each span at most once:
/// one for all routes that move and for the default, and one for each route that copies, so that
/// a span that goes to a pipeline twice is in two slots. One a worker.
class Sorter {
 public:
  struct Slot {
    Consumer* next;
    std::vector<std::uint32_t> spans;  ///< indexes into the batch that was sorted, ascending
  };

  Sorter(const ConnectorContext& context, std::shared_ptr<const Options> options);

  /// Fills the slots. False where a condition failed and the batch is to be refused for it, which
  /// `refusal` explains.
  bool sort(const SpanBatch& batch);
  const std::vector<Slot>& slots() const { return slots_; }
  std::uint64_t dropped() const { return dropped_; }  ///< spans that are in no slot
  const std::string& refusal() const { return failures_.refusal(); }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Step {
    const Route* route;
    std::size_t failure;  ///< its number
    std::vector<std::size_t> slots;
    std::optional<ottl::Truth> answer;  ///< about the resource at hand, once it was asked
  };

  std::vector<std::size_t> slots_of(const ConnectorContext& context,
                                    const std::vector<std::string>& pipelines, bool copy);
  bool begin_resource(const SpanEntry& span);
  bool sort_span(std::uint32_t index, const SpanEntry& span);
  /// Asks the routes from `first` on; false as `sort`.
  bool walk(std::size_t first, bool spans_too, std::vector<std::size_t>& slots);
  /// `failed` where the batch is to be refused for it.
  ottl::Truth ask(Step& step);
  void begin_span(const SpanEntry& span);
  void give(std::uint32_t index, const std::vector<std::size_t>& slots);

  const std::shared_ptr<const Options> options_;
  ottl::Failures failures_;
  ottl::Evaluation in_;
  std::vector<Slot> slots_;
  std::vector<std::optional<std::size_t>> moving_;  ///< by exit, its slot for routes that move
  std::vector<Step> steps_;
  std::vector<std::size_t> otherwise_;  ///< the slots of the default

  const SpanBatch* batch_ = nullptr;
  std::uint64_t dropped_ = 0;
  std::uint32_t resource_ = none, scope_ = none;
  /// Of all spans of the resource at hand: the slots that routes before the first one about spans
  /// give them, and where to go on for each of them; nowhere if that is all.
  std::vector<std::size_t> common_;
  std::optional<std::size_t> go_on_;
  std::vector<std::size_t> own_;  ///< of the span at hand
};

}  // namespace sluice::routing
