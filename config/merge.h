#pragma once

#include "config/value.h"

namespace sluice::config {

/// The collector's merge: maps are merged key by key, anything else in `over` replaces what `base`
/// has, a list as a whole, and a null too. What is in `base` alone stays.
ValuePtr merge(const ValuePtr& base, const ValuePtr& over);

}  // namespace sluice::config
