#include "pipeline/ottl/xml_document.h"

#include <pugixml.hpp>

namespace sluice::ottl {
namespace {

constexpr unsigned parts = pugi::parse_escapes | pugi::parse_eol | pugi::parse_cdata |
                           pugi::parse_comments | pugi::parse_declaration | pugi::parse_pi |
                           pugi::parse_doctype | pugi::parse_ws_pcdata | pugi::parse_fragment;

bool too_deep(const pugi::xml_document& document) {
  struct Walker final : pugi::xml_tree_walker {
    bool for_each(pugi::xml_node&) override { return depth() < xml_depth_max; }
  } walker;
  return !const_cast<pugi::xml_document&>(document).traverse(walker);
}

bool is_instruction(const pugi::xml_node& node) {
  return node.type() == pugi::node_declaration || node.type() == pugi::node_pi;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

void write_attributes(const pugi::xml_node& node, std::string& out) {
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    out.append(" ").append(attribute.name()).append("=\"");
    write_escaped(attribute.value(), out);
    out += '"';
  }
}

void write(const pugi::xml_node& node, bool keep_space, std::string& out) {
  switch (node.type()) {
    case pugi::node_pcdata:
      write_escaped(keep_space ? std::string_view(node.value()) : trimmed(node.value()), out);
      return;
    case pugi::node_cdata: out.append("<![CDATA[").append(node.value()).append("]]>"); return;
    case pugi::node_comment: out.append("<!--").append(node.value()).append("-->"); return;
    case pugi::node_doctype: out.append("<!DOCTYPE ").append(node.value()).append(">"); return;
    case pugi::node_declaration:
      out.append("<?").append(node.name());
      write_attributes(node, out);
      out += "?>";
      return;
    case pugi::node_pi: {
      const std::string_view content = trimmed(node.value());
      out.append("<?").append(node.name()).append(content.empty() ? "" : " ");
      out.append(content).append("?>");
      return;
    }
    case pugi::node_element: break;
    default: return;
  }
  const std::string_view space = node.attribute("xml:space").value();
  if (space == "preserve" || space == "default") keep_space = space == "preserve";
  out.append("<").append(node.name());
  write_attributes(node, out);
  out += '>';
  for (const pugi::xml_node& child : node) write(child, keep_space, out);
  out.append("</").append(node.name()).append(">");
}

}  // namespace

bool read_xml(Evaluation& in, std::string_view text, pugi::xml_document& document) {
  const pugi::xml_parse_result result =
      document.load_buffer(text.data(), text.size(), parts, pugi::encoding_utf8);
  if (!result) {
    in.fail("not XML: ", result.description());
    return false;
  }
  if (too_deep(document)) {
    in.fail("XML nested deeper than 50");
    return false;
  }
  const bool any =
      !document
           .find_child([](const pugi::xml_node& node) { return node.type() == pugi::node_element; })
           .empty();
  if (!any) {
    in.fail("not XML: there is no element");
    return false;
  }
  while (!is_instruction(document.first_child()) &&
         document.first_child().type() != pugi::node_element)
    document.remove_child(document.first_child());
  if (is_instruction(document.first_child()) && !text.starts_with("<?xml"))
    document.remove_child(document.first_child());
  return true;
}

void write_xml(const pugi::xml_node& node, std::string& out) { write(node, true, out); }

void write_xml_content(const pugi::xml_node& node, std::string& out) {
  for (const pugi::xml_node& child : node) write_xml(child, out);
}

void write_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace sluice::ottl
