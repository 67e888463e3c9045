#include "pipeline/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <mutex>

#include "pipeline/ensure.h"

namespace sluice {
namespace {

enum class Type { counter, gauge, histogram };

std::string_view type_name(Type type) {
  if (type == Type::counter) return "counter";
  return type == Type::gauge ? "gauge" : "histogram";
}

/// Exactly one of these is set.
struct Series {
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> read;
};

struct Family {
  std::string help;
  Type type = Type::counter;
  std::map<Labels, Series> series;
};

std::uint64_t observations(const Histogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) count += histogram.bucket(i);
  return count;
}

double value_of(const Series& series) {
  if (series.counter) return static_cast<double>(series.counter->value());
  if (series.gauge) return static_cast<double>(series.gauge->value());
  if (series.histogram) return static_cast<double>(observations(*series.histogram));
  return series.read ? series.read() : 0;
}

// --- Text exposition format 0.0.4 ---

/// Metric and label names are [a-zA-Z_][a-zA-Z0-9_]*; attribute keys such as "service.name" are
/// not.
std::string label_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (digit && out.empty()) out += '_';
    out += digit || letter ? c : '_';
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) return void(out += "NaN");
  if (std::isinf(value)) return void(out += value > 0 ? "+Inf" : "-Inf");
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  ensure(error == std::errc(), "the shortest form of a double has at most 24 characters");
  out.append(text, end);
}

/// `bound` is the value of the label "le", empty for none.
void append_labels(std::string& out, const Labels& labels, std::string_view bound) {
  if (labels.empty() && bound.empty()) return;
  char separator = '{';
  const auto append = [&](std::string_view name, std::string_view value) {
    out += separator;
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
    separator = ',';
  };
  for (const auto& [name, value] : labels) append(label_name(name), value);
  if (!bound.empty()) append("le", bound);
  out += '}';
}

void append_line(std::string& out, std::string_view name, const Labels& labels,
                 std::string_view bound, double value) {
  out += name;
  append_labels(out, labels, bound);
  out += ' ';
  append_number(out, value);
  out += '\n';
}

void append_histogram(std::string& out, const std::string& name, const Labels& labels,
                      const Histogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
    count += histogram.bucket(i);
    std::string bound;
    append_number(bound, histogram.bounds()[i]);
    append_line(out, name + "_bucket", labels, bound, static_cast<double>(count));
  }
  count += histogram.bucket(histogram.bounds().size());
  append_line(out, name + "_bucket", labels, "+Inf", static_cast<double>(count));
  append_line(out, name + "_sum", labels, {}, histogram.sum());
  append_line(out, name + "_count", labels, {}, static_cast<double>(count));
}

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view type) {
  out.append("# HELP ").append(name).append(" ");
  append_escaped(out, help, false);
  out.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

bool carries(const Labels& all, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    return std::find(all.begin(), all.end(), label) != all.end();
  });
}

}  // namespace

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;

  /// The lock is held.
  Series& series(std::string_view name, std::string_view help, Type type, Labels labels) {
    auto family = families.find(name);
    if (family == families.end()) {
      family = families.emplace(name, Family{std::string(help), type, {}}).first;
    }
    ensure(family->second.type == type, "a metric keeps its type");
    std::sort(labels.begin(), labels.end());
    auto& all = family->second.series;
    const auto found = all.find(labels);
    if (found != all.end()) return found->second;
    if (all.size() >= series_max) return all[{{"overflow", "true"}}];
    return all[std::move(labels)];
  }
};

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(new std::atomic<std::uint64_t>[bounds_.size() + 1] {}) {}

void Histogram::observe(double value, std::uint64_t times) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(times,
                                                                        std::memory_order_relaxed);
  sum_.fetch_add(value * static_cast<double>(times), std::memory_order_relaxed);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Series& series = state_->series(name, help, Type::counter, std::move(labels));
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Series& series = state_->series(name, help, Type::gauge, std::move(labels));
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::vector<double> bounds, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  Series& series = state_->series(name, help, Type::histogram, std::move(labels));
  if (!series.histogram) series.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *series.histogram;
}

void Metrics::gauge_callback(std::string_view name, std::string_view help, Labels labels,
                             std::function<double()> read) {
  const std::lock_guard lock(state_->mutex);
  state_->series(name, help, Type::gauge, std::move(labels)).read = std::move(read);
}

void Metrics::counter_callback(std::string_view name, std::string_view help, Labels labels,
                               std::function<double()> read) {
  const std::lock_guard lock(state_->mutex);
  state_->series(name, help, Type::counter, std::move(labels)).read = std::move(read);
}

std::string Metrics::prometheus(const Labels& resource) const {
  std::string out;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [name, family] : state_->families) {
    append_head(out, name, family.help, type_name(family.type));
    for (const auto& [labels, series] : family.series) {
      if (series.histogram) {
        append_histogram(out, name, labels, *series.histogram);
      } else {
        append_line(out, name, labels, {}, value_of(series));
      }
    }
  }
  if (resource.empty()) return out;
  append_head(out, "target_info", "Target metadata", "gauge");
  append_line(out, "target_info", resource, {}, 1);
  return out;
}

double Metrics::value(std::string_view name, const Labels& labels) const {
  const std::lock_guard lock(state_->mutex);
  const auto family = state_->families.find(name);
  if (family == state_->families.end()) return 0;
  double sum = 0;
  for (const auto& [own, series] : family->second.series) {
    if (carries(own, labels)) sum += value_of(series);
  }
  return sum;
}

namespace {

constexpr std::string_view spans_name = "sluice_component_spans";
constexpr std::string_view spans_help =
    "Spans offered to a component (in), handed on or delivered (out), dropped by decision, "
    "refused; "
    "in = out + dropped + refused + held.";

Labels flow_labels(std::string_view kind, std::string_view component, std::string_view flow) {
  return {{"kind", std::string(kind)},
          {"component", std::string(component)},
          {"flow", std::string(flow)}};
}

}  // namespace

SpanCounters::SpanCounters(Metrics& metrics, std::string_view kind, std::string_view component)
    : in(metrics.counter(spans_name, spans_help, flow_labels(kind, component, "in"))),
      out(metrics.counter(spans_name, spans_help, flow_labels(kind, component, "out"))),
      dropped(metrics.counter(spans_name, spans_help, flow_labels(kind, component, "dropped"))),
      held(metrics.gauge("sluice_component_held_spans", "Spans that a component holds.",
                         {{"kind", std::string(kind)}, {"component", std::string(component)}})),
      metrics_(metrics),
      kind_(kind),
      component_(component) {}

Counter& SpanCounters::refused(std::string_view reason) {
  Labels labels = flow_labels(kind_, component_, "refused");
  labels.emplace_back("reason", reason);
  return metrics_.counter(spans_name, spans_help, std::move(labels));
}

}  // namespace sluice
