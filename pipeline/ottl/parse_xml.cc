// ParseXML and ParseSimplifiedXML: XML as maps.
#include <map>
#include <pugixml.hpp>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/ottl/library.h"
#include "pipeline/ottl/xml_document.h"

namespace sluice::ottl::library {
namespace {

bool is_element(const pugi::xml_node& node) { return node.type() == pugi::node_element; }
bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// `{"tag": …, "content": …, "attributes": {…}, "children": […]}`, without what is empty.
Value as_map(const pugi::xml_node& element, Arena& arena) {
  MapBuilder map, attributes;
  map.put("tag", Value::of_string(local_name(element.name())));
  std::string content;
  ListBuilder children;
  bool any_children = false;
  for (const pugi::xml_node& child : element) {
    if (is_text(child)) content += trimmed(child.value());
    if (!is_element(child)) continue;
    children.add(as_map(child, arena));
    any_children = true;
  }
  if (!content.empty()) map.put("content", Value::of_string(content));
  for (const pugi::xml_attribute& attribute : element.attributes())
    attributes.put(local_name(attribute.name()), Value::of_string(attribute.value()));
  if (element.first_attribute()) map.put("attributes", attributes.finish(arena));
  if (any_children) map.put("children", children.finish(arena));
  return map.finish(arena);
}

/// Its text, where it has no elements.
std::string_view leaf_text(const pugi::xml_node& element) {
  if (element.find_child(is_element)) return {};
  return element.find_child(is_text).value();
}

/// Elements by their names, texts as strings; those of one name as a list. Nothing where there is
/// none.
std::optional<Value> simplified(const pugi::xml_node& parent, Arena& arena) {
  std::map<std::string_view, std::size_t> counts;
  for (const pugi::xml_node& child : parent) {
    if (is_element(child)) ++counts[local_name(child.name())];
  }
  MapBuilder map;
  std::map<std::string_view, ListBuilder> lists;
  bool any = false;
  for (const pugi::xml_node& child : parent) {
    if (!is_element(child) || !child.first_child()) continue;
    const std::string_view name = local_name(child.name());
    const std::string_view text = leaf_text(child);
    const bool in_list = counts[name] > 1;
    if (in_list) lists[name];
    any = any || in_list;
    const auto value = text.empty() ? simplified(child, arena) : Value::of_string(text);
    if (!value) continue;
    any = true;
    if (in_list) {
      lists[name].add(*value);
    } else {
      map.put(name, *value);
    }
  }
  if (!any) return std::nullopt;
  for (const auto& [name, list] : lists) map.put(name, list.finish(arena));
  return map.finish(arena);
}

}  // namespace

Value parse_xml(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  const pugi::xml_node root = document.find_child(is_element);
  if (root.next_sibling()) return in.fail("there is something behind the XML");
  return as_map(root, in.arena);
}

Value parse_simplified_xml(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  const auto map = simplified(document, in.arena);
  return map ? *map : MapBuilder().finish(in.arena);
}

}  // namespace sluice::ottl::library
