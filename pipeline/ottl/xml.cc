// Functions from XML to XML: what an XPath selects is taken out, removed, added to or converted.
#include <pugixml.hpp>

#include <memory>
#include <string>

#include "pipeline/ottl/library.h"
#include "pipeline/ottl/xml_document.h"

namespace sluice::ottl::library {
namespace {

std::string compile_xpath(Call& call, std::string_view otherwise) {
  std::string text(call.literal(1, otherwise));
  if (text.empty()) text = otherwise;
  try {
    auto query = std::make_shared<const pugi::xpath_query>(text.c_str());
    if (query->return_type() != pugi::xpath_type_node_set)
      return "the XPath must select nodes: " + text;
    call.prepared = std::move(query);
  } catch (const pugi::xpath_exception& error) {
    return "not an XPath (1.0): " + std::string(error.what());
  }
  return {};
}

pugi::xpath_node_set selected(const Call& call, const pugi::xml_document& document) {
  const auto& query = *static_cast<const pugi::xpath_query*>(call.prepared.get());
  pugi::xpath_node_set nodes = query.evaluate_node_set(document);
  nodes.sort();
  return nodes;
}

Value content_of(Evaluation& in, const pugi::xml_document& document) {
  std::string out;
  write_xml_content(document, out);
  return Value::of_string(in.arena.keep(out));
}

void remove(const pugi::xpath_node& selected) {
  if (selected.attribute()) {
    selected.parent().remove_attribute(selected.attribute());
    return;
  }
  switch (selected.node().type()) {
    case pugi::node_element:
    case pugi::node_pcdata:
    case pugi::node_cdata:
    case pugi::node_comment: selected.node().parent().remove_child(selected.node()); break;
    default: break;
  }
}

/// Texts beside elements or other texts become elements, here and in what is within.
void convert_texts(pugi::xml_node parent, const char* name) {
  std::size_t texts = 0, elements = 0;
  for (const pugi::xml_node& child : parent) {
    if (child.type() == pugi::node_pcdata) ++texts;
    if (child.type() != pugi::node_element) continue;
    ++elements;
    convert_texts(child, name);
  }
  if (texts == 0 || texts + elements == 1) return;
  for (pugi::xml_node child = parent.first_child(), next; child; child = next) {
    next = child.next_sibling();
    if (child.type() != pugi::node_pcdata) continue;
    pugi::xml_node element = parent.insert_child_before(pugi::node_element, child);
    element.set_name(name);
    element.append_move(child);
  }
}

/// As its last child. Within elements a declaration is an instruction like any other.
void append_copy(pugi::xml_node parent, const pugi::xml_node& node) {
  if (node.type() != pugi::node_declaration || parent.type() == pugi::node_document) {
    parent.append_copy(node);
    return;
  }
  std::string content;
  for (const pugi::xml_attribute& attribute : node.attributes())
    content.append(" ").append(attribute.name()).append("=\"").append(attribute.value()) += '"';
  pugi::xml_node copy = parent.append_child(pugi::node_pi);
  copy.set_name(node.name());
  copy.set_value(content.c_str());
}

}  // namespace

std::string check_xpath(Call& call) { return compile_xpath(call, ""); }
std::string check_attributes_xpath(Call& call) { return compile_xpath(call, "//@*"); }
std::string check_texts_xpath(Call& call) { return compile_xpath(call, "/"); }

Value get_xml(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed() || text.text.empty()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  std::string out;
  for (const pugi::xpath_node& each : selected(call, document)) {
    const pugi::xml_node node = each.node();
    if (each.attribute()) {
      write_escaped(each.attribute().value(), out);
    } else if (node.type() == pugi::node_cdata) {
      write_escaped(node.value(), out);
    } else if (node.type() == pugi::node_element || node.type() == pugi::node_pcdata) {
      write_xml(node, out);
    }
  }
  return Value::of_string(in.arena.keep(out));
}

Value remove_xml(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed() || text.text.empty()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  pugi::xpath_node_set nodes = selected(call, document);
  nodes.sort(true);  // what is within others goes before them
  for (const pugi::xpath_node& each : nodes) remove(each);
  return content_of(in, document);
}

Value insert_xml(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  pugi::xml_document document, addition;
  if (!text.text.empty() && !read_xml(in, text.text, document)) return Value::failure();
  const Value added = call.argument(in, 2);
  if (added.failed()) return added;
  if (!read_xml(in, added.text, addition)) return Value::failure();
  for (const pugi::xpath_node& each : selected(call, document)) {
    const pugi::xml_node node = each.node();
    if (node.type() != pugi::node_element && node.type() != pugi::node_document)
      return in.fail("the XPath selects what is no element");
    for (const pugi::xml_node& child : addition) append_copy(node, child);
  }
  return content_of(in, document);
}

Value attributes_to_elements(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  for (const pugi::xpath_node& each : selected(call, document)) {
    if (!each.attribute()) continue;
    pugi::xml_node parent = each.parent();
    const std::string name(local_name(each.attribute().name()));
    parent.append_child(name.c_str()).text().set(each.attribute().value());
    parent.remove_attribute(each.attribute());
  }
  return content_of(in, document);
}

Value texts_to_elements(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  pugi::xml_document document;
  if (!read_xml(in, text.text, document)) return Value::failure();
  const std::string name(call.literal(2, std::string_view("value")));
  for (const pugi::xpath_node& each : selected(call, document)) {
    const pugi::xml_node node = each.node();
    if (node.type() == pugi::node_element || node.type() == pugi::node_document)
      convert_texts(node, name.empty() ? "value" : name.c_str());
  }
  return content_of(in, document);
}

}  // namespace sluice::ottl::library
