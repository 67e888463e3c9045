#pragma once

#include <string>

#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/expression.h"

/// The functions of the table in functions.cc, by the file that they are in. What each does is in
/// README.md; what it is given, in its signature.
namespace sluice::ottl::library {

// editors.cc
Value append(Evaluation& in, const Call& call);
Value clear(Evaluation& in, const Call& call);
Value delete_index(Evaluation& in, const Call& call);
Value delete_key(Evaluation& in, const Call& call);
Value delete_matching_keys(Evaluation& in, const Call& call);
Value keep_keys(Evaluation& in, const Call& call);
Value keep_matching_keys(Evaluation& in, const Call& call);
Value limit(Evaluation& in, const Call& call);
Value merge_maps(Evaluation& in, const Call& call);
Value set(Evaluation& in, const Call& call);
Value stringify_all(Evaluation& in, const Call& call);
Value truncate_all(Evaluation& in, const Call& call);
std::string check_limit(Call& call);
std::string check_set(Call& call);
std::string check_append(Call& call);
std::string check_strategy(Call& call);
std::string check_truncate(Call& call);

// flatten.cc
Value flatten(Evaluation& in, const Call& call);
std::string check_flatten(Call& call);

// replace.cc
Value replace_all_matches(Evaluation& in, const Call& call);
Value replace_all_patterns(Evaluation& in, const Call& call);
Value replace_match(Evaluation& in, const Call& call);
Value replace_pattern(Evaluation& in, const Call& call);
std::string check_mode(Call& call);

// patterns.cc
Value extract_patterns(Evaluation& in, const Call& call);
Value is_match(Evaluation& in, const Call& call);
std::string compile_pattern(Call& call);
std::string compile_groups(Call& call);

// grok.cc
Value extract_grok_patterns(Evaluation& in, const Call& call);
std::string check_grok(Call& call);

// strings.cc
Value concat(Evaluation& in, const Call& call);
Value has_prefix(Evaluation& in, const Call& call);
Value has_suffix(Evaluation& in, const Call& call);
Value split(Evaluation& in, const Call& call);
Value substring(Evaluation& in, const Call& call);
Value trim(Evaluation& in, const Call& call);
Value trim_prefix(Evaluation& in, const Call& call);
Value trim_suffix(Evaluation& in, const Call& call);

// cases.cc
Value convert_case(Evaluation& in, const Call& call);
Value to_camel_case(Evaluation& in, const Call& call);
Value to_lower_case(Evaluation& in, const Call& call);
Value to_snake_case(Evaluation& in, const Call& call);
Value to_upper_case(Evaluation& in, const Call& call);
std::string check_case(Call& call);

// types.cc
Value coalesce(Evaluation& in, const Call& call);
Value first_argument(Evaluation& in, const Call& call);
Value hex(Evaluation& in, const Call& call);
Value is_bool(Evaluation& in, const Call& call);
Value is_double(Evaluation& in, const Call& call);
Value is_empty(Evaluation& in, const Call& call);
Value is_int(Evaluation& in, const Call& call);
Value is_list(Evaluation& in, const Call& call);
Value is_map(Evaluation& in, const Call& call);
Value is_root_span(Evaluation& in, const Call& call);
Value is_string(Evaluation& in, const Call& call);
Value len(Evaluation& in, const Call& call);
Value log(Evaluation& in, const Call& call);
Value parse_int(Evaluation& in, const Call& call);
Value span_id(Evaluation& in, const Call& call);
Value trace_id(Evaluation& in, const Call& call);
std::string check_coalesce(Call& call);

// collections.cc
Value contains_value(Evaluation& in, const Call& call);
Value index(Evaluation& in, const Call& call);
Value keys(Evaluation& in, const Call& call);
Value slice_to_map(Evaluation& in, const Call& call);
Value sort(Evaluation& in, const Call& call);
Value values(Evaluation& in, const Call& call);
std::string check_order(Call& call);

// severity.cc
Value parse_severity(Evaluation& in, const Call& call);
std::string check_severities(Call& call);

// semconv_names.cc
Value set_semconv_span_name(Evaluation& in, const Call& call);
std::string check_semconv(Call& call);

// lambdas.cc
Value all(Evaluation& in, const Call& call);
Value any(Evaluation& in, const Call& call);
Value filter(Evaluation& in, const Call& call);
Value find(Evaluation& in, const Call& call);
Value map_each(Evaluation& in, const Call& call);
Value map_keys(Evaluation& in, const Call& call);
Value reduce(Evaluation& in, const Call& call);
Value when(Evaluation& in, const Call& call);

// hashes.cc
Value fnv(Evaluation& in, const Call& call);
Value md5(Evaluation& in, const Call& call);
Value murmur3(Evaluation& in, const Call& call);
Value murmur3_128(Evaluation& in, const Call& call);
Value sha1(Evaluation& in, const Call& call);
Value sha256(Evaluation& in, const Call& call);
Value sha512(Evaluation& in, const Call& call);
Value uuid(Evaluation& in, const Call& call);
Value uuid_v7(Evaluation& in, const Call& call);
Value xxh128(Evaluation& in, const Call& call);
Value xxh3(Evaluation& in, const Call& call);

// times.cc
Value day(Evaluation& in, const Call& call);
Value duration(Evaluation& in, const Call& call);
Value format_time(Evaluation& in, const Call& call);
Value hour(Evaluation& in, const Call& call);
Value hours(Evaluation& in, const Call& call);
Value microseconds(Evaluation& in, const Call& call);
Value milliseconds(Evaluation& in, const Call& call);
Value minute(Evaluation& in, const Call& call);
Value minutes(Evaluation& in, const Call& call);
Value month(Evaluation& in, const Call& call);
Value nanosecond(Evaluation& in, const Call& call);
Value nanoseconds(Evaluation& in, const Call& call);
Value now(Evaluation& in, const Call& call);
Value second(Evaluation& in, const Call& call);
Value seconds(Evaluation& in, const Call& call);
Value time(Evaluation& in, const Call& call);
Value truncate_time(Evaluation& in, const Call& call);
Value unix(Evaluation& in, const Call& call);
Value unix_micro(Evaluation& in, const Call& call);
Value unix_milli(Evaluation& in, const Call& call);
Value unix_nano(Evaluation& in, const Call& call);
Value unix_seconds(Evaluation& in, const Call& call);
Value weekday(Evaluation& in, const Call& call);
Value year(Evaluation& in, const Call& call);
std::string check_format(Call& call);
std::string check_time(Call& call);

// addresses.cc
Value community_id(Evaluation& in, const Call& call);
Value is_in_cidr(Evaluation& in, const Call& call);

// parse.cc, parse_json.cc, url.cc
Value base64_encode(Evaluation& in, const Call& call);
Value decode(Evaluation& in, const Call& call);
Value format(Evaluation& in, const Call& call);
Value is_valid_luhn(Evaluation& in, const Call& call);
Value parse_csv(Evaluation& in, const Call& call);
Value parse_json(Evaluation& in, const Call& call);
Value parse_key_value(Evaluation& in, const Call& call);
Value to_key_value_string(Evaluation& in, const Call& call);
Value url(Evaluation& in, const Call& call);
std::string check_csv(Call& call);
std::string check_delimiters(Call& call);

// user_agents.cc
Value user_agent(Evaluation& in, const Call& call);
std::string check_user_agent(Call& call);

// parse_xml.cc, xml.cc
Value attributes_to_elements(Evaluation& in, const Call& call);
Value get_xml(Evaluation& in, const Call& call);
Value insert_xml(Evaluation& in, const Call& call);
Value parse_simplified_xml(Evaluation& in, const Call& call);
Value parse_xml(Evaluation& in, const Call& call);
Value remove_xml(Evaluation& in, const Call& call);
Value texts_to_elements(Evaluation& in, const Call& call);
std::string check_attributes_xpath(Call& call);
std::string check_texts_xpath(Call& call);
std::string check_xpath(Call& call);

}  // namespace sluice::ottl::library
