#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ottl {

/// A stretch of a statement's text, for what is said about it.
struct Place {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Why a statement is not taken.
struct Mistake {
  Place place;
  std::string message;
};

/// The words of a statement. Keywords (`nil`, `not`, `where`, …) are lower words too: what they
/// mean depends on where they stand.
struct Token {
  enum class Kind : std::uint8_t {
    end,
    lower_word,  ///< begins with a small letter: a path's segment, an editor, a keyword
    upper_word,  ///< begins with a capital: a converter, an enumerator
    blank,       ///< a lone underscore
    integer,
    real,
    bytes,
    string,
    comparison,  ///< == != < <= > >=
    sign         ///< any other: + - * / ( ) [ ] { } , . : = =>
  };
  Kind kind = Kind::end;
  Place place;
  std::string_view text;

  bool is(Kind wanted, std::string_view word) const { return kind == wanted && text == word; }
  bool is_sign(std::string_view sign) const { return is(Kind::sign, sign); }
  bool is_word(std::string_view word) const { return is(Kind::lower_word, word); }
};

/// Splits a statement into its tokens, the last of them `end`. False, with the place, at what can
/// begin none. The tokens borrow from `text`.
bool tokenize(std::string_view text, std::vector<Token>& tokens, Mistake& mistake);

/// What a string literal, quotes included, stands for: the escapes are Go's. False at an escape
/// that is none; `mistake.place` is relative to the literal.
bool unquote(std::string_view literal, std::string& out, Mistake& mistake);

}  // namespace sluice::ottl
