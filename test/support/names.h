#pragma once

#include <string>
#include <vector>

/// What the names of one test stand for, in place of the system's resolver: the linker sends the
/// calls of getaddrinfo in this program here. Other names go to the system.
namespace sluice::test {

/// From now on `host` has these addresses; without any it is not found.
void set_name(const std::string& host, std::vector<std::string> addresses);
/// Until that many look-ups of a name that is set have begun since the last call of this or of
/// `set_name`. A look-up begins when the one before has been told.
void wait_for_lookups(int count);
/// While it lives look-ups of names that are set do not end.
class LookupsHeld {
 public:
  LookupsHeld();
  ~LookupsHeld();
  LookupsHeld(const LookupsHeld&) = delete;
  LookupsHeld& operator=(const LookupsHeld&) = delete;
};

}  // namespace sluice::test
