#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"
#include "receivers/jaeger/datagram.h"

namespace sluice::jaeger_door {

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
  virtual Outcome read(std::string_view bytes, std::uint64_t now, SpanWriter& out,
                       jaeger::Report& report) const = 0;

 private:
  struct Respond;
  Outcome translate(const net::Datagram& datagram, std::uint64_t now, SpanWriter& out) const;
  void count(Outcome outcome) const { outcomes_[static_cast<std::size_t>(outcome)]->add(1); }

  const std::string id_;
  const Executor& clock_;
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
  Outcome read(std::string_view bytes, std::uint64_t now, SpanWriter& out,
               jaeger::Report& report) const override {
    return read_datagram<Reader>(bytes, now, out, report);
  }
};

}  // namespace sluice::jaeger_door
