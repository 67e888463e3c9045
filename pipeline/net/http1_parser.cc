#include "pipeline/net/http1_parser.h"

#include <algorithm>
#include <array>
#include <string>

#include "pipeline/net/field_values.h"

namespace sluice::net::http1 {
namespace {

constexpr int ok = 0, bad_request = 400, fields_too_large = 431, not_implemented = 501,
              unknown_version = 505;

constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(
           "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_table[static_cast<unsigned char>(c)];
  });
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Up to CRLF, which it takes away too; empty optional where a CR or LF stands alone.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return std::nullopt;
  const std::string_view line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  if (line.find('\r') != std::string_view::npos) return std::nullopt;
  return line;
}

/// origin-form, "*" (with OPTIONS), or absolute-form, of which the authority is put aside.
bool parse_target(std::string_view target, std::string_view method, Exchange::Head& head) {
  const auto visible = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
  if (target.empty() || !std::all_of(target.begin(), target.end(), visible)) return false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t slash = target.find_first_of("/?");
    head.authority = head.lines.keep(target.substr(0, slash));
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (target.starts_with('?')) return false;
  if (!target.starts_with('/') && !(target == "*" && method == "OPTIONS")) return false;
  const std::size_t question = target.find('?');
  head.path = head.lines.keep(target.substr(0, question));
  if (question != std::string_view::npos) head.query = head.lines.keep(target.substr(question + 1));
  return true;
}

int parse_request_line(std::string_view line, Exchange::Head& head, Framing& framing) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad_request;
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  if (!is_token(method)) return bad_request;
  head.method = head.lines.keep(method);
  if (!parse_target(line.substr(first + 1, last - first - 1), method, head)) return bad_request;
  framing.http_1_0 = version == "HTTP/1.0";
  framing.keep_alive = !framing.http_1_0;
  if (version == "HTTP/1.1" || framing.http_1_0) return ok;
  return version.starts_with("HTTP/") ? unknown_version : bad_request;
}

/// Collects what the header lines say about framing and holds it together at the end.
class FramingFields {
 public:
  int take(std::string_view name, std::string_view value, Exchange::Head& head, Framing& framing) {
    if (name == "content-length") {
      if (head.content_length || !(head.content_length = parse_length(value))) return bad_request;
    } else if (name == "transfer-encoding") {
      if (framing.chunked) return bad_request;
      if (!equals_ignoring_case(value, "chunked")) return not_implemented;
      framing.chunked = true;
    } else if (name == "host") {
      if (has_host_) return bad_request;
      has_host_ = true;
    } else if (name == "expect") {
      if (!equals_ignoring_case(value, "100-continue")) return 417;
      framing.expects_continue = true;
    } else if (name == "connection") {
      take_connection(value, framing);
    }
    return ok;
  }

  int conclude(const Exchange::Head& head, Framing& framing) const {
    if (framing.chunked && (head.content_length || framing.http_1_0)) return bad_request;
    if (!has_host_ && !framing.http_1_0) return bad_request;
    if (framing.http_1_0) framing.expects_continue = false;
    if (close_) framing.keep_alive = false;
    return ok;
  }

 private:
  void take_connection(std::string_view value, Framing& framing) {
    while (!value.empty()) {
      const std::size_t comma = value.find(',');
      const std::string_view option = trimmed(value.substr(0, comma));
      if (equals_ignoring_case(option, "close")) close_ = true;
      if (equals_ignoring_case(option, "keep-alive")) framing.keep_alive = true;
      value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    }
  }

  bool has_host_ = false;
  bool close_ = false;
};

}  // namespace

int parse_head(std::string_view text, const ServerOptions& options, Exchange::Head& head,
               Framing& framing) {
  head.lines.reserve(text.size(), 16);
  const std::optional<std::string_view> request_line = take_line(text);
  if (!request_line) return bad_request;
  if (const int status = parse_request_line(*request_line, head, framing); status != ok)
    return status;
  FramingFields fields;
  std::string lower_name;
  while (!text.empty()) {
    const std::optional<std::string_view> line = take_line(text);
    if (!line) return bad_request;
    if (line->empty()) break;
    if (head.lines.count() == options.header_lines_max) return fields_too_large;
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos) return bad_request;
    // A folded line starts with a blank, which no token holds.
    const std::string_view name = line->substr(0, colon), value = trimmed(line->substr(colon + 1));
    if (!is_token(name) || !is_value(value)) return bad_request;
    lower_name.resize(name.size());
    std::transform(name.begin(), name.end(), lower_name.begin(), lower);
    if (const int status = fields.take(lower_name, value, head, framing); status != ok)
      return status;
    head.lines.add(lower_name, value);
  }
  return fields.conclude(head, framing);
}

std::string_view ChunkReader::next(std::string_view& input) {
  while (!input.empty() && state_ == State::reading) {
    if (part_ == Part::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      const std::string_view content = input.substr(0, size);
      input.remove_prefix(size);
      left_ -= size;
      if (left_ == 0) part_ = Part::data_cr;
      return content;
    }
    take(input.front());
    input.remove_prefix(1);
  }
  return {};
}

void ChunkReader::take(char c) {
  const auto expect = [&](char wanted, Part then) {
    if (c == wanted)
      part_ = then;
    else
      state_ = State::broken;
  };
  switch (part_) {
    case Part::size: return take_size(c);
    case Part::extension:
      // Nobody reads them, and a long one is only there to cost something.
      if (c == '\r')
        part_ = Part::size_end;
      else if (++line_size_ > 128 || (c != '\t' && static_cast<unsigned char>(c) < 0x20))
        state_ = State::broken;
      return;
    case Part::size_end:
      expect('\n', left_ > 0 ? Part::data : Part::trailer);
      digits_ = line_size_ = 0;
      return;
    case Part::data: return;
    case Part::data_cr: return expect('\r', Part::data_lf);
    case Part::data_lf: return expect('\n', Part::size);
    case Part::trailer: return take_trailer(c);
    case Part::trailer_end:
      expect('\n', Part::trailer);
      trailer_line_empty_ = true;
      return;
    case Part::last_lf:
      if (c == '\n')
        state_ = State::complete;
      else
        state_ = State::broken;
      return;
  }
}

void ChunkReader::take_size(char c) {
  constexpr std::size_t digits_max = 8;
  int digit = -1;
  if (c >= '0' && c <= '9')
    digit = c - '0';
  else if (lower(c) >= 'a' && lower(c) <= 'f')
    digit = lower(c) - 'a' + 10;
  if (digit >= 0 && digits_ < digits_max) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    ++digits_;
  } else if (digits_ > 0 && c == '\r') {
    part_ = Part::size_end;
  } else if (digits_ > 0 && c == ';') {
    part_ = Part::extension;
  } else {
    state_ = State::broken;
  }
}

void ChunkReader::take_trailer(char c) {
  constexpr std::size_t trailers_max = 4096;
  if (c == '\r') {
    part_ = trailer_line_empty_ ? Part::last_lf : Part::trailer_end;
  } else if (++trailer_size_ > trailers_max || c == '\n' || c == '\0') {
    state_ = State::broken;
  } else {
    trailer_line_empty_ = false;
  }
}

}  // namespace sluice::net::http1
