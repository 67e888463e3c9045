#include "exporters/loadbalancing/member_source.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/net/client.h"
#include "pipeline/net/client_headers.h"
#include "pipeline/net/resolver.h"

namespace sluice::loadbalancing {
namespace {

/// More is no list of members.
constexpr std::size_t file_size_max = 1 << 20;

class StaticSource final : public MemberSource {
 public:
  StaticSource(const StaticMembers& options, MemberListener& listener)
      : endpoints_(options.hostnames), listener_(listener) {
    std::ranges::sort(endpoints_);
  }
  void start() override { listener_.resolved(endpoints_); }

 private:
  std::vector<std::string> endpoints_;
  MemberListener& listener_;
};

/// All addresses of a name. The system's resolver cannot be interrupted: a look-up that takes too
/// long has failed, and what it still brings does not count, but the next one waits for its end.
class DnsSource final : public MemberSource {
 public:
  DnsSource(const DnsMembers& options, const ExporterContext& context, MemberListener& listener)
      : options_(options),
        executor_(context.executor),
        listener_(listener),
        resolver_(net::loop_for(context.executor, context.loops)) {}

  void start() override {
    again_ = executor_.after(options_.interval, [this] { start(); });
    if (std::exchange(under_way_, true)) return;
    too_late_ = executor_.after(options_.timeout, [this] {
      late_ = true;
      listener_.unresolved("no answer within the timeout");
    });
    resolver_.resolve(options_.hostname, 0, [this](const auto& addresses, const auto& error) {
      under_way_ = false;
      too_late_.cancel();
      if (!std::exchange(late_, false)) answered(addresses, error);
    });
  }

 private:
  void answered(const std::vector<net::SocketAddress>& addresses, const std::string& error) {
    if (addresses.empty()) return listener_.unresolved(error);
    std::vector<std::string> endpoints;
    for (const net::SocketAddress& each : addresses) endpoints.push_back(endpoint_of(each.text));
    std::ranges::sort(endpoints);
    endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
    listener_.resolved(std::move(endpoints));
  }

  /// Without a port in the options there is none in the endpoint, and so in the ring, as in the
  /// collector's.
  std::string endpoint_of(const std::string& address) const {
    const std::string host = address.substr(0, address.rfind(':'));
    return options_.port.empty() ? host : host + ":" + options_.port;
  }

  const DnsMembers options_;
  Executor& executor_;
  MemberListener& listener_;
  bool under_way_ = false;
  bool late_ = false;
  Timer again_, too_late_;
  net::Resolver resolver_;
};

/// A file that a person or a program keeps. What cannot be used leaves the members as they are.
class FileSource final : public MemberSource {
 public:
  FileSource(const FileMembers& options, const ExporterContext& context, MemberListener& listener)
      : options_(options), executor_(context.executor), listener_(listener) {}

  void start() override {
    again_ = executor_.after(options_.interval, [this] { start(); });
    std::string error;
    std::vector<std::string> endpoints;
    const std::optional<std::string> text = read(error);
    if (!text || !read_endpoints(*text, endpoints, error)) {
      return listener_.unresolved("\"" + options_.path + "\": " + error);
    }
    listener_.resolved(std::move(endpoints));
  }

 private:
  std::optional<std::string> read(std::string& error) const {
    std::ifstream file(options_.path, std::ios::binary);
    std::string text(file_size_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || !file.eof()) {
      error = file.good() ? "is larger than 1 MiB" : "cannot be read";
      return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
  }

  const FileMembers options_;
  Executor& executor_;
  MemberListener& listener_;
  Timer again_;
};

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

std::unique_ptr<MemberSource> make_member_source(const SourceOptions& options,
                                                 const ExporterContext& context,
                                                 MemberListener& listener) {
  using Made = std::unique_ptr<MemberSource>;
  return std::visit(Overloaded{[&](const StaticMembers& members) -> Made {
                                 return std::make_unique<StaticSource>(members, listener);
                               },
                               [&](const DnsMembers& members) -> Made {
                                 return std::make_unique<DnsSource>(members, context, listener);
                               },
                               [&](const FileMembers& members) -> Made {
                                 return std::make_unique<FileSource>(members, context, listener);
                               }},
                    options);
}

std::string_view source_name(const SourceOptions& options) {
  constexpr std::string_view names[] = {"static", "dns", "file"};
  return names[options.index()];
}

std::string with_port(const std::string& endpoint) {
  const bool has_port = endpoint.find(':') != std::string::npos && !endpoint.ends_with(']');
  return has_port ? endpoint : endpoint + ":4317";
}

bool read_endpoints(std::string_view text, std::vector<std::string>& endpoints,
                    std::string& error) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string endpoint(trimmed(line.substr(0, line.find('#'))));
    if (endpoint.empty()) continue;
    if (!net::parse_grpc_target(with_port(endpoint))) {
      error = "\"" + endpoint + "\" is no address";
      return false;
    }
    endpoints.push_back(endpoint);
  }
  std::ranges::sort(endpoints);
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
  if (endpoints.empty()) error = "has no endpoints";
  return !endpoints.empty();
}

}  // namespace sluice::loadbalancing
