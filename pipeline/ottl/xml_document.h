#pragma once

#include <string>
#include <string_view>

#include "pipeline/ottl/evaluation.h"

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

/// XML, by pugixml: no entities but those of XML itself, nothing is fetched. Namespaces are not
/// resolved: a prefix is part of a name.
namespace sluice::ottl {

/// As deep as elements may lie in one another: as maps they are twice as deep.
inline constexpr int xml_depth_max = value_depth_max / 2;

/// False, and the evaluation has failed, where the text is no XML or has no element. As the
/// collector does it, what stands before the first element goes, but for a declaration at the very
/// beginning and what follows that.
bool read_xml(Evaluation& in, std::string_view text, pugi::xml_document& document);

/// The node as text, or all that is in it. Empty elements are written with two tags.
void write_xml(const pugi::xml_node& node, std::string& out);
void write_xml_content(const pugi::xml_node& node, std::string& out);
/// Of text, for XML.
void write_escaped(std::string_view text, std::string& out);

/// Without its prefix.
std::string_view local_name(std::string_view name);

}  // namespace sluice::ottl
