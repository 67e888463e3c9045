#include "pipeline/net/client_headers.h"

#include <algorithm>

namespace sluice::net {

namespace {

/// RFC 9110, section 5.6.2.
bool is_token(char letter) {
  const bool alphanumeric = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                            (letter >= 'A' && letter <= 'Z');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < ' ' && letter != '\t') || byte == 127;
}

HeaderList read(const config::Node& node) {
  HeaderList list;
  const config::Node headers = node.child("headers");
  if (headers.kind() != config::Node::Kind::list) {
    node.optional("headers", list);
    return list;
  }
  for (const config::Node& item : headers.list()) {
    auto& [name, value] = list.emplace_back();
    item.required("name", name);
    item.required("value", value);
    item.no_other_keys();
  }
  return list;
}

}  // namespace

HeaderList decode_client_headers(const config::Node& node,
                                 bool (*is_reserved)(std::string_view name)) {
  HeaderList list = read(node);
  for (auto& [name, value] : list) {
    std::ranges::transform(name, name.begin(), lower);
    node.expect(!name.empty() && std::ranges::all_of(name, is_token), "headers",
                "\"" + name + "\" is no name of a header");
    node.expect(!is_reserved(name), "headers", "\"" + name + "\" is set by sluice itself");
    // A secret out of a file often ends in a line break; sent, it would end the header.
    node.expect(std::ranges::none_of(value, is_control), "headers",
                "the value of \"" + name + "\" holds a line break or another control character");
  }
  return list;
}

EventLoop& loop_for(const Executor& executor, EventLoops& loops) {
  for (std::size_t index = 0; index < loops.size(); ++index) {
    if (&loops[index] == &executor) return loops[index];
  }
  return loops[0];
}

EncodedBatch deflated(const EncodedBatch& body, Encoding encoding, int level) {
  EncodedBatch packed;
  packed.buffers.push_back(deflate(encoding, body, level));
  const std::string_view bytes = packed.buffers.back().bytes();
  packed.slices.push_back({bytes.data(), bytes.size()});
  packed.size = bytes.size();
  return packed;
}

void refuse_client_extensions(const config::Node& node) {
  if (node.child("auth").present()) {
    node.error("auth", "authenticators come later; until then give the credential in headers");
  }
  if (node.child("middlewares").present())
    node.error("middlewares", "middlewares are not supported");
}

}  // namespace sluice::net
