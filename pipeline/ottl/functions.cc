#include "pipeline/ottl/functions.h"

#include <algorithm>

#include "pipeline/ottl/library.h"

namespace sluice::ottl {
namespace {

namespace l = library;

constexpr Function table[] = {
    // Editors.
    {"append", "target path, value? any, values? [any]", "", l::append, l::check_append},
    {"clear", "target path", "", l::clear},
    {"delete_index", "target list path, start_index int, end_index? int", "", l::delete_index},
    {"delete_key", "target map path, key string", "", l::delete_key},
    {"delete_matching_keys", "target map path, pattern string", "", l::delete_matching_keys,
     l::compile_pattern},
    {"flatten",
     "target map path, prefix? literal string, depth? literal int, resolve_conflicts? literal bool",
     "", l::flatten, l::check_flatten},
    {"keep_keys", "target map path, keys [string]", "", l::keep_keys},
    {"keep_matching_keys", "target map path, pattern string", "", l::keep_matching_keys,
     l::compile_pattern},
    {"limit", "target map path, limit literal int, priority_keys [literal string]", "", l::limit,
     l::check_limit},
    {"merge_maps", "target map path, source map, strategy literal string", "", l::merge_maps,
     l::check_strategy},
    {"replace_all_matches",
     "target map path, pattern string, replacement string, function? converter, "
     "replacement_format? string",
     "", l::replace_all_matches},
    {"replace_all_patterns",
     "target map path, mode literal string, regex_pattern string, replacement string, function? "
     "converter, replacement_format? string",
     "", l::replace_all_patterns, l::check_mode},
    {"replace_match",
     "target path, pattern string, replacement string, function? converter, replacement_format? "
     "string",
     "", l::replace_match},
    {"replace_pattern",
     "target path, regex_pattern string, replacement string, function? converter, "
     "replacement_format? string",
     "", l::replace_pattern, l::compile_pattern},
    {"set", "target path, value any", "", l::set, l::check_set},
    {"set_semconv_span_name",
     "semconv_version literal string, original_span_name_attribute? literal string", "",
     l::set_semconv_span_name, l::check_semconv, true},
    {"stringify_all", "target map path", "", l::stringify_all},
    {"truncate_all",
     "target map path, limit literal int, utf8_safe? literal bool, truncation_marker? literal "
     "string",
     "", l::truncate_all, l::check_truncate},
    // Converters.
    {"All", "source any, predicate lambda 2", "bool", l::all},
    {"Any", "source any, predicate lambda 2", "bool", l::any},
    {"Base64Encode", "target string, variant? string", "string", l::base64_encode},
    {"Bool", "target truth", "bool", l::first_argument},
    {"Coalesce", "values [any]", "any", l::coalesce, l::check_coalesce},
    {"CommunityID",
     "source_ip string, source_port int, destination_ip string, destination_port int, protocol? "
     "string, seed? int",
     "string", l::community_id},
    {"Concat", "vals [text], delimiter string", "string", l::concat},
    {"ContainsValue", "target list, item any", "bool", l::contains_value},
    {"ConvertAttributesToElementsXML", "target string, xpath? literal string", "string",
     l::attributes_to_elements, l::check_attributes_xpath},
    {"ConvertCase", "target string, to_case literal string", "string", l::convert_case,
     l::check_case},
    {"ConvertTextToElementsXML",
     "target string, xpath? literal string, element_name? literal string", "string",
     l::texts_to_elements, l::check_texts_xpath},
    {"Day", "time time", "int", l::day},
    {"Decode", "target any, encoding string", "string", l::decode},
    {"Double", "target number", "double", l::first_argument},
    {"Duration", "duration string", "duration", l::duration},
    {"ExtractGrokPatterns",
     "target string, pattern string, named_captures_only? literal bool, pattern_definitions? "
     "[literal string]",
     "map", l::extract_grok_patterns, l::check_grok},
    {"ExtractPatterns", "target string, pattern string", "map", l::extract_patterns,
     l::compile_groups},
    {"FNV", "target string", "int", l::fnv},
    {"Filter", "source any, predicate lambda 2", "any", l::filter},
    {"Find", "source any, predicate lambda 2, mapper? lambda 2", "any", l::find},
    {"Format", "format literal string, vals [any]", "string", l::format},
    {"FormatTime", "time time, format literal string", "string", l::format_time, l::check_format},
    {"GetXML", "target string, xpath literal string", "string", l::get_xml, l::check_xpath},
    {"HasPrefix", "target string, prefix string", "bool", l::has_prefix},
    {"HasSuffix", "target string, suffix string", "bool", l::has_suffix},
    {"Hex", "target bytes", "string", l::hex},
    {"Hour", "time time", "int", l::hour},
    {"Hours", "duration duration", "double", l::hours},
    {"Index", "target any, value any", "int", l::index},
    {"InsertXML", "target string, xpath literal string, sub_document string", "string",
     l::insert_xml, l::check_xpath},
    {"Int", "target integer", "int", l::first_argument},
    {"IsBool", "target any", "bool", l::is_bool},
    {"IsDouble", "target any", "bool", l::is_double},
    {"IsEmpty", "target any", "bool", l::is_empty},
    {"IsInCIDR", "target string, networks [string]", "bool", l::is_in_cidr},
    {"IsInt", "target any", "bool", l::is_int},
    {"IsList", "target any", "bool", l::is_list},
    {"IsMap", "target any", "bool", l::is_map},
    {"IsMatch", "target text, pattern string", "bool", l::is_match, l::compile_pattern},
    {"IsRootSpan", "", "bool", l::is_root_span, nullptr, true},
    {"IsString", "target any", "bool", l::is_string},
    {"IsValidLuhn", "target text", "bool", l::is_valid_luhn},
    {"Keys", "target map", "list", l::keys},
    {"Len", "target any", "int", l::len},
    {"Log", "target number", "double", l::log},
    {"MD5", "target string", "string", l::md5},
    {"MapEach", "source any, mapper lambda 2", "any", l::map_each},
    {"MapKeys", "source map, key_mapper lambda 2", "map", l::map_keys},
    {"Microseconds", "duration duration", "int", l::microseconds},
    {"Milliseconds", "duration duration", "int", l::milliseconds},
    {"Minute", "time time", "int", l::minute},
    {"Minutes", "duration duration", "double", l::minutes},
    {"Month", "time time", "int", l::month},
    {"Murmur3Hash", "target string", "string", l::murmur3},
    {"Murmur3Hash128", "target string", "string", l::murmur3_128},
    {"Nanosecond", "time time", "int", l::nanosecond},
    {"Nanoseconds", "duration duration", "int", l::nanoseconds},
    {"Now", "", "time", l::now},
    {"ParseCSV",
     "target string, header string, delimiter? literal string, header_delimiter? literal string, "
     "mode? literal string",
     "map", l::parse_csv, l::check_csv},
    {"ParseInt", "target string, base int", "int", l::parse_int},
    {"ParseJSON", "target string", "any", l::parse_json},
    {"ParseKeyValue", "target string, delimiter? literal string, pair_delimiter? literal string",
     "map", l::parse_key_value, l::check_delimiters},
    {"ParseSeverity", "target any, mapping map", "string", l::parse_severity, l::check_severities},
    {"ParseSimplifiedXML", "target string", "map", l::parse_simplified_xml},
    {"ParseXML", "target string", "map", l::parse_xml},
    {"Reduce", "source any, seed any, accumulator lambda 3", "any", l::reduce},
    {"RemoveXML", "target string, xpath literal string", "string", l::remove_xml, l::check_xpath},
    {"SHA1", "target string", "string", l::sha1},
    {"SHA256", "target string", "string", l::sha256},
    {"SHA512", "target string", "string", l::sha512},
    {"Second", "time time", "int", l::second},
    {"Seconds", "duration duration", "double", l::seconds},
    {"SliceToMap", "target list, key_path? [literal string], value_path? [literal string]", "map",
     l::slice_to_map},
    {"Sort", "target any, order? literal string", "list", l::sort, l::check_order},
    {"SpanID", "target bytes", "span id", l::span_id},
    {"Split", "target string, delimiter string", "list", l::split},
    {"String", "target text", "string", l::first_argument},
    {"Substring", "target string, start int, length int, utf8_safe? literal bool", "string",
     l::substring},
    {"Time", "time string, format literal string, location? literal string, locale? literal string",
     "time", l::time, l::check_time},
    {"ToCamelCase", "target string", "string", l::to_camel_case},
    {"ToKeyValueString",
     "target map, delimiter? literal string, pair_delimiter? literal string, sort_output? literal "
     "bool",
     "string", l::to_key_value_string, l::check_delimiters},
    {"ToLowerCase", "target string", "string", l::to_lower_case},
    {"ToSnakeCase", "target string", "string", l::to_snake_case},
    {"ToUpperCase", "target string", "string", l::to_upper_case},
    {"TraceID", "target bytes", "trace id", l::trace_id},
    {"Trim", "target string, replacement? literal string", "string", l::trim},
    {"TrimPrefix", "target string, prefix string", "string", l::trim_prefix},
    {"TrimSuffix", "target string, suffix string", "string", l::trim_suffix},
    {"TruncateTime", "time time, duration duration", "time", l::truncate_time},
    {"URL", "uri string", "map", l::url},
    {"UUID", "", "string", l::uuid},
    {"UUIDv7", "", "string", l::uuid_v7},
    {"Unix", "seconds int, nanoseconds? int", "time", l::unix},
    {"UnixMicro", "time time", "int", l::unix_micro},
    {"UnixMilli", "time time", "int", l::unix_milli},
    {"UnixNano", "time time", "int", l::unix_nano},
    {"UnixSeconds", "time time", "int", l::unix_seconds},
    {"UserAgent", "user_agent string", "map", l::user_agent, l::check_user_agent},
    {"Values", "target map", "list", l::values},
    {"Weekday", "time time", "int", l::weekday},
    {"When", "condition lambda 0, true_value any, false_value any", "any", l::when},
    {"XXH128", "target string", "string", l::xxh128},
    {"XXH3", "target string", "string", l::xxh3},
    {"Year", "time time", "int", l::year},
};

}  // namespace

std::span<const Function> all_functions() { return table; }

const Function* find_function(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Function::name);
  return found == std::end(table) ? nullptr : found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& function : table) names.emplace_back(function.name);
  return names;
}

}  // namespace sluice::ottl
