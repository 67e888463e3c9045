#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/lexer.h"

/// A statement as it was written, before anybody asks what its names mean.
namespace sluice::ottl {

/// What one statement may cost to hold and to walk.
namespace limits {
inline constexpr std::size_t text_size = std::size_t{64} << 10;
inline constexpr int depth = 64;            ///< of parentheses, calls, lists, maps, indexes
inline constexpr std::size_t items = 4096;  ///< of a list, a map or a call's arguments
}  // namespace limits

struct Syntax;
using SyntaxPtr = std::unique_ptr<Syntax>;

/// `attributes["key"][0]` is one segment with two keys.
struct Segment {
  Place place;
  std::string name;
  std::vector<SyntaxPtr> keys;
};

/// Values and conditions have one grammar, so that reading needs no second try; the compiler says
/// where a condition stands for a value.
struct Syntax {
  enum class Kind : std::uint8_t {
    nil,
    boolean,
    integer,
    real,
    string,
    bytes,
    symbol,      ///< a capital word alone: an enumerator, or a converter as an argument
    path,        ///< `segments`
    call,        ///< `text`, `items` by `names`, indexed by `keys`
    list,        ///< `items`
    map,         ///< `items` by `names`
    lambda,      ///< parameters are `names`, the body the only item
    negation,    ///< minus its only item
    arithmetic,  ///< `text` is the operator, between two items
    comparison,  ///< likewise
    not_,
    and_,
    or_,
  };
  Kind kind = Kind::nil;
  Place place;
  std::string text;  ///< of a string or bytes the content
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<SyntaxPtr> items;
  std::vector<std::string> names;  ///< of a call's arguments; empty where they have none
  std::vector<Segment> segments;
  std::vector<SyntaxPtr> keys;
};

/// `editor(arguments) where condition`.
struct StatementSyntax {
  SyntaxPtr editor;
  SyntaxPtr where;  ///< null: always
};

/// Null, with the mistake, where the text is none.
SyntaxPtr parse_expression(std::string_view text, Mistake& mistake);
bool parse_statement(std::string_view text, StatementSyntax& statement, Mistake& mistake);

}  // namespace sluice::ottl
