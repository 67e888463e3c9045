#pragma once

#include <cstdint>
#include <string>

#include "pipeline/intake/intake.h"
#include "pipeline/net/server.h"

namespace sluice::zipkin_door {

enum class Format : std::uint8_t { v2_json, v2_proto, v1_json, v1_thrift };

struct TakeOptions {
  std::string receiver;  ///< its id, for the log
  bool parse_string_tags = false;
  bool strict = false;  ///< one span with an invalid id refuses its whole request
};

/// From a request's body into the pipeline, and the answer.
void take(Intake& intake, const TakeOptions& options, net::Request request, Format format,
          net::Reply reply);

}  // namespace sluice::zipkin_door
