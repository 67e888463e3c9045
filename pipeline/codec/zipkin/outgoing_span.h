#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/codec/zipkin/address.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"

namespace sluice::zipkin {

/// Text of a span on its way out: in the batch, or made for it.
struct OutText {
  std::string_view view;
  std::size_t offset = 0;  ///< into OutgoingSpan::made
  std::size_t size = 0;
  bool is_made = false;
};

struct OutEndpoint {
  std::string_view service_name;
  Address ipv4;
  Address ipv6;
  std::uint16_t port = 0;
  bool empty() const { return service_name.empty() && !ipv4 && !ipv6 && port == 0; }
  void place(const Address& address) {
    (address.family == Address::Family::ipv4 ? ipv4 : ipv6) = address;
  }
};

/// A v2 span as it will be written: times in microseconds, 0 for what is absent.
struct OutgoingSpan {
  std::string_view trace_id;  ///< 8 or 16 bytes
  std::string_view id;
  std::string_view parent_id;             ///< empty: none
  SpanKind kind = SpanKind::unspecified;  ///< or one of Zipkin's four
  std::string_view name;
  std::uint64_t timestamp = 0;
  std::uint64_t duration = 0;
  OutEndpoint local;
  OutEndpoint remote;
  struct Annotation {
    std::uint64_t timestamp;
    OutText value;
  };
  struct Tag {
    OutText key;
    OutText value;
  };
  std::vector<Annotation> annotations;
  std::vector<Tag> tags;  ///< no key twice
  bool debug = false;
  bool shared = false;
  std::string made;

  std::string_view text(const OutText& text) const {
    return text.is_made ? std::string_view(made).substr(text.offset, text.size) : text.view;
  }
};

/// Makes v2 spans of a batch's spans, one after the other in the same memory.
class SpanTranslator {
 public:
  SpanTranslator(const SpanBatch& batch, std::string_view default_service_name)
      : batch_(batch), default_service_name_(default_service_name) {}

  /// Valid until the next call.
  const OutgoingSpan& translate(const SpanEntry& entry);

 private:
  enum PeerName : std::size_t {
    server_address,
    net_peer_name,
    network_peer_address,
    server_socket_domain,
    server_socket_address,
    net_sock_peer_name,
    net_sock_peer_addr,
    peer_hostname,
    peer_address,
    db_name,
    peer_names
  };

  void find_service(const ResourceView& resource);
  void add_resource(const ResourceView& resource);
  void add_attributes(const SpanView& span);
  bool consume(const KeyValueView& attribute, const AnyValueView& value);
  bool consume_local(std::string_view key, const AnyValueView& value);
  bool consume_remote(std::string_view key, const AnyValueView& value);
  void note_peer(std::string_view key, const AnyValueView& value);
  void name_peer(SpanKind kind);
  void set_times(const SpanView& span);
  void add_status(const SpanView& span);
  void add_events(const SpanView& span);
  void add_links(const SpanView& span);
  void add_count(std::string_view key, std::uint32_t count);

  void set_tag(const OutText& key, const OutText& value);
  void set_tag(std::string_view key, std::string_view value) {
    set_tag(borrowed(key), borrowed(value));
  }
  void set_value(std::string_view key, const AnyValueView& value);
  std::size_t& place_of(std::string_view key);
  void grow_index();
  static OutText borrowed(std::string_view view) { return {view, 0, 0, false}; }
  /// What was appended to `made` from `offset` on.
  OutText made_from(std::size_t offset) const;

  const SpanBatch& batch_;
  std::string_view default_service_name_;
  OutgoingSpan out_;
  std::string_view service_, service_source_;
  std::vector<std::size_t> index_;  ///< open addressing over the tags' keys: number + 1
  std::string_view peers_[peer_names];
  std::uint16_t socket_port_ = 0, sock_peer_port_ = 0;
  std::string_view peer_service_;  ///< the older key, of less weight
  std::string_view error_;
  bool has_error_ = false;
  bool absent_start_ = false;
};

}  // namespace sluice::zipkin
