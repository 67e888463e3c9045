#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/node.h"
#include "pipeline/executor.h"
#include "pipeline/ledger.h"
#include "pipeline/metrics.h"
#include "pipeline/model/span_batch.h"

/// READ FIRST. What a component is and how spans, and the right to answer for them, go from one to
/// the next. Life cycle: `decode` turns YAML into a closure → the graph calls the closure (no I/O)
/// → `start` (exporters, processors, receivers: sinks first) → batches flow → `stop` (receivers
/// first). A component instance is only ever called from its own executor, so its state needs no
/// lock.
namespace sluice {

enum class Verdict : std::uint8_t {
  accepted,     ///< held in byte-bounded memory (or on disk) by something that will not drop it
  retry_later,  ///< nothing was kept; send again
  rejected,     ///< bad data; do not send again
};

struct Answer {
  Verdict verdict = Verdict::accepted;
  std::chrono::milliseconds delay{0};  ///< retry_later: come back after this; 0: the door decides
  std::string message;                 ///< for the one who sent it
};

/// Who waits for an answer, usually a receiver's request. Called once, from whichever thread
/// answers.
class AckTarget {
 public:
  virtual void answered(Answer answer) noexcept = 0;

 protected:
  ~AckTarget() = default;
};

/// The right to answer for a batch, exactly once. Destroyed unresolved it answers retry_later. An
/// empty Ack stands for a sender that does not listen.
class Ack {
 public:
  Ack() = default;
  explicit Ack(AckTarget& target) : target_(&target) {}
  Ack(Ack&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  Ack& operator=(Ack&& other) noexcept;
  ~Ack();

  void accepted() { resolve({}); }
  void retry_later(std::string message, std::chrono::milliseconds delay = {}) {
    resolve({Verdict::retry_later, delay, std::move(message)});
  }
  void rejected(std::string message) { resolve({Verdict::rejected, {}, std::move(message)}); }
  void resolve(Answer answer);

 private:
  AckTarget* target_ = nullptr;
};

/// What a promise of room is about.
struct Load {
  std::uint64_t spans = 0;
  std::uint64_t bytes = 0;  ///< SpanBatch::wire_size
  static Load of(const SpanBatch& batch) { return {batch.span_count(), batch.wire_size()}; }
};

/// Takes batches. `consume` may refuse through the Ack. `reserve` and `commit` are for those who
/// hand one batch to several consumers: reserve with all, then commit to all, or cancel and refuse
/// having kept nothing; so a resend never duplicates to those that had room. What was reserved must
/// be either committed (with the same load, whatever became of the batch on the way) or cancelled.
class Consumer {
 public:
  virtual ~Consumer() = default;
  virtual void consume(SpanBatch batch, Ack ack) = 0;
  /// Empty: room is promised. Otherwise the refusal to pass on.
  virtual std::optional<Answer> reserve(const Load& load) = 0;
  /// Never refused for want of room.
  virtual void commit(SpanBatch batch, const Load& reserved, Ack ack) = 0;
  virtual void cancel(const Load& reserved) = 0;
};

class Processor : public Consumer {
 public:
  virtual void start() {}
  /// Hands on what is held, then calls `done`; keeps trying while refused downstream, so the caller
  /// has a deadline. No batch comes after this call.
  virtual void stop(Task done) { done(); }
};

struct ProcessorContext;

/// Counts what passes through a component that holds nothing, by the answers that come back. It may
/// be answered, and so counted, on another thread than that of the component.
class Passage {
 public:
  explicit Passage(SpanCounters& counters);
  /// `ack`, to be handed downstream with `spans` spans, which are held until it is answered and
  /// then out or refused.
  Ack follow(std::uint64_t spans, Ack ack) const;
  /// Refused here, for now and for good.
  void refuse(std::uint64_t spans) const { overload_.add(spans); }
  void reject(std::uint64_t spans) const { invalid_.add(spans); }

 private:
  class Pending;
  Counter& out_;
  Gauge& held_;
  Counter& overload_;  ///< refused for now
  Counter& invalid_;   ///< refused for good
};

/// A processor that holds nothing: what goes in comes out changed, smaller or not at all, in the
/// same call. Implements the hand-over and the counting; `process` is all there is to write. One
/// that may refuse says so in `refusal`.
class Transform : public Processor {
 public:
  explicit Transform(const ProcessorContext& context);
  void consume(SpanBatch batch, Ack ack) final;
  std::optional<Answer> reserve(const Load& load) final;
  void commit(SpanBatch batch, const Load& reserved, Ack ack) final;
  void cancel(const Load& reserved) final { next_.cancel(reserved); }

 protected:
  /// Fewer spans out than in are dropped by decision.
  virtual SpanBatch process(SpanBatch batch) = 0;
  /// Not empty: it takes nothing at the moment. Asked before every batch.
  virtual std::optional<Answer> refusal(std::uint64_t spans);
  /// For `process`: the batch is answered `rejected`, whatever is returned, and goes nowhere.
  void reject(std::string message) { rejection_ = std::move(message); }

