#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Where something stands in what the user wrote. Lines and columns count from 1; 0 is unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
};

struct Problem {
  Position position;
  std::string path;     ///< "processors.batch.timeout"
  std::string message;  ///< what was expected, what was found, the nearest known key
  bool fatal = true;    ///< a warning otherwise

  /// `file:line:column: path: message`, one line.
  std::string to_string() const;
};

/// Collects every mistake of one run; nobody throws.
class Problems {
 public:
  void error(Position position, std::string path, std::string message);
  void warning(Position position, std::string path, std::string message);
  /// An accepted key without effect: named once at start.
  void without_effect(std::string path);

  bool any_errors() const;
  const std::vector<Problem>& list() const { return list_; }
  const std::vector<std::string>& keys_without_effect() const { return without_effect_; }

 private:
  std::vector<Problem> list_;
  std::vector<std::string> without_effect_;
};

/// The known word closest to `word` (edit distance, at most a third of its length), or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace sluice::config
