#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "pipeline/component.h"

namespace sluice {

/// Hands over what a processor has accepted, one batch at a time, and keeps each until it is taken:
/// what is refused for now is handed over again, after the pause that downstream asks for or one
/// that grows. Counts what leaves. Lives on its processor's executor, like everything that calls
/// it.
class Handover {
 public:
  class Owner {
   public:
    /// The batch that was out is settled, and there is room for the next one. May be called within
    /// `send`; may destroy the Handover.
    virtual void settled(std::uint64_t spans, bool was_taken) = 0;

   protected:
    ~Owner() = default;
  };

  /// The references outlive it.
  Handover(const ProcessorContext& processor, Owner& owner);
  /// What is still out is given up, and counted as dropped.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// Its spans count as held already. Not while another one is out.
  void send(SpanBatch batch);
  /// Whether a batch is out: on its way, or waiting for its next attempt.
  bool is_busy() const { return spans_ > 0; }
  /// What newcomers are told while a batch waits for its next attempt.
  std::optional<Answer> refusal() const;

 private:
  class Flight;

  void attempt();
  void landed(const Answer& answer);
  void settle(Counter& counter, bool was_taken);
  void retry_after(const Answer& answer);

  const std::string& id_;
  Executor& executor_;
  SpanCounters& counters_;
  Consumer& next_;
  Owner& owner_;
  SpanBatch batch_;
  std::uint64_t spans_ = 0;   ///< of `batch_`
  Flight* flight_ = nullptr;  ///< while it waits for its answer
  Timer retry_;               ///< runs while it waits for its next attempt
  Executor::TimePoint retry_at_;
  std::string refusal_;  ///< what downstream said
  std::chrono::milliseconds backoff_;
};

}  // namespace sluice
