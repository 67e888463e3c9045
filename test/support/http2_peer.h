#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

/// The client's side of an HTTP/2 connection, as bytes in and out: nghttp2 as a client, with
/// requests whose parts the test sends one by one.
class Http2Peer {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Reply {
    Fields fields;
    std::string data;
    Fields trailers;
    bool ended = false;                  ///< END_STREAM was seen
    std::optional<std::uint32_t> reset;  ///< error code of RST_STREAM

    std::string field(std::string_view name) const;    ///< of the first HEADERS
    std::string trailer(std::string_view name) const;  ///< of the last HEADERS
  };

  explicit Http2Peer(std::uint32_t window = 1 << 20);
  ~Http2Peer();

  /// HEADERS; the stream stays open when `more` follows.
  std::int32_t begin(const Fields& fields, bool more);
  void data(std::int32_t stream, std::string_view bytes, bool last);
  void reset(std::int32_t stream, std::uint32_t code);
  void ping();
  void settings();
  /// Whole requests.
  std::int32_t grpc(std::string_view path, std::string_view message, Fields more = {});
  std::int32_t post(std::string_view path, std::string_view body, Fields more = {});
  static Fields grpc_fields(std::string_view path);
  static std::string grpc_message(std::string_view message, char flags = 0);

  /// What there is to send.
  std::string output();
  void receive(std::string_view bytes);

  const Reply& reply(std::int32_t stream) { return replies_[stream]; }
  std::optional<std::uint32_t> goaway() const { return goaway_; }
  const std::string& goaway_text() const { return goaway_text_; }
  std::int32_t goaway_last_stream() const { return goaway_last_; }
  int pings() const { return pings_; }  ///< of the server's own
  int ping_acks() const { return ping_acks_; }
  std::map<std::uint16_t, std::uint32_t> peer_settings;

 private:
  struct State;
  friend struct State;
  std::unique_ptr<State> state_;
  std::map<std::int32_t, Reply> replies_;
  std::optional<std::uint32_t> goaway_;
  std::string goaway_text_;
  std::int32_t goaway_last_ = 0;
  int pings_ = 0, ping_acks_ = 0;
};

}  // namespace sluice::test
