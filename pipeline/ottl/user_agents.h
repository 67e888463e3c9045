#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace re2 {
class RE2;
}

namespace sluice::ottl {

struct UserAgent {
  std::string name, version, system, system_version;
};

/// Knows browsers, robots and systems by their user agent strings, from the regular expressions of
/// the uap-core project, of which the first one that matches says the name. For all workers; what
/// was asked for before is remembered, since few strings make up most of what comes.
class UserAgents {
 public:
  /// The file where Debian's package uap-core has it.
  static constexpr const char* usual_file = "/usr/share/uap-core/regexes.yaml";

  /// The same one for everybody who asks for the same file while somebody holds it. Null, with what
  /// is wrong, where the file cannot be read or is not what it should be.
  static std::shared_ptr<const UserAgents> of_file(const std::string& path, std::string& mistake);

  UserAgent parse(std::string_view text) const;

 private:
  /// What a match says: texts in which `$1` stands for the first group.
  struct Rule {
    std::shared_ptr<const re2::RE2> pattern;
    std::string name;
    std::vector<std::string> version;
  };
  friend class RuleReader;

  /// The name and the version by the first rule that gives a name.
  static void apply(const std::vector<Rule>& rules, std::string_view text, std::string& name,
                    std::string& version);

  static constexpr std::size_t remembered_max = 1024;
  static constexpr std::size_t remembered_text_max = 1024;  ///< bytes

  std::vector<Rule> programs_, systems_;
  mutable std::mutex lock_;
  mutable std::unordered_map<std::string, UserAgent> remembered_;
};

}  // namespace sluice::ottl
