#include "exporters/debug/debug.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporters/debug/text.h"
#include "pipeline/export/sender.h"
#include "pipeline/log.h"

namespace sluice {
namespace {

struct DebugOptions {
  enum class Verbosity : std::uint8_t { basic, normal, detailed };
  Verbosity verbosity = Verbosity::basic;
  std::uint32_t sampling_initial = 2;
  std::uint32_t sampling_thereafter = 1;
  bool use_internal_logger = true;
  std::vector<std::string> output_paths = {"stdout"};
};

/// In every second the first `initial` batches pass, then every `thereafter`-th; none for 0.
class Sampling {
 public:
  Sampling(std::uint32_t initial, std::uint32_t thereafter)
      : initial_(initial), thereafter_(thereafter) {}
  bool pass(Executor::TimePoint now) {
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      count_ = 0;
    }
    if (++count_ <= initial_) return true;
    return thereafter_ != 0 && (count_ - initial_) % thereafter_ == 0;
  }

 private:
  const std::uint32_t initial_, thereafter_;
  Executor::TimePoint second_;
  std::uint64_t count_ = 0;
};

class DebugSender final : public Sender {
 public:
  DebugSender(const DebugOptions& options, const ExporterContext& context)
      : options_(options),
        id_(context.id),
        executor_(context.executor),
        sampling_(options.sampling_initial, options.sampling_thereafter) {}
  ~DebugSender() override { close(); }

  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) override {
    if (sampling_.pass(executor_.now())) show(batch);
    done({});
  }
  void stop() override { close(); }

 private:
  void show(const SpanBatch& batch) const;
  void log(const SpanBatch& batch, const std::string& text) const;
  void print(const SpanBatch& batch, const std::string& text) const;
  void close();

  const DebugOptions options_;
  const std::string id_;
  Executor& executor_;
  Sampling sampling_;
  std::vector<std::FILE*> outputs_;
};

bool DebugSender::start(std::string& error) {
  if (options_.use_internal_logger) return true;
  for (const std::string& path : options_.output_paths) {
    std::FILE* output = path == "stdout"   ? stdout
                        : path == "stderr" ? stderr
                                           : std::fopen(path.c_str(), "ae");
    if (output == nullptr) {
      error = "cannot open \"" + path + "\": " + std::strerror(errno);
      return false;
    }
    outputs_.push_back(output);
  }
  return true;
}

void DebugSender::close() {
  for (std::FILE* output : outputs_) {
    if (output != stdout && output != stderr) std::fclose(output);
  }
  outputs_.clear();
}

void DebugSender::show(const SpanBatch& batch) const {
  std::string text;
  if (options_.verbosity == DebugOptions::Verbosity::normal) text = debug_text::normal(batch);
  if (options_.verbosity == DebugOptions::Verbosity::detailed) text = debug_text::detailed(batch);
  if (options_.use_internal_logger) {
    log(batch, text);
  } else {
    print(batch, text);
  }
}

void DebugSender::log(const SpanBatch& batch, const std::string& text) const {
  log::info("Traces", {{"exporter", id_},
                       {"resource spans", std::to_string(debug_text::resource_count(batch))},
                       {"spans", std::to_string(batch.span_count())}});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    log::info(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
}

void DebugSender::print(const SpanBatch& batch, const std::string& text) const {
  const std::string summary =
      "Traces\t{\"resource spans\": " + std::to_string(debug_text::resource_count(batch)) +
      ", \"spans\": " + std::to_string(batch.span_count()) + "}\n";
  for (std::FILE* output : outputs_) {
    // Best effort: who closed the terminal does not read it.
    static_cast<void>(std::fwrite(summary.data(), 1, summary.size(), output));
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), output));
    static_cast<void>(std::fflush(output));
  }
}

ExporterBuilder decode(const config::Node& node) {
  DebugOptions options;
  using Verbosity = DebugOptions::Verbosity;
  node.one_of("verbosity", options.verbosity,
              {{"basic", Verbosity::basic},
               {"normal", Verbosity::normal},
               {"detailed", Verbosity::detailed}});
  node.optional("sampling_initial", options.sampling_initial);
  node.optional("sampling_thereafter", options.sampling_thereafter);
  node.optional("use_internal_logger", options.use_internal_logger);
  node.optional("output_paths", options.output_paths);
  node.expect(!node.has("output_paths") || !options.use_internal_logger, "output_paths",
              "needs use_internal_logger: false");
  node.expect(!options.output_paths.empty(), "output_paths", "must not be empty");
  // As in the collector, without a queue unless one is asked for.
  ExportOptions around;
  around.retry.enabled = false;
  around.timeout = std::chrono::nanoseconds::zero();
  around.queue.enabled = node.has("sending_queue");
  decode_sending_queue(node.child("sending_queue"), around.queue);
  node.no_other_keys();
  return [options, around](const ExporterContext& context) {
    return make_exporter(context, around, std::make_unique<DebugSender>(options, context));
  };
}

}  // namespace

ExporterType debug_exporter() { return {{"debug", decode}}; }

}  // namespace sluice
