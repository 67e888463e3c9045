#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"

/// What libprotobuf makes of OTLP bytes, in a form that compares: the truth that the byte model is
/// held against. Messages are compared as libprotobuf writes them again, so spelling (order of
/// known fields, overlong varints) does not count and unknown fields do.
namespace sluice::test {

struct OracleSpan {
  std::string resource;       ///< Resource
  std::string resource_rest;  ///< ResourceSpans without resource and scope_spans
  std::string scope;          ///< InstrumentationScope
  std::string scope_rest;     ///< ScopeSpans without scope and spans
  std::string span;           ///< Span
  bool operator==(const OracleSpan&) const = default;
};

/// Whether libprotobuf parses the request down to the fields of spans, resources and scopes.
bool oracle_accepts_framing(std::string_view request);
/// The spans of a request; those with invalid ids left out, if so told. Throws what is not
/// parseable.
std::vector<OracleSpan> oracle_spans(std::string_view request, bool drop_invalid_ids);
/// The same, read from a batch span by span.
std::vector<OracleSpan> oracle_spans(const SpanBatch& batch);

std::string oracle_span(std::string_view message);      ///< as OracleSpan::span
std::string oracle_resource(std::string_view message);  ///< as OracleSpan::resource
std::string oracle_scope(std::string_view message);

/// Every difference between what the views read from a Span message and what libprotobuf reads;
/// empty when they agree.
std::string view_differences(const SpanView& span);

}  // namespace sluice::test
