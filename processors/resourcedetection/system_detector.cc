#include "processors/resourcedetection/system_detector.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <future>
#include <map>
#include <thread>
#include <utility>

#include "pipeline/attributes/value.h"
#include "processors/resourcedetection/interfaces.h"

namespace sluice::resourcedetection {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view names[] = {"host.arch",
                                      "host.cpu.cache.l2.size",
                                      "host.cpu.family",
                                      "host.cpu.model.id",
                                      "host.cpu.model.name",
                                      "host.cpu.stepping",
                                      "host.cpu.vendor.id",
                                      "host.id",
                                      "host.interface",
                                      "host.ip",
                                      "host.mac",
                                      "host.name",
                                      "os.build.id",
                                      "os.description",
                                      "os.name",
                                      "os.type",
                                      "os.version"};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return trimmed(line);
}

std::string unquoted(std::string text) {
  const bool quoted =
      text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// Lines of the form `key=value` or `key : value`; of a key that is there twice the first one.
Values values_of(const std::string& path, char sign) {
  Values values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(sign);
    if (at == std::string::npos) continue;
    values.emplace(trimmed(line.substr(0, at)), unquoted(trimmed(line.substr(at + 1))));
  }
  return values;
}

std::string value_in(const Values& values, std::string_view key) {
  const auto found = values.find(key);
  return found == values.end() ? std::string() : found->second;
}

Values os_release(const std::string& root) {
  Values values = values_of(root + "/etc/os-release", '=');
  return values.empty() ? values_of(root + "/usr/lib/os-release", '=') : values;
}

std::string architecture(const std::string& machine) {
  static const Values known = {{"x86_64", "amd64"},    {"aarch64", "arm64"}, {"armv7l", "arm32"},
                               {"armv6l", "arm32"},    {"i386", "x86"},      {"i686", "x86"},
                               {"ppc64le", "ppc64le"}, {"s390x", "s390x"}};
  const auto found = known.find(machine);
  return found == known.end() ? machine : found->second;
}

std::string description(const Values& release, const utsname& kernel) {
  std::string version = value_in(release, "VERSION");
  if (version.empty()) version = value_in(release, "VERSION_ID");
  std::string system = value_in(release, "NAME");
  system =
      system.empty() || version.empty() ? value_in(release, "PRETTY_NAME") : system + " " + version;
  const std::string whole = std::string(kernel.sysname) + " " + kernel.nodename + " " +
                            kernel.release + " " + kernel.version + " " + kernel.machine;
  return system.empty() ? whole : system + " (" + whole + ")";
}

/// Debian has the version with its point release in a file of its own.
std::string version(const Values& release, const std::string& root) {
  const std::string debian = first_line(root + "/etc/debian_version");
  return value_in(release, "ID") == "debian" && !debian.empty() ? debian
                                                                : value_in(release, "VERSION_ID");
}

std::string machine_id(const std::string& root) {
  const std::string id = first_line(root + "/etc/machine-id");
  return id.empty() ? first_line(root + "/var/lib/dbus/machine-id") : id;
}

/// The name service may take its time: whoever waits gives up (0: never), and the look-up ends by
/// itself.
std::optional<std::string> hostname_within(const std::vector<HostnameSource>& sources,
                                           std::chrono::nanoseconds timeout,
                                           const std::string& root) {
  std::promise<std::optional<std::string>> promise;
  std::future<std::optional<std::string>> found = promise.get_future();
  std::thread([sources, root, promise = std::move(promise)]() mutable {
    std::optional<std::string> name;
    for (const HostnameSource source : sources) {
      if (!name) name = hostname(source, root);
    }
    promise.set_value(std::move(name));
  }).detach();
  const bool in_time = timeout.count() == 0 || found.wait_for(timeout) == std::future_status::ready;
  if (!in_time) return std::nullopt;
  return found.get();
}

/// Collects what is enabled and not empty.
class Collection {
 public:
  explicit Collection(const SystemOptions& options) : options_(options) {}

  bool wants(std::string_view key) const { return options_.enabled.contains(key); }
  void add(std::string_view key, const std::string& text) {
    if (wants(key) && !text.empty()) found.add(key, encoded_string(text));
  }
  void add_number(std::string_view key, const std::string& text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wants(key) && read.ec == std::errc()) found.add(key, encoded_integer(number));
  }
  void add_list(std::string_view key, const std::vector<std::string>& texts) {
    if (wants(key) && !texts.empty()) found.add(key, encoded_list(texts));
  }

  Detected found;

 private:
  const SystemOptions& options_;
};

void add_processor(Collection& all, const std::string& root) {
  const Values values = values_of(root + "/proc/cpuinfo", ':');
  all.add("host.cpu.vendor.id", value_in(values, "vendor_id"));
  all.add("host.cpu.family", value_in(values, "cpu family"));
  all.add("host.cpu.model.id", value_in(values, "model"));
  all.add("host.cpu.model.name", value_in(values, "model name"));
  all.add("host.cpu.stepping", value_in(values, "stepping"));
  all.add_number("host.cpu.cache.l2.size", value_in(values, "cache size"));
}

}  // namespace

SystemOptions SystemOptions::decode(const config::Node& node) {
  SystemOptions options;
  std::vector<std::string> sources;
  node.optional("hostname_sources", sources);
  if (!sources.empty()) options.hostname_sources.clear();
  static const std::map<std::string, HostnameSource, std::less<>> known = {
      {"os", HostnameSource::os},
      {"dns", HostnameSource::dns},
      {"cname", HostnameSource::cname},
      {"lookup", HostnameSource::reverse}};
  for (const std::string& source : sources) {
    const auto found = known.find(source);
    if (found != known.end()) {
      options.hostname_sources.push_back(found->second);
    } else {
      node.error("hostname_sources", "expected os, dns, cname or lookup, found \"" + source + "\"");
    }
  }
  const config::Node attributes = node.child("resource_attributes");
  for (const std::string_view name : names) {
    bool enabled = options.enabled.contains(name);
    const config::Node attribute = attributes.child(name);
    attribute.optional("enabled", enabled);
    attribute.no_other_keys();
    if (enabled) {
      options.enabled.emplace(name);
    } else {
      options.enabled.erase(std::string(name));
    }
  }
  attributes.no_other_keys();
  node.no_other_keys();
  return options;
}

std::optional<Detected> detect_system(const SystemOptions& options,
                                      std::chrono::nanoseconds timeout, const std::string& root) {
  const std::optional<std::string> name = hostname_within(options.hostname_sources, timeout, root);
  if (!name) return std::nullopt;
  utsname kernel{};
  uname(&kernel);
  const Values release = os_release(root);
  const std::string build = value_in(release, "BUILD_ID");
  Collection all(options);
  all.add("host.name", *name);
  all.add("os.type", "linux");
  all.add("os.version", version(release, root));
  all.add("host.id", machine_id(root));
  all.add("host.arch", architecture(kernel.machine));
  all.add_list("host.ip", interface_addresses());
  all.add_list("host.mac", interface_hardware());
  all.add_list("host.interface", interface_names());
  all.add("os.description", description(release, kernel));
  all.add("os.name", value_in(release, "ID"));
  all.add("os.build.id", build.empty() ? kernel.release : build);
  add_processor(all, root);
  all.found.schema_url = "https://opentelemetry.io/schemas/1.40.0";
  return std::move(all.found);
}

}  // namespace sluice::resourcedetection
