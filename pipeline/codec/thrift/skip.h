#pragma once

#include <cstdint>

#include "pipeline/codec/thrift/thrift.h"

/// Stepping over a value of any type; private to the two readers.
namespace sluice::thrift {

template <typename Reader>
void skip_value(Reader& reader, Type type, int depth);

template <typename Reader>
void skip_struct(Reader& reader, int depth) {
  Field field;
  while (reader.next(field)) {
    if (field.type == Type::boolean)
      (void)reader.boolean(field);
    else
      skip_value(reader, field.type, depth);
  }
}

template <typename Reader>
void skip_list(Reader& reader, int depth) {
  const List list = reader.list();
  for (std::uint32_t i = 0; i < list.size && reader.ok(); ++i)
    skip_value(reader, list.element, depth);
}

template <typename Reader>
void skip_map(Reader& reader, int depth) {
  const Map map = reader.map();
  for (std::uint32_t i = 0; i < map.size && reader.ok(); ++i) {
    skip_value(reader, map.key, depth);
    skip_value(reader, map.value, depth);
  }
}

template <typename Reader>
void skip_value(Reader& reader, Type type, int depth) {
  switch (type) {
    case Type::boolean: (void)reader.boolean_element(); return;
    case Type::i8: (void)reader.i8(); return;
    case Type::i16: (void)reader.i16(); return;
    case Type::i32: (void)reader.i32(); return;
    case Type::i64: (void)reader.i64(); return;
    case Type::real: (void)reader.real(); return;
    case Type::string: (void)reader.string(); return;
    default: break;
  }
  if (depth == depth_max) {
    reader.fail("nested deeper than 64");
    return;
  }
  switch (type) {
    case Type::structure: return skip_struct(reader, depth + 1);
    case Type::set:
    case Type::list: return skip_list(reader, depth + 1);
    case Type::map: return skip_map(reader, depth + 1);
    default: reader.fail("a value is of no known type");
  }
}

}  // namespace sluice::thrift
