#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/model/request_context.h"
#include "pipeline/model/span_view.h"
#include "pipeline/ottl/draft.h"
#include "pipeline/ottl/pieces.h"
#include "pipeline/ottl/value.h"

namespace sluice::ottl {

/// Where a worker evaluates compiled statements: the span at hand with its resource and scope, as
/// drafts that statements may edit, and memory that is used again for the next one. One a worker;
/// not for several threads.
class Evaluation {
 public:
  Evaluation() = default;
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  /// From the outside in. `extra`: the fields beside it in its ResourceSpans or ScopeSpans. The
  /// bytes stay until the next one begins.
  void begin_resource(std::string_view content, std::string_view extra);
  void begin_scope(std::string_view content, std::string_view extra);
  void begin_span(std::string_view message);
  /// The same span after edits, which are in `message`: it counts as changed.
  void continue_span(std::string_view message);
  void begin_event(std::string_view message, std::int64_t index);
  /// Forgets what statements put in `cache`.
  void clear_cache();
  /// Forgets what expressions made on the way; what drafts hold is theirs.
  void release() { arena.release(); }

  /// Of the span as it came; see Draft::holder_of for what was set since.
  const SpanView& span_view() {
    if (!span_view_) span_view_.emplace(span.message());
    return *span_view_;
  }

  /// Ends an evaluation: `return in.fail("…")`.
  Value fail(std::string_view why) {
    error.assign(why);
    return Value::failure();
  }
  Value fail(std::string_view before, std::string_view middle, std::string_view after = {}) {
    error.assign(before);
    error.append(middle).append(after);
    return Value::failure();
  }
  /// `expected an integer, found a string`.
  Value mismatch(std::string_view expected, Type found) {
    return fail(expected_text(expected), name_of(found));
  }

  Draft resource, resource_extra, scope, scope_extra, span, event;
  Draft cache;  ///< of no message
  std::int64_t event_index = 0;
  const RequestContext* request = nullptr;

  Arena arena;       ///< of values that expressions make
  std::string text;  ///< scratch
  Pieces pieces;     ///< likewise
  std::string error;
  std::vector<Value> locals;  ///< parameters of the lambdas that are running

 private:
  std::string_view expected_text(std::string_view expected) {
    text.assign("expected ").append(expected).append(", found ");
    return text;
  }
  std::optional<SpanView> span_view_;
};

}  // namespace sluice::ottl
