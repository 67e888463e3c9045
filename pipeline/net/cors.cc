#include "pipeline/net/cors.h"

#include <algorithm>

namespace sluice::net::cors {
namespace {

bool matches(std::string_view pattern, std::string_view origin) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == origin;
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return origin.size() >= before.size() + after.size() && origin.starts_with(before) &&
         origin.ends_with(after);
}

bool any_origin(const RouteOptions& options) {
  return std::find(options.cors_origins.begin(), options.cors_origins.end(), "*") !=
         options.cors_origins.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

void allow(const RouteOptions& options, std::string_view origin, Response& response) {
  response.headers.emplace_back("vary", "Origin");
  const bool any = any_origin(options);
  response.headers.emplace_back("access-control-allow-origin",
                                any ? std::string("*") : std::string(origin));
  // With "*" a browser would refuse credentials in any case.
  if (!any) response.headers.emplace_back("access-control-allow-credentials", "true");
}

/// Those beyond the safelist that the route allows; "*" allows whatever is asked for.
std::string allowed_headers(const RouteOptions& options, const RequestHead& head) {
  const auto& configured = options.cors_headers;
  if (std::find(configured.begin(), configured.end(), "*") != configured.end()) {
    return std::string(head.header("access-control-request-headers"));
  }
  std::vector<std::string> all = {"Accept", "Content-Type", "X-Requested-With"};
  all.insert(all.end(), configured.begin(), configured.end());
  return joined(all);
}

}  // namespace

bool allows(const RouteOptions& options, std::string_view origin) {
  if (origin.empty()) return false;
  return std::any_of(options.cors_origins.begin(), options.cors_origins.end(),
                     [origin](const std::string& pattern) { return matches(pattern, origin); });
}

std::optional<Response> preflight(const RouteOptions& options, const RequestHead& head) {
  if (options.cors_origins.empty() || head.method != "OPTIONS") return std::nullopt;
  if (head.header("access-control-request-method").empty()) return std::nullopt;
  Response response;
  response.status = 204;
  const std::string_view origin = head.header("origin");
  if (!allows(options, origin)) return response;
  allow(options, origin, response);
  response.headers.emplace_back("access-control-allow-methods", "GET, POST, HEAD");
  if (const std::string headers = allowed_headers(options, head); !headers.empty()) {
    response.headers.emplace_back("access-control-allow-headers", headers);
  }
  if (options.cors_max_age.count() > 0) {
    response.headers.emplace_back("access-control-max-age",
                                  std::to_string(options.cors_max_age.count()));
  }
  return response;
}

void add_headers(const RouteOptions& options, std::string_view origin, Response& response) {
  if (!allows(options, origin)) return;
  allow(options, origin, response);
  if (!options.cors_exposed_headers.empty()) {
    response.headers.emplace_back("access-control-expose-headers",
                                  joined(options.cors_exposed_headers));
  }
}

}  // namespace sluice::net::cors
