#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.h"
#include "pipeline/executor.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/net/compression.h"
#include "pipeline/net/event_loop.h"

/// What the exporters that send over HTTP or gRPC have in common.
namespace sluice::net {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The `headers` of a client's block: a map, or a list of {name, value}. Names come in lower case.
/// What a header must not hold, and names that `is_reserved` knows as the exporter's own, are
/// errors.
HeaderList decode_client_headers(const config::Node& node,
                                 bool (*is_reserved)(std::string_view name));

/// The loop that `executor` is, or the first one.
EventLoop& loop_for(const Executor& executor, EventLoops& loops);

/// The body in one compressed buffer.
EncodedBatch deflated(const EncodedBatch& body, Encoding encoding, int level);

/// `auth`, `middlewares` of a client's block: refused with a sentence.
void refuse_client_extensions(const config::Node& node);

}  // namespace sluice::net
