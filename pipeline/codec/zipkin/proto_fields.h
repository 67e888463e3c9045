#pragma once

#include <cstdint>

/// Field numbers of zipkin.proto3.
namespace sluice::zipkin::proto {

namespace list {
inline constexpr std::uint32_t spans = 1;
}
namespace span {
inline constexpr std::uint32_t trace_id = 1, parent_id = 2, id = 3, kind = 4, name = 5,
                               timestamp = 6, duration = 7, local_endpoint = 8, remote_endpoint = 9,
                               annotations = 10, tags = 11, debug = 12, shared = 13;
}
namespace endpoint {
inline constexpr std::uint32_t service_name = 1, ipv4 = 2, ipv6 = 3, port = 4;
}
namespace annotation {
inline constexpr std::uint32_t timestamp = 1, value = 2;
}
namespace tag {
inline constexpr std::uint32_t key = 1, value = 2;
}

}  // namespace sluice::zipkin::proto
