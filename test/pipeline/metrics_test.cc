#include "pipeline/metrics.h"

#include <catch2/catch.hpp>

namespace sluice {
namespace {

TEST_CASE("the same name and labels are the same counter, in any order of labels", "[metrics]") {
  Metrics metrics;
  metrics.counter("requests", "Requests.", {{"a", "1"}, {"b", "2"}}).add(2);
  metrics.counter("requests", "Requests.", {{"b", "2"}, {"a", "1"}}).add(3);
  metrics.counter("requests", "Requests.", {{"a", "1"}, {"b", "3"}}).add(10);
  CHECK(metrics.value("requests", {{"a", "1"}, {"b", "2"}}) == 5);
  CHECK(metrics.value("requests", {{"a", "1"}}) == 15);
  CHECK(metrics.value("requests", {{"a", "2"}}) == 0);
  CHECK(metrics.value("absent") == 0);
}

TEST_CASE("the exposition is Prometheus text", "[metrics]") {
  Metrics metrics;
  metrics.counter("b_spans", "Spans \\ and\nlines.", {{"name", "say \"a\"\n\\"}}).add(7);
  metrics.gauge("a_size", "Size.").set(-4);
  metrics.gauge_callback("c_rss", "Memory.", {}, [] { return 0.25; });
  CHECK(metrics.prometheus({{"service.name", "sluice"}}) ==
        "# HELP a_size Size.\n# TYPE a_size gauge\na_size -4\n"
        "# HELP b_spans Spans \\\\ and\\nlines.\n# TYPE b_spans counter\n"
        "b_spans{name=\"say \\\"a\\\"\\n\\\\\"} 7\n"
        "# HELP c_rss Memory.\n# TYPE c_rss gauge\nc_rss 0.25\n"
        "# HELP target_info Target metadata\n# TYPE target_info gauge\n"
        "target_info{service_name=\"sluice\"} 1\n");
}

TEST_CASE("histogram buckets are cumulative, a bound belongs to its bucket", "[metrics]") {
  Metrics metrics;
  Histogram& histogram = metrics.histogram("size", "Size.", {1, 2.5}, {{"p", "x"}});
  for (const double value : {0.5, 1.0, 2.0, 9.0}) histogram.observe(value);
  CHECK(metrics.prometheus() ==
        "# HELP size Size.\n# TYPE size histogram\n"
        "size_bucket{p=\"x\",le=\"1\"} 2\nsize_bucket{p=\"x\",le=\"2.5\"} 3\n"
        "size_bucket{p=\"x\",le=\"+Inf\"} 4\nsize_sum{p=\"x\"} 12.5\nsize_count{p=\"x\"} 4\n");
  CHECK(metrics.value("size") == 4);
}

TEST_CASE("large counts are written as whole numbers that parse back", "[metrics]") {
  Metrics metrics;
  metrics.counter("spans", "Spans.").add(123'456'789'012);
  CHECK(metrics.prometheus().find("spans 123456789012\n") != std::string::npos);
}

TEST_CASE("series beyond the bound share one that says so", "[metrics]") {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::series_max + 10; ++i) {
    metrics.counter("peers", "Peers.", {{"peer", std::to_string(i)}}).add(1);
  }
  CHECK(metrics.value("peers", {{"overflow", "true"}}) == 10);
  CHECK(metrics.value("peers") == static_cast<double>(Metrics::series_max + 10));
}

TEST_CASE("the counters of a component are shared by all its instances", "[metrics]") {
  Metrics metrics;
  SpanCounters first(metrics, "processor", "batch/a");
  SpanCounters second(metrics, "processor", "batch/a");
  first.in.add(3);
  second.in.add(4);
  first.refused("overload").add(2);
  second.held.add(5);
  const Labels mine = {{"kind", "processor"}, {"component", "batch/a"}};
  CHECK(metrics.value("sluice_component_spans", {{"component", "batch/a"}, {"flow", "in"}}) == 7);
  CHECK(metrics.value("sluice_component_spans", {{"flow", "refused"}, {"reason", "overload"}}) ==
        2);
  CHECK(metrics.value("sluice_component_held_spans", mine) == 5);
}

}  // namespace
}  // namespace sluice
