#include "extensions/jaegerremotesampling/local_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "pipeline/log.h"

namespace sluice::remote_sampling {
namespace {

constexpr std::chrono::milliseconds interval_min{100};

Counter& reloads(const ComponentContext& context, std::string_view outcome) {
  return context.metrics.counter("sluice_remote_sampling_loads",
                                 "Files of sampling strategies that were read, by outcome.",
                                 {{"extension", context.id}, {"outcome", std::string(outcome)}});
}

struct File {
  explicit File(const std::string& path)
      : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const int descriptor;
};

/// False with a sentence in `error`.
bool read_file(const std::string& path, std::string& bytes, std::string& error) {
  const auto failed = [&](const std::string& why) {
    error = path + ": " + why;
    return false;
  };
  const File file(path);
  struct stat status {};
  if (file.descriptor < 0 || ::fstat(file.descriptor, &status) != 0)
    return failed(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failed("is not a regular file");
  bytes.clear();
  char piece[64 * 1024];
  for (;;) {
    const ssize_t size = ::read(file.descriptor, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed(std::strerror(errno));
    if (size == 0) return true;
    bytes.append(piece, static_cast<std::size_t>(size));
    if (bytes.size() > file_bytes_max)
      return failed("is larger than " + std::to_string(file_bytes_max) + " bytes");
  }
}

}  // namespace

LocalSource::LocalSource(Options options, const ComponentContext& context)
    : options_(std::move(options)),
      id_(context.id),
      executor_(context.executor),
      loaded_(reloads(context, "loaded")),
      failed_(reloads(context, "failed")) {}

bool LocalSource::start(std::string& error) {
  if (options_.path.empty()) return true;
  std::string bytes;
  if (!read_file(options_.path, bytes, error)) return false;
  seen_ = std::move(bytes);
  if (!load(error)) return false;
  wait();
  return true;
}

/// Takes `seen_` for the strategies.
bool LocalSource::load(std::string& error) {
  Remarks remarks;
  std::optional<Strategies> strategies =
      Strategies::parse(seen_, options_.path, options_.probability, remarks);
  for (const std::string& warning : remarks.warnings) log::warn(warning, {{"extension", id_}});
  if (!strategies) {
    failed_.add(1);
    error = std::move(remarks.error);
    return false;
  }
  loaded_.add(1);
  options_.strategies = std::move(*strategies);
  log::info("sampling strategies are loaded",
            {{"extension", id_},
             {"file", options_.path},
             {"services", std::to_string(options_.strategies.service_count())}});
  return true;
}

void LocalSource::wait() {
  if (options_.reload_interval.count() == 0) return;
  timer_ =
      executor_.after(std::max<Executor::Duration>(options_.reload_interval, interval_min), [this] {
        reload();
        wait();
      });
}

void LocalSource::reload() {
  std::string bytes, error;
  const bool readable = read_file(options_.path, bytes, error);
  if (!readable) {
    if (error == last_problem_) return;
    failed_.add(1);
  }
  last_problem_ = error;
  if (readable) {
    if (bytes == seen_) return;
    seen_ = std::move(bytes);
    if (load(error)) return;
  }
  log::error("the sampling strategies stay as they were: " + error, {{"extension", id_}});
}

void LocalSource::find(const std::string& service, FoundDone done) {
  done({Found::Kind::fresh, options_.strategies.response(service), {}, {}});
}

}  // namespace sluice::remote_sampling
