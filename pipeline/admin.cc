#include "pipeline/admin.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace sluice {
namespace {

net::Response response(int status, std::string body) {
  net::Response out;
  out.status = status;
  out.content_type = "application/json";
  out.body = std::move(body);
  return out;
}

/// Waits for the items of all sources of a page.
struct Collection {
  std::mutex mutex;
  std::string key;
  std::string items;
  std::size_t open = 0;
  net::Reply reply;

  void add(const std::string& more) {
    const std::lock_guard lock(mutex);
    if (!more.empty()) items += (items.empty() ? "" : ",\n") + more;
    if (--open > 0) return;
    reply.send(response(200, "{\"" + key + "\": [" + items + "]}\n"));
  }
};

}  // namespace

class Admin::Page final : public net::Service {
 public:
  explicit Page(std::string key) : key_(std::move(key)) {}

  void add(Source source) { sources_.push_back(std::move(source)); }

  net::Admission admit(const net::RequestHead& head) override {
    if (head.method == "GET" || head.method == "HEAD") return {4096, {}};
    return {0, response(405, "{\"error\": \"GET alone\"}\n")};
  }
  void serve(net::Request request, net::Reply reply) override {
    const auto collection = std::make_shared<Collection>();
    collection->key = key_;
    collection->open = sources_.size();
    collection->reply = std::move(reply);
    for (const Source& source : sources_) {
      source(request.query, [collection](const std::string& items) { collection->add(items); });
    }
  }
  net::Response transport_error(net::TransportError error, const net::RequestHead&,
                                std::string_view) override {
    return response(error == net::TransportError::busy ? 503 : 400, "{}\n");
  }

 private:
  std::string key_;
  std::vector<Source> sources_;
};

Admin::Admin(net::Listeners& listeners, std::string_view endpoint)
    : listeners_(listeners), endpoint_(net::Endpoint::parse(endpoint)) {
  if (!endpoint_ && !endpoint.empty())
    error_ = "expected host:port, found \"" + std::string(endpoint) + "\"";
}
Admin::~Admin() = default;

void Admin::offer(std::string path, std::string key, Source source) {
  if (!endpoint_) return;
  std::unique_ptr<Page>& page = pages_[path];
  if (!page) {
    page = std::make_unique<Page>(std::move(key));
    std::string error;
    if (!listeners_.route("service.admin", *endpoint_, {}, path, {}, *page, error)) error_ = error;
  }
  page->add(std::move(source));
}

std::string_view query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
  }
  return {};
}

}  // namespace sluice
