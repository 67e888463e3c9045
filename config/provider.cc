#include "config/provider.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "config/error.h"
#include "config/value.h"

namespace sluice::config {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Closes the descriptor when it goes.
class File {
 public:
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::optional<Uri> parse_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon < 2 || !is_letter(text[0])) return {};
  const std::string_view scheme = text.substr(0, colon);
  const bool valid = std::ranges::all_of(scheme, [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '.' || c == '-';
  });
  if (!valid) return {};
  return Uri{scheme, text.substr(colon + 1)};
}

EnvironmentUri parse_environment_uri(std::string_view rest) {
  const std::size_t mark = rest.find(":-");
  if (mark == std::string_view::npos) return {std::string(rest), std::nullopt};
  return {std::string(rest.substr(0, mark)), std::string(rest.substr(mark + 2))};
}

bool is_environment_name(std::string_view name) {
  if (name.empty() || is_digit(name[0])) return false;
  return std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::optional<std::string> read_file(const std::string& path, std::string& error) {
  const File file(path);
  struct stat status {};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) {
    error = std::strerror(errno);
    return {};
  }
  std::string text;
  std::array<char, 16 * 1024> chunk{};
  while (true) {
    const ssize_t count = ::read(file.fd(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      error = std::strerror(errno);
      return {};
    }
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > limits::file_bytes) {
      error = "larger than 1 MiB";
      return {};
    }
  }
}

std::string scheme_refusal(std::string_view scheme) {
  if (scheme == "http" || scheme == "https") {
    return "configuration is read from local files and the environment only, not over " +
           std::string(scheme);
  }
  return "unknown source " + in_quotes(scheme) + did_you_mean(scheme, {"env", "file", "yaml"});
}

}  // namespace sluice::config
