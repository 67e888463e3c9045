#include "pipeline/net/http1_reply.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

namespace sluice::net::http1 {
namespace {

std::string_view reason(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 24> reasons{
      {{200, "OK"},
       {202, "Accepted"},
       {204, "No Content"},
       {301, "Moved Permanently"},
       {304, "Not Modified"},
       {400, "Bad Request"},
       {401, "Unauthorized"},
       {403, "Forbidden"},
       {404, "Not Found"},
       {405, "Method Not Allowed"},
       {408, "Request Timeout"},
       {413, "Content Too Large"},
       {415, "Unsupported Media Type"},
       {417, "Expectation Failed"},
       {429, "Too Many Requests"},
       {431, "Request Header Fields Too Large"},
       {500, "Internal Server Error"},
       {501, "Not Implemented"},
       {502, "Bad Gateway"},
       {503, "Service Unavailable"},
       {504, "Gateway Timeout"},
       {505, "HTTP Version Not Supported"},
       {307, "Temporary Redirect"},
       {302, "Found"}}};
  for (const auto& [code, text] : reasons) {
    if (code == status) return text;
  }
  return "Status";
}

/// What a client sent may come back in a header; a line break there would begin another one.
void append_header(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ");
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c;
  out += "\r\n";
}

/// IMF-fixdate, made once a second and thread.
const std::string& date_text(std::chrono::system_clock::time_point time) {
  thread_local std::time_t made_at = -1;
  thread_local std::string text;
  const std::time_t now = std::chrono::system_clock::to_time_t(time);
  if (now != made_at) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> buffer{};
    const std::size_t size =
        std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text.assign(buffer.data(), size);
    made_at = now;
  }
  return text;
}

}  // namespace

void append_reply(const Response& response, const ReplyForm& form, std::string& out) {
  const bool may_have_body = response.status != 204 && response.status != 304;
  out.append("HTTP/1.1 ")
      .append(std::to_string(response.status))
      .append(" ")
      .append(reason(response.status));
  out += "\r\n";
  append_header("date", date_text(form.date), out);
  if (!response.content_type.empty()) append_header("content-type", response.content_type, out);
  if (may_have_body) append_header("content-length", std::to_string(response.body.size()), out);
  for (const auto& [name, value] : response.headers) append_header(name, value, out);
  if (response.retry_after) {
    append_header(
        "retry-after",
        std::to_string(std::chrono::ceil<std::chrono::seconds>(*response.retry_after).count()),
        out);
  }
  if (!form.keep_alive)
    append_header("connection", "close", out);
  else if (form.http_1_0)
    append_header("connection", "keep-alive", out);
  out += "\r\n";
  if (may_have_body && !form.without_body) out += response.body;
}

}  // namespace sluice::net::http1
