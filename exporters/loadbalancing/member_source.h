#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/component.h"

namespace sluice::loadbalancing {

struct StaticMembers {
  std::vector<std::string> hostnames;
};
struct DnsMembers {
  std::string hostname;
  std::string port;  ///< as it was written; empty: none is part of the endpoints
  std::chrono::nanoseconds interval = std::chrono::seconds(5);
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
};
struct FileMembers {
  std::string path;
  std::chrono::nanoseconds interval = std::chrono::seconds(5);
};
using SourceOptions = std::variant<StaticMembers, DnsMembers, FileMembers>;

/// Who wants to know the members.
class MemberListener {
 public:
  /// What the endpoints are, in order, at least one; said again each time they were looked up.
  virtual void resolved(std::vector<std::string> endpoints) = 0;
  virtual void unresolved(const std::string& reason) = 0;

 protected:
  ~MemberListener() = default;
};

/// Where the endpoints of the members come from: looks them up at `start` and then again and again.
/// Lives on the exporter's executor, where it calls the listener, which outlives it.
class MemberSource {
 public:
  virtual ~MemberSource() = default;
  virtual void start() = 0;
};

std::unique_ptr<MemberSource> make_member_source(const SourceOptions& options,
                                                 const ExporterContext& context,
                                                 MemberListener& listener);

/// The value of the label `resolver`.
std::string_view source_name(const SourceOptions& options);

/// "host" → "host:4317"; whatever has a port keeps it.
std::string with_port(const std::string& endpoint);

/// The endpoints in the text of a file: one a line, without blanks around it; empty lines and what
/// follows a `#` do not count. Sorted, each once. False with a sentence in `error` where there are
/// none, or a line that is no address.
bool read_endpoints(std::string_view text, std::vector<std::string>& endpoints, std::string& error);

}  // namespace sluice::loadbalancing
