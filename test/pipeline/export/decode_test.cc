#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "pipeline/export/sender.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> mistakes(std::string_view text, ExportOptions& options) {
  config::Problems problems;
  const config::Node node = config::parse_text(text, "test.yaml", problems);
  decode_export(node, options);
  node.no_other_keys();
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

std::vector<std::string> mistakes(std::string_view text) {
  ExportOptions options;
  return mistakes(text, options);
}

}  // namespace

TEST_CASE("without any key an exporter has the collector's defaults", "[export]") {
  ExportOptions options;
  CHECK(mistakes("{}", options).empty());
  CHECK(options.timeout == 5s);
  CHECK(options.queue.enabled);
  CHECK(options.queue.num_consumers == 10);
  CHECK(options.queue.queue_size == 1000);
  CHECK(options.queue.sizer == QueueOptions::Sizer::requests);
  CHECK_FALSE(options.queue.block_on_overflow);
  CHECK_FALSE(options.queue.wait_for_result);
  CHECK(options.queue.required);
  CHECK_FALSE(options.queue.batch.enabled);
  CHECK(options.retry.enabled);
  CHECK(options.retry.initial_interval == 5s);
  CHECK(options.retry.max_interval == 30s);
  CHECK(options.retry.randomization_factor == 0.5);
  CHECK(options.retry.multiplier == 1.5);
  CHECK(options.retry.max_elapsed_time == 300s);
}

TEST_CASE("an empty batch block switches batching on with its defaults", "[export]") {
  ExportOptions options;
  CHECK(mistakes("sending_queue: {queue_size: 10, batch: {}}", options).empty());
  CHECK(options.queue.batch.enabled);
  CHECK(options.queue.batch.flush_timeout == 200ms);
  CHECK(options.queue.batch.min_size == 8192);
  CHECK(options.queue.batch.max_size == 0);
  CHECK(options.queue.batch.sizer == QueueOptions::Sizer::items);
  CHECK(options.queue.batch.partitions_max == 10000);
  CHECK(options.queue.batch.partition_idle_timeout == 90s);
}

TEST_CASE("every key is read", "[export]") {
  ExportOptions options;
  CHECK(mistakes(R"(
timeout: 7s
sending_queue:
  enabled: true
  num_consumers: 3
  queue_size: 5000
  sizer: bytes
  block_on_overflow: true
  wait_for_result: true
  required: true
  batch:
    flush_timeout: 50ms
    min_size: 100
    max_size: 200
    sizer: bytes
    partition: {metadata_keys: [x-tenant], cache_size: 5, idle_timeout: 10s}
retry_on_failure:
  enabled: false
  initial_interval: 1s
  max_interval: 2s
  randomization_factor: 0.25
  multiplier: 3
  max_elapsed_time: 1m
)",
                 options)
            .empty());
  CHECK(options.timeout == 7s);
  CHECK(options.queue.num_consumers == 3);
  CHECK(options.queue.queue_size == 5000);
  CHECK(options.queue.sizer == QueueOptions::Sizer::bytes);
  CHECK(options.queue.block_on_overflow);
  CHECK(options.queue.wait_for_result);
  CHECK(options.queue.batch.flush_timeout == 50ms);
  CHECK(options.queue.batch.min_size == 100);
  CHECK(options.queue.batch.max_size == 200);
  CHECK(options.queue.batch.sizer == QueueOptions::Sizer::bytes);
  CHECK(options.queue.batch.metadata_keys == std::vector<std::string>{"x-tenant"});
  CHECK(options.queue.batch.partitions_max == 5);
  CHECK(options.queue.batch.partition_idle_timeout == 10s);
  CHECK_FALSE(options.retry.enabled);
  CHECK(options.retry.initial_interval == 1s);
  CHECK(options.retry.max_interval == 2s);
  CHECK(options.retry.randomization_factor == 0.25);
  CHECK(options.retry.multiplier == 3);
  CHECK(options.retry.max_elapsed_time == 60s);
}

TEST_CASE("values that cannot work are mistakes with their reason", "[export]") {
  CHECK(
      mistakes("sending_queue: {num_consumers: 0}") ==
      std::vector<std::string>{"test.yaml:1:32: sending_queue.num_consumers: must be at least 1"});
  CHECK(mistakes("sending_queue: {queue_size: 10, sizer: items, batch: {min_size: 11}}").size() ==
        1);
  CHECK(mistakes("sending_queue: {batch: {max_size: 10}}").size() == 1);
  CHECK(mistakes("sending_queue: {batch: {flush_timeout: 0}}").size() == 1);
  CHECK(mistakes("sending_queue: {required: false, block_on_overflow: true}").size() == 1);
  CHECK(mistakes("sending_queue: {required: false, wait_for_result: true}").size() == 1);
  CHECK(mistakes("sending_queue: {storage: file_storage}").size() == 1);
  CHECK(mistakes("sending_queue: {sizer: spans}").size() == 1);
  CHECK(mistakes("sending_queue: {queue_siz: 5}").size() == 1);
  CHECK(mistakes("retry_on_failure: {randomization_factor: 1.5}").size() == 1);
  CHECK(mistakes("retry_on_failure: {multiplier: 0.5}").size() == 1);
  CHECK(mistakes("retry_on_failure: {max_elapsed_time: 10s}").size() == 1);
  CHECK(mistakes("timeout: -1s").size() == 1);
}

TEST_CASE("the README of what stands around exporters tells the truth", "[export]") {
  const auto decode = [](const config::Node& node) {
    ExportOptions options;
    decode_export(node, options);
  };
  CHECK(test::readme_mistakes("pipeline/export/README.md", "exporters", "otlp_grpc", decode) ==
        std::vector<std::string>{});
}
