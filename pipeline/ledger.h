#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/model/buffer.h"

namespace sluice {

class Ledger;

/// Bytes admitted by the ledger, given back when it goes.
class Charge {
 public:
  Charge() = default;
  Charge(Ledger& ledger, std::size_t bytes) : ledger_(&ledger), bytes_(bytes) {}
  Charge(Charge&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(ledger_, other.ledger_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Charge();

  std::size_t bytes() const { return bytes_; }
  /// Asks for (or gives back) the difference to `bytes`; false, and unchanged, when there is no
  /// room.
  [[nodiscard]] bool resize(std::size_t bytes);
  /// The charge goes over to a buffer, as what the buffer pins (its size class, which may be a
  /// little more or, for a short body, less): it is given back with the buffer's last handle.
  Buffer freeze(BufferWriter writer) &&;

 private:
  Ledger* ledger_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Every byte between socket and backend, whatever holds it: `service.limits.in_flight`. Doors ask
/// before they read a body; who is refused is told to come back. What components hold for long
/// counts beside it, towards the caps of memory limiters alone. Any thread; one atomic add a
/// request.
class Ledger final : public MemoryAccount {
 public:
  explicit Ledger(std::size_t limit) : limit_(limit) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  std::optional<Charge> try_charge(std::size_t bytes);
  /// For bytes that are there already (an edit's output): never refused, so it may pass the limit.
  Charge charge(std::size_t bytes);
  void hold(std::size_t bytes) noexcept override;
  void release(std::size_t bytes) noexcept override;

  /// The account of a component that holds for long (a sampler): what it holds is not in flight,
  /// and has a limit of its own. One a name; it lives as long as this ledger, since buffers that
  /// are charged to it may outlive the component.
  Ledger& of_holder(const std::string& name);

  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

  /// What is in flight and with holders may have `bytes` in all, says `who`; the least that anybody
  /// says counts. Below what is there already nothing is admitted.
  void cap(const std::string& who, std::size_t bytes);
  /// In flight and with holders.
  std::size_t total() const { return used() + held_.load(std::memory_order_relaxed); }
  bool above_cap() const { return total() > cap_.load(std::memory_order_relaxed); }
  /// How often there was no room, so far.
  std::uint64_t refusals() const { return refusals_.load(std::memory_order_relaxed); }

 private:
  friend class Charge;
  explicit Ledger(Ledger& whole) : limit_(SIZE_MAX), whole_(&whole) {}
  bool add(std::size_t bytes);
  std::size_t ceiling() const;

  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> limit_;
  std::atomic<std::size_t> cap_{SIZE_MAX};
  std::atomic<std::size_t> held_{0};  ///< by all holders
  std::atomic<std::uint64_t> refusals_{0};
  Ledger* const whole_ = nullptr;  ///< of a holder's
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Ledger>> holders_;
  std::map<std::string, std::size_t> caps_;
};

}  // namespace sluice
