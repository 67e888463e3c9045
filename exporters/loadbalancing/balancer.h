#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/loadbalancing/hash_ring.h"
#include "exporters/loadbalancing/member_source.h"
#include "exporters/loadbalancing/routing.h"
#include "pipeline/export/counters.h"
#include "pipeline/export/sender.h"

namespace sluice::loadbalancing {

/// Makes the sender to one member. `endpoint` has a port.
using MakeSender =
    std::function<std::unique_ptr<Sender>(const std::string& endpoint, const ExporterContext&)>;

struct BalancerOptions {
  RoutingKey key;
  SourceOptions source;
  ExportOptions exporting;  ///< of each member
};

/// An exporter over several destinations, the members, each with a queue and retries of its own.
/// All of them count as one exporter. Consumer's part and `held` may be called from any thread, the
/// rest on the executor.
///
/// A batch is routed by the members that are there when it comes. A member that has left is kept
/// until nobody routes to it any more and what it held is elsewhere: its queue is redirected to
/// those that are there then.
class Balancer final : public Consumer,
                       public MemberListener,
                       public std::enable_shared_from_this<Balancer> {
 public:
  static constexpr std::size_t members_max = 1000;

  Balancer(const ExporterContext& context, const BalancerOptions& options, MakeSender make_sender);
  ~Balancer() override;

  void start();
  void stop(Task done);
  std::uint64_t held() const;

  void consume(SpanBatch batch, Ack ack) override;
  std::optional<Answer> reserve(const Load& load) override;
  void commit(SpanBatch batch, const Load& reserved, Ack ack) override;
  void cancel(const Load& reserved) override;

  /// For who keeps what was not taken: each member that has room takes its part, and the result
  /// says what is left.
  void offer(const SpanBatch& batch, SendDone done);
  /// The same for what a member had taken before it left: there is always room for it.
  void take_over(const SpanBatch& batch, SendDone done);

  void resolved(std::vector<std::string> endpoints) override;
  void unresolved(const std::string& reason) override;

 private:
  struct Member {
    std::string address;
    std::unique_ptr<QueuedExporter> exporter;
    bool stopping = false;
  };
  using Members = std::vector<std::shared_ptr<Member>>;
  /// Who gets what, from one change of the members to the next.
  struct Table {
    HashRing ring;
    Members members;
    std::vector<std::uint32_t> member_of;  ///< by endpoint of the ring: two may be one address
  };
  using TableRef = std::shared_ptr<const Table>;
  struct Part {
    Member* member = nullptr;
    SpanBatch batch;
  };

  TableRef table() const;
  std::vector<Part> split(const Table& table, const SpanBatch& batch) const;
  std::optional<Answer> refuse(std::uint64_t spans);
  static void commit_all(const std::vector<Part>& parts, const Load* reserved, Ack ack);
  TableRef take_reservation(const Load& load);
  /// Every part to its member by `give`; `done` when all have answered.
  static void hand_over(const std::vector<Part>& parts,
                        void (QueuedExporter::*give)(SpanBatch, Ack), SendDone done);
  TableRef table_of(const std::vector<std::string>& endpoints, std::string& error);
  std::shared_ptr<Member> make_member(const std::string& address, std::string& error);
  void adopt(TableRef fresh);
  void end_those_that_left();
  void forget(const Member* member);
  void stop_members();

  const ExporterContext context_;
  const BalancerOptions options_;
  const MakeSender make_sender_;
  ExportCounters counters_;
  Counter& refused_;
  Counter& resolutions_;
  Counter& failed_resolutions_;
  Counter& updates_;
  Gauge& backends_;

  std::unique_ptr<MemberSource> source_;
  std::vector<std::string> endpoints_;  ///< of the table
  Task done_;
  std::size_t members_to_stop_ = 0;

  mutable std::mutex mutex_;  ///< for what is below
  TableRef table_;            ///< null until the members are known
  Members left_;
  /// Promises of room: which table's members gave them. Those for the same load are alike.
  std::vector<std::pair<Load, TableRef>> reservations_;
};

/// A sender that offers what it is given to the balancer.
std::unique_ptr<Sender> make_offering_sender(std::weak_ptr<Balancer> balancer);

}  // namespace sluice::loadbalancing
