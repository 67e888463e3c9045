#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/net/server.h"

/// Cross-origin requests (the Fetch standard, section 3.2), answered by the transport for routes
/// that name origins. Routes that name none send no such header, so a browser lets no page read
/// from them.
namespace sluice::net::cors {

/// Whether an origin that the route allows asks; patterns may hold '*' for any run of characters.
bool allows(const RouteOptions& options, std::string_view origin);

/// The answer to a preflight; empty where the request is none.
std::optional<Response> preflight(const RouteOptions& options, const RequestHead& head);

/// What the reply to an ordinary request says to the browser.
void add_headers(const RouteOptions& options, std::string_view origin, Response& response);

}  // namespace sluice::net::cors
