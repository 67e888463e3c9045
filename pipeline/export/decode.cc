#include "pipeline/export/sender.h"

namespace sluice {
namespace {

using Sizer = QueueOptions::Sizer;
using std::chrono::nanoseconds;

void decode_partition(const config::Node& node, QueueOptions::Batch& batch) {
  node.optional("metadata_keys", batch.metadata_keys);
  node.optional("cache_size", batch.partitions_max);
  node.optional("idle_timeout", batch.partition_idle_timeout);
  node.expect(batch.partitions_max > 0, "cache_size", "must be at least 1");
  node.expect(batch.partition_idle_timeout > nanoseconds::zero(), "idle_timeout",
              "must be more than 0");
  node.no_other_keys();
}

void decode_batch(const config::Node& node, QueueOptions& queue) {
  QueueOptions::Batch& batch = queue.batch;
  batch.enabled = node.present();
  node.optional("flush_timeout", batch.flush_timeout);
  node.optional("min_size", batch.min_size);
  node.optional("max_size", batch.max_size);
  node.one_of("sizer", batch.sizer, {{"items", Sizer::items}, {"bytes", Sizer::bytes}});
  decode_partition(node.child("partition"), batch);
  node.expect(batch.flush_timeout > nanoseconds::zero(), "flush_timeout", "must be more than 0");
  node.expect(batch.max_size == 0 || batch.max_size >= batch.min_size, "max_size",
              "must be 0 (no limit) or at least min_size");
  const bool comparable = batch.enabled && queue.enabled && batch.sizer == queue.sizer;
  node.expect(!comparable || batch.min_size <= queue.queue_size, "min_size",
              "must not be more than sending_queue.queue_size, or no batch is ever full");
  node.no_other_keys();
}

void decode_retry(const config::Node& node, RetryOptions& retry) {
  node.optional("enabled", retry.enabled);
  node.optional("initial_interval", retry.initial_interval);
  node.optional("max_interval", retry.max_interval);
  node.optional("randomization_factor", retry.randomization_factor);
  node.optional("multiplier", retry.multiplier);
  node.optional("max_elapsed_time", retry.max_elapsed_time);
  node.expect(retry.initial_interval > nanoseconds::zero(), "initial_interval",
              "must be more than 0");
  node.expect(retry.max_interval > nanoseconds::zero(), "max_interval", "must be more than 0");
  node.expect(retry.randomization_factor >= 0 && retry.randomization_factor <= 1,
              "randomization_factor", "must be between 0 and 1");
  node.expect(retry.multiplier >= 1, "multiplier", "must be at least 1");
  const nanoseconds elapsed = retry.max_elapsed_time;
  const bool fits = elapsed == nanoseconds::zero() ||
                    (elapsed >= retry.initial_interval && elapsed >= retry.max_interval);
  node.expect(!retry.enabled || fits, "max_elapsed_time",
              "must be 0 (for ever) or at least initial_interval and max_interval");
  node.no_other_keys();
}

}  // namespace

void decode_sending_queue(const config::Node& node, QueueOptions& queue) {
  node.optional("enabled", queue.enabled);
  node.optional("num_consumers", queue.num_consumers);
  node.optional("queue_size", queue.queue_size);
  node.one_of("sizer", queue.sizer,
              {{"requests", Sizer::requests}, {"items", Sizer::items}, {"bytes", Sizer::bytes}});
  node.optional("block_on_overflow", queue.block_on_overflow);
  node.optional("wait_for_result", queue.wait_for_result);
  node.optional("required", queue.required);
  node.expect(queue.num_consumers > 0, "num_consumers", "must be at least 1");
  node.expect(queue.queue_size > 0, "queue_size", "must be at least 1");
  node.expect(queue.required || !queue.block_on_overflow, "required",
              "cannot be false with block_on_overflow: one drops when full, the other waits");
  node.expect(queue.required || !queue.wait_for_result, "required",
              "cannot be false with wait_for_result: nobody is to depend on this exporter");
  if (node.has("storage"))
    node.error("storage", "a queue on disk is not supported; remove the key");
  decode_batch(node.child("batch"), queue);
  node.no_other_keys();
}

void decode_export(const config::Node& node, ExportOptions& options) {
  node.optional("timeout", options.timeout);
  node.expect(options.timeout >= nanoseconds::zero(), "timeout", "must not be negative");
  decode_sending_queue(node.child("sending_queue"), options.queue);
  decode_retry(node.child("retry_on_failure"), options.retry);
}

}  // namespace sluice
