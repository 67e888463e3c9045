#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::ottl {

/// A parameter of a function's signature, read (functions.h).
struct Parameter {
  enum class Kind : std::uint8_t {
    any,
    string,
    integer,
    real,
    time,
    duration,
    map,
    list,
    text,
    integer_like,
    real_like,
    boolean_like,
    bytes_like,
    literal_string,
    literal_integer,
    literal_boolean,
    path,
    map_path,
    list_path,
    any_list,
    string_list,
    text_list,
    literal_list,
    lambda,
    converter,
  };
  std::string_view name;
  Kind kind = Kind::any;
  bool optional = false;
  std::size_t lambda_parameters = 0;
  std::string_view words;  ///< the kind as the signature has it
};
std::vector<Parameter> parameters_of(std::string_view signature);

}  // namespace sluice::ottl
