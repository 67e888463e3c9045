#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/model/request_context.h"
#include "pipeline/ottl/ottl.h"

namespace sluice::routing {

/// `request["X-Tenant"] == "acme"`: any value of a header is the text, or with `!=` is not. Without
/// the header neither holds.
struct RequestCondition {
  bool holds(const RequestContext* request) const;

  std::string header;  ///< in lower case
  std::string value;
  bool equal = true;
};

struct Route {
  enum class About : std::uint8_t { request, resource, span };
  About about = About::resource;
  RequestCondition request;           ///< where it is about the request
  ottl::CompiledCondition condition;  ///< where it is not
  bool copy = false;                  ///< what it matches stays for the routes behind it
  std::vector<std::string> pipelines;
};

struct Options {
  static constexpr std::size_t routes_max = 1000;

  /// The items that name pipelines are added to `references`, for whoever knows which there are.
  static Options decode(const config::Node& node, std::vector<config::Node>& references);
  bool reads_request() const;

  std::vector<Route> table;
  std::vector<std::string> default_pipelines;
  ottl::ErrorMode error_mode = ottl::ErrorMode::ignore;
};

}  // namespace sluice::routing
