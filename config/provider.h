#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

/// "scheme:rest", where the scheme is letters, digits, "+", "." and "-", two or more, a letter
/// first.
struct Uri {
  std::string_view scheme;
  std::string_view rest;
};
std::optional<Uri> parse_uri(std::string_view text);

/// The name, and the default behind ":-" if there is one.
struct EnvironmentUri {
  std::string name;
  std::optional<std::string> fallback;
};
EnvironmentUri parse_environment_uri(std::string_view rest);
/// Letters, digits and underscores, no digit first.
bool is_environment_name(std::string_view name);

/// The bytes of a file, at most 1 MiB; empty with a sentence in `error` if it cannot be read.
std::optional<std::string> read_file(const std::string& path, std::string& error);

/// Why a scheme is refused: `http` and `https` are known and unwanted, others are unknown.
std::string scheme_refusal(std::string_view scheme);

}  // namespace sluice::config
