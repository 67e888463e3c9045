#include "test/support/names.h"

#include <netdb.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

// The names are the linker's: see --wrap of ld.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" int __real_getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                  addrinfo** found);
extern "C" int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                  addrinfo** found);
// NOLINTEND(bugprone-reserved-identifier)

namespace sluice::test {
namespace {

struct Names {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::vector<std::string>> addresses;
  int lookups = 0;
  bool is_held = false;
};

Names& names() {
  static Names all;
  return all;
}

}  // namespace

void set_name(const std::string& host, std::vector<std::string> addresses) {
  const std::lock_guard lock(names().mutex);
  names().addresses[host] = std::move(addresses);
  names().lookups = 0;
}

void wait_for_lookups(int count) {
  std::unique_lock lock(names().mutex);
  names().changed.wait(lock, [&] { return names().lookups >= count; });
  names().lookups = 0;
}

LookupsHeld::LookupsHeld() {
  const std::lock_guard lock(names().mutex);
  names().is_held = true;
}

LookupsHeld::~LookupsHeld() {
  const std::lock_guard lock(names().mutex);
  names().is_held = false;
  names().changed.notify_all();
}

}  // namespace sluice::test

int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                       addrinfo** found) {
  sluice::test::Names& names = sluice::test::names();
  std::unique_lock lock(names.mutex);
  const auto name = host == nullptr ? names.addresses.end() : names.addresses.find(host);
  if (name == names.addresses.end()) {
    lock.unlock();
    return __real_getaddrinfo(host, service, hints, found);
  }
  const std::vector<std::string> addresses = name->second;
  ++names.lookups;
  names.changed.notify_all();
  names.changed.wait(lock, [&] { return !names.is_held; });
  addrinfo numeric = hints == nullptr ? addrinfo{} : *hints;
  numeric.ai_flags = AI_NUMERICHOST;
  *found = nullptr;
  for (const std::string& address : addresses) {
    addrinfo* one = nullptr;
    if (__real_getaddrinfo(address.c_str(), service, &numeric, &one) != 0) continue;
    one->ai_next = std::exchange(*found, one);  // freeaddrinfo takes them one by one
  }
  return *found == nullptr ? EAI_NONAME : 0;
}
