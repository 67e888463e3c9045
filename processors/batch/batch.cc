#include "processors/batch/batch.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "processors/batch/group.h"

namespace sluice {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void decode_metadata_keys(const config::Node& node, std::vector<std::string>& keys) {
  node.optional("metadata_keys", keys);
  for (std::string& key : keys) key = lower_case(std::move(key));
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end()) return;
  node.error("metadata_keys",
             "\"" + *twice + "\" occurs twice (upper and lower case are the same)");
}

BatchOptions decode(const config::Node& node) {
  BatchOptions options;
  node.optional("timeout", options.timeout);
  node.expect(options.timeout.count() >= 0, "timeout", "must not be negative");
  node.optional("send_batch_size", options.send_batch_size);
  node.optional("send_batch_max_size", options.send_batch_max_size);
  node.expect(
      options.send_batch_max_size == 0 || options.send_batch_max_size >= options.send_batch_size,
      "send_batch_max_size", "must be at least send_batch_size, or 0 for no limit");
  decode_metadata_keys(node, options.metadata_keys);
  node.optional("metadata_cardinality_limit", options.metadata_cardinality_limit);
  node.no_other_keys();
  return options;
}

/// Finds the group of a request and leaves the rest to it. Bound: one group per combination of
/// metadata values that is held at the moment, at most metadata_cardinality_limit of them.
class Batch final : public Processor, public BatchGroup::Owner {
 public:
  Batch(const ProcessorContext& context, BatchOptions options)
      : context_(context), options_(std::move(options)), metrics_(context_) {
    if (!options_.metadata_keys.empty()) return;
    single_ = std::make_unique<BatchGroup>(options_, metrics_, context_, "", nullptr, *this);
    metrics_.metadata_cardinality.set(1);
  }

  void consume(SpanBatch batch, Ack ack) override {
    const std::uint64_t spans = batch.span_count();
    BatchGroup* const group = count_and_find_group(batch, ack);
    if (group == nullptr) return;
    if (std::optional<Answer> refusal = group->refusal(reserved_spans_ + spans)) {
      metrics_.overload.add(spans);
      return ack.resolve(std::move(*refusal));
    }
    hold(*group, std::move(batch), std::move(ack));
  }

  /// The group of what is to come is not known: room is promised when none refuses.
  std::optional<Answer> reserve(const Load& load) override {
    const std::uint64_t spans = reserved_spans_ + load.spans;
    std::optional<Answer> refusal;
    if (single_) refusal = single_->refusal(spans);
    for (auto group = groups_.begin(); group != groups_.end() && !refusal; ++group) {
      refusal = group->second->refusal(spans);
    }
    if (!refusal) reserved_spans_ = spans;
    return refusal;
  }

  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    reserved_spans_ -= reserved.spans;
    if (BatchGroup* const group = count_and_find_group(batch, ack)) {
      hold(*group, std::move(batch), std::move(ack));
    }
  }

  void cancel(const Load& reserved) override { reserved_spans_ -= reserved.spans; }

  void stop(Task done) override {
    stopped_ = std::move(done);
    std::vector<BatchGroup*> groups;
    for (const auto& [key, group] : groups_) groups.push_back(group.get());
    for (BatchGroup* group : groups) group->flush();
    if (single_) {
      single_->flush();
    } else {
      finish_if_empty();
    }
  }

 private:
  void hold(BatchGroup& group, SpanBatch batch, Ack ack) {
    metrics_.spans.held.add(batch.span_count());
    group.add(std::move(batch));
    ack.accepted();
  }

  /// Null: the request was answered already.
  BatchGroup* count_and_find_group(const SpanBatch& batch, Ack& ack) {
    metrics_.spans.in.add(batch.span_count());
    if (batch.empty()) {
      ack.accepted();
      return nullptr;
    }
    if (single_) return single_.get();
    if (BatchGroup* const group = group_of(batch.context().get())) return group;
    metrics_.cardinality.add(batch.span_count());
    ack.rejected("too many combinations of metadata values");
    return nullptr;
  }

  BatchGroup* group_of(const RequestContext* request) {
    const std::string key = values_of(request);
    const auto found = groups_.find(key);
    if (found != groups_.end()) return found->second.get();
    const std::uint32_t limit = options_.metadata_cardinality_limit;
    if (limit > 0 && groups_.size() >= limit) return nullptr;
    metrics_.metadata_cardinality.add(1);
    std::unique_ptr<BatchGroup>& group = groups_[key];
    group = std::make_unique<BatchGroup>(options_, metrics_, context_, key, kept(request), *this);
    return group.get();
  }

  /// The values of metadata_keys, such that different lists of values never give the same text:
  /// each value behind its length, and a letter behind each key.
  std::string values_of(const RequestContext* request) const {
    std::string out;
    for (const std::string& key : options_.metadata_keys) {
      for_each_value(request, key, [&out](const std::string& value) {
        out += std::to_string(value.size()) + ":" + value;
      });
      out += 'k';
    }
    return out;
  }

  /// What a group's batches carry: metadata_keys alone, since the rest differs between the
  /// requests.
  RequestContextRef kept(const RequestContext* request) const {
    auto context = std::make_shared<RequestContext>();
    for (const std::string& key : options_.metadata_keys) {
      for_each_value(request, key,
                     [&](const std::string& value) { context->metadata.emplace_back(key, value); });
    }
    return context;
  }

  template <typename Visit>
  static void for_each_value(const RequestContext* request, const std::string& key, Visit visit) {
    if (request == nullptr) return;
    for (const auto& [name, value] : request->metadata) {
      if (name == key) visit(value);
    }
  }

  void went_idle(BatchGroup& group) override {
    if (&group != single_.get()) {
      groups_.erase(groups_.find(group.key()));
      metrics_.metadata_cardinality.add(-1);
    }
    finish_if_empty();
  }

  void finish_if_empty() {
    if (!stopped_ || !groups_.empty() || (single_ && !single_->idle())) return;
    std::exchange(stopped_, nullptr)();
  }

  const ProcessorContext context_;
  const BatchOptions options_;
  BatchMetrics metrics_;
  std::unique_ptr<BatchGroup> single_;  ///< without metadata_keys
  std::unordered_map<std::string, std::unique_ptr<BatchGroup>> groups_;
  std::uint64_t reserved_spans_ = 0;
  Task stopped_;
};

}  // namespace

ProcessorType batch_processor() {
  return {{"batch", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             BatchOptions options = decode(node);
             const bool reads_context = !options.metadata_keys.empty();
             return {[options = std::move(options)](const ProcessorContext& context) {
                       return std::make_unique<Batch>(context, options);
                     },
                     reads_context};
           }}};
}

}  // namespace sluice
