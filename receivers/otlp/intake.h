#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/net/server.h"
#include "receivers/otlp/answers.h"
#include "receivers/otlp/gate.h"

namespace sluice::otlp_door {

/// Why a request was refused as a whole; the label of a counter.
enum class Reason : std::uint8_t {
  malformed,
  busy,
  stopping,
  overload,
  rejected,
  too_large,
  bad_encoding,
  unknown_encoding,
  bad_framing,
  timeout,
  not_otlp,
  other_signal
};
inline constexpr std::size_t reason_count = 12;

/// From a request's body to the pipeline and back, for one transport: decodes, indexes, hands over,
/// counts, answers. Called on every worker. A request that was handed over keeps it alive until it
/// is answered, since the pipeline may answer later than the receiver lives.
class Intake : public std::enable_shared_from_this<Intake> {
 public:
  /// `transport` is a label: "grpc" or "http".
  Intake(const ReceiverContext& context, const std::string& transport, std::shared_ptr<Gate> gate);

  void take(net::Request request, Form form, net::Reply reply);
  /// For what never got as far as `take`.
  void count_refused(Reason reason) { refused_requests_[static_cast<std::size_t>(reason)]->add(1); }
  /// The most that one body may have: `configured`, but never more than half of what the ledger
  /// gives.
  std::size_t body_bytes_max(std::size_t configured) const;

 private:
  class Pending;
  bool decode_json(net::Request& request, net::Reply& reply);
  void refuse_spans(std::uint64_t count, Counter& why);
  net::Response answer(Form form, std::uint64_t spans, std::uint64_t spans_invalid_id,
                       Answer given);

  Ledger& ledger_;
  const std::vector<Consumer*> next_;
  const std::shared_ptr<Gate> gate_;
  Counter& in_;
  Counter& out_;
  Counter& overload_;
  Counter& invalid_;
  Counter& invalid_id_;
  Counter& accepted_spans_;
  Counter& refused_spans_;
  Counter& accepted_requests_;
  std::array<Counter*, reason_count> refused_requests_{};
};

}  // namespace sluice::otlp_door
