#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// What came with a request beside its spans. Immutable, shared by everything that was in the
/// request, null unless a component asked for it. `metadata` holds header names in lower case, in
/// order of arrival; a name may occur several times.
struct RequestContext {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string
      peer;  ///< address of the sender, without the port ("127.0.0.1"; empty for a unix socket)
  std::string identity;                                   ///< who authenticated, empty for nobody
  std::vector<std::pair<std::string, std::string>> auth;  ///< attributes of the identity
  std::chrono::system_clock::time_point arrival;

  /// All values of one metadata key (any case).
  std::vector<std::string_view> metadata_values(std::string_view key) const;
  /// The same, joined with ';' as the collector does; empty if none.
  std::string metadata_value(std::string_view key) const;
};

using RequestContextRef = std::shared_ptr<const RequestContext>;

}  // namespace sluice
