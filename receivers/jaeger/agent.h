#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"

namespace sluice::jaeger_door {

/// What becomes of one datagram before the pipeline; all but `taken` are reasons of a counter.
enum class Outcome : std::uint8_t {
  taken,
  empty,           ///< of no bytes
  too_large,       ///< longer than max_packet_size
  malformed,       ///< not Thrift in this protocol, or no batch in it
  wrong_type,      ///< a message, but no call
  unknown_method,  ///< a call, but not of the agent's methods
  invalid_id,      ///< strict: a span without valid ids
};
inline constexpr std::size_t outcome_count = 7;

/// Reads the message of one datagram, a call of the agent's `emitBatch` or `emitZipkinBatch`, and
/// appends its spans to `out`, or nothing.
template <typename Reader>
Outcome read_datagram(std::string_view bytes, SpanWriter& out, jaeger::Report& report);
extern template Outcome read_datagram<thrift::BinaryReader>(std::string_view, SpanWriter&,
                                                            jaeger::Report&);
extern template Outcome read_datagram<thrift::CompactReader>(std::string_view, SpanWriter&,
                                                             jaeger::Report&);

/// The agent's door. The datagrams of a round go into the pipeline as one batch. Nobody waits for
/// an answer: what the pipeline refuses is dropped and counted, like all else that is not taken.
/// Every datagram that was read is counted as received, and then as dropped unless it was taken.
class Agent : public net::DatagramService {
 public:
  void receive(std::span<const net::Datagram> datagrams, std::size_t worker) final;
  void dropped_by_kernel(std::uint64_t count) final;

 protected:
  Agent(const ReceiverContext& context, const std::string& transport,
        std::shared_ptr<Intake> intake, bool strict);
  virtual Outcome read(std::string_view bytes, SpanWriter& out, jaeger::Report& report) const = 0;

 private:
  struct Respond;
  Outcome translate(const net::Datagram& datagram, SpanWriter& out) const;
  void count(Outcome outcome) const { outcomes_[static_cast<std::size_t>(outcome)]->add(1); }

  const std::string id_;
  const std::shared_ptr<Intake> intake_;
  const bool strict_;
  Counter& received_;
  Counter& kernel_;
  Counter& busy_;
  Counter& overload_;
  Counter& rejected_;
  std::array<Counter*, outcome_count> outcomes_{};
};

template <typename Reader>
class ThriftAgent final : public Agent {
 public:
  ThriftAgent(const ReceiverContext& context, const std::string& transport,
              std::shared_ptr<Intake> intake, bool strict)
      : Agent(context, transport, std::move(intake), strict) {}

 private:
  Outcome read(std::string_view bytes, SpanWriter& out, jaeger::Report& report) const override {
    return read_datagram<Reader>(bytes, out, report);
  }
};

}  // namespace sluice::jaeger_door
