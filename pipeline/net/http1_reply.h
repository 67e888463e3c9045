#pragma once

#include <chrono>
#include <string>

#include "pipeline/net/server.h"

namespace sluice::net::http1 {

struct ReplyForm {
  bool keep_alive = true;
  bool without_body = false;  ///< to HEAD: the length is said, the body is not sent
  bool http_1_0 = false;      ///< to a client for which keeping the connection must be said
  std::chrono::system_clock::time_point date;
};

/// Appends the response as HTTP/1.1.
void append_reply(const Response& response, const ReplyForm& form, std::string& out);

}  // namespace sluice::net::http1