 private:
  /// Nothing after a rejection.
  std::optional<SpanBatch> count_and_process(SpanBatch batch);
  std::string take_rejection();
  Consumer& next_;
  SpanCounters& counters_;
  const Passage passage_;
  std::optional<std::string> rejection_;
};

/// The sink of a pipeline. One instance, shared by all workers and pipelines that name it:
/// `consume` and the rest of Consumer are called from any worker's thread.
class Exporter : public Consumer {
 public:
  /// False with a sentence in `error` when it cannot open what it needs (a file, a certificate).
  virtual bool start(std::string& error) = 0;
  /// Delivers what is queued, then calls `done` (on any thread); the caller has a deadline.
  virtual void stop(Task done) = 0;
  /// Spans that would be lost if the process ended here.
  virtual std::uint64_t held() const = 0;
};

class Receiver {
 public:
  virtual ~Receiver() = default;
  /// False with a sentence in `error` when it cannot listen.
  virtual bool start(std::string& error) = 0;
  /// Takes nothing new; what was taken is still answered. `done` on any thread.
  virtual void stop(Task done) = 0;
};

/// Something beside the pipelines: a health check, an authenticator.
class Extension {
 public:
  virtual ~Extension() = default;
  virtual bool start(std::string& error) = 0;
  virtual void stop() = 0;
  /// The pipelines have started (true), or are about to drain (false).
  virtual void ready(bool) {}
};

class Admin;

namespace net {
class Listeners;
class EventLoops;
}  // namespace net

/// What every instance is given. All references outlive it.
struct ComponentContext {
  std::string id;  ///< "batch/small"
  Executor& executor;
  Metrics& metrics;
  Ledger& ledger;
};

/// What the instances of one processor in one pipeline, one a worker, have in common.
class Siblings {
 public:
  explicit Siblings(std::size_t count) : count_(count) {}
  std::size_t count() const { return count_; }
  /// Made by the first of them that asks, while the graph is built, and kept by those that asked.
  template <typename Shared, typename Make>
  std::shared_ptr<Shared> share(Make make) {
    if (!shared_) shared_ = make();
    return std::static_pointer_cast<Shared>(shared_);
  }

 private:
  std::size_t count_;
  std::shared_ptr<void> shared_;
};

struct ProcessorContext : ComponentContext {
  SpanCounters& counters;
  Consumer& next;
  Siblings& siblings;      ///< for the time of the call
  std::size_t worker = 0;  ///< which of the siblings this one is
  Admin* admin = nullptr;  ///< for what it says about itself; null in tests
};

/// A connector is a processor between pipelines: it takes what those that have it among their
/// exporters hand on, and hands on to those that have it among their receivers. `next` is all of
/// them.
struct ConnectorContext : ProcessorContext {
  struct Exit {
    std::string pipeline;  ///< "traces/b"
    Consumer* next;
  };
  std::vector<Exit> exits;  ///< each of them, in the order of the file
};

struct ExporterContext : ComponentContext {
  SpanCounters& counters;
  net::EventLoops& loops;  ///< a sender that needs an event loop of its own kind takes one of these
};

struct ReceiverContext : ComponentContext {
  SpanCounters& counters;
  net::Listeners& listeners;
  std::vector<Consumer*> next;  ///< by worker: a batch goes to that of the worker it came in on
  bool wants_context = false;   ///< some component reads the RequestContext
  /// Where the builder says why its route was refused (Listeners::route): one sentence each; any
  /// makes the configuration invalid.
  std::vector<std::string>* errors = nullptr;
};

struct ExtensionContext : ComponentContext {
  net::Listeners& listeners;  ///< of the extensions: they answer until the end
  net::Listeners& doors;      ///< of the receivers: for what shares an address with one of them
  net::EventLoops& loops;     ///< for a client of its own
  std::vector<std::string>* errors = nullptr;  ///< as a receiver's
};

using ProcessorBuilder = std::function<std::unique_ptr<Processor>(const ProcessorContext&)>;
using ConnectorBuilder = std::function<std::unique_ptr<Processor>(const ConnectorContext&)>;
using ExporterBuilder = std::function<std::unique_ptr<Exporter>(const ExporterContext&)>;
using ReceiverBuilder = std::function<std::unique_ptr<Receiver>(const ReceiverContext&)>;
using ExtensionBuilder = std::function<std::unique_ptr<Extension>(const ExtensionContext&)>;

/// What decoding a component gives: the closure that makes as many instances as are wanted, and
/// whether these options need the RequestContext (receivers fill it only where something reads it).
/// A builder alone converts, so `decode` returns its lambda unless it reads the context.
template <typename Builder>
struct Decoded {
  template <typename Callable>
  requires std::is_constructible_v<Builder, Callable> Decoded(Callable builder,
                                                              bool wants_context = false)
      : build(std::move(builder)), reads_context(wants_context) {}
  Builder build;
  bool reads_context;
};

/// `decode` reads the options once, reporting every mistake to the node. `aliases`: other names of
/// the same type.
template <typename Builder>
struct ComponentType {
  std::string_view name;
  std::function<Decoded<Builder>(const config::Node&)> decode;
  std::vector<std::string_view> aliases = {};
};
struct ProcessorType : ComponentType<ProcessorBuilder> {};
struct ConnectorType : ComponentType<ConnectorBuilder> {};
struct ExporterType : ComponentType<ExporterBuilder> {};
struct ReceiverType : ComponentType<ReceiverBuilder> {};
struct ExtensionType : ComponentType<ExtensionBuilder> {};

}  // namespace sluice
