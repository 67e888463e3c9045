#pragma once

#include "pipeline/component.h"
#include "test/support/manual_executor.h"

namespace sluice::test {

/// What a part of a component wants to know of it.
struct TestComponent {
  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{std::size_t{1} << 30};
  ComponentContext context{"test", executor, metrics, ledger};
};

}  // namespace sluice::test
