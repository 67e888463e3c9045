// Header blocks of one connection, to our decoder in pieces and to nghttp2's whole: both find the
// same fields, or both find the block broken. Input: one byte that says how large the pieces are
// (0: whole), then blocks, each behind its length in two bytes.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/net/hpack.h"

namespace {

namespace hpack = sluice::net::hpack;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::optional<Fields> ours(hpack::Decoder& decoder, std::string_view block, std::size_t piece) {
  using Step = hpack::Decoder::Step;
  Fields out;
  std::string fragment;
  decoder.begin();
  while (!block.empty()) {
    fragment += block.substr(0, piece);
    block.remove_prefix(std::min(piece, block.size()));
    std::string_view rest = fragment;
    hpack::Field field;
    Step step = Step::field;
    while ((step = decoder.next(rest, field)) == Step::field)
      out.emplace_back(field.name, field.value);
    if (step == Step::broken) return std::nullopt;
    fragment.erase(0, fragment.size() - rest.size());
  }
  if (!fragment.empty()) return std::nullopt;
  return out;
}

std::optional<Fields> theirs(nghttp2_hd_inflater* inflater, std::string_view block) {
  Fields out;
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater, &field, &flags,
                                                reinterpret_cast<const std::uint8_t*>(block.data()),
                                                block.size(), 1);
    if (used < 0) return std::nullopt;
    block.remove_prefix(static_cast<std::size_t>(used));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      out.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                       std::string(reinterpret_cast<char*>(field.value), field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] == 0 ? std::string::npos : data[0];
  hpack::Decoder decoder;
  nghttp2_hd_inflater* made = nullptr;
  nghttp2_hd_inflate_new(&made);
  const std::unique_ptr<nghttp2_hd_inflater, decltype(&nghttp2_hd_inflate_del)> inflater(
      made, nghttp2_hd_inflate_del);
  while (rest.size() >= 2) {
    const std::size_t first = static_cast<unsigned char>(rest[0]);
    const std::size_t second = static_cast<unsigned char>(rest[1]);
    const std::size_t length = std::min(first << 8 | second, rest.size() - 2);
    const std::string_view block = rest.substr(2, length);
    rest.remove_prefix(2 + length);
    const std::optional<Fields> expected = theirs(inflater.get(), block);
    sluice::ensure(ours(decoder, block, piece) == expected, "both decoders agree");
    if (!expected) break;
  }
  return 0;
}
