#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Where something stands in what the user wrote. Lines and columns count from 1 (columns in
/// characters, not bytes); 0 is unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  int width = 1;  ///< how many characters a report marks
};

struct Problem {
  Position position;
  std::string path;     ///< "processors.batch.timeout"
  std::string message;  ///< what was expected, what was found, the nearest known key
  bool fatal = true;    ///< a warning otherwise

  /// `file:line:column: path: message`, one line.
  std::string to_string() const;
};

/// Collects the mistakes of one run, the first thousand of them; nobody throws. Keeps the texts
/// that were read, so that a report can show the line, and the secrets that were decoded, so that
/// it never shows those.
class Problems {
 public:
  void error(Position position, std::string path, std::string message);
  void warning(Position position, std::string path, std::string message);
  /// An accepted key without effect: named once at start.
  void without_effect(std::string path);
  /// The text of a file, for the lines that a report shows.
  void source(std::string file, std::string text);
  /// The same text; empty for a file that was not read.
  std::string_view source_of(std::string_view file) const;
  /// Text that no report may show.
  void secret(std::string_view text);

  bool any_errors() const { return error_count() > 0; }
  std::size_t error_count() const { return error_count_; }
  /// In the order of the files and of the positions in them; what was said twice is here once.
  const std::vector<Problem>& list() const { return list_; }
  const std::vector<std::string>& keys_without_effect() const { return without_effect_; }

  /// For the terminal: each problem with its source line and a caret under the place, secrets
  /// masked.
  std::string report() const;
  /// One problem in its one-line form, secrets masked, warnings marked: for a log.
  std::string line(const Problem& problem) const;

 private:
  void add(Problem problem);
  std::size_t rank(const Position& position) const;
  std::string masked(std::string text) const;
  std::string excerpt(const Problem& problem) const;

  std::vector<Problem> list_;
  std::size_t error_count_ = 0;
  std::size_t unlisted_count_ = 0;
  std::vector<std::string> without_effect_;
  std::vector<std::pair<std::string, std::string>>
      sources_;  ///< file and text, in order of reading
  std::set<std::string, std::less<>> secrets_;
};

/// The known word closest to `word` (edit distance without regard to case, at most a third of its
/// length, but always one slip), or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string>& known);

/// `; did you mean "batch"?`, or empty where nothing is near: the end of a message about `word`.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// `"text"` for a message: control characters escaped, shortened to 80 bytes, one line.
std::string in_quotes(std::string_view text);

}  // namespace sluice::config
