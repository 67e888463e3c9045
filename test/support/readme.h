#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace sluice::test {

/// The ```yaml blocks of a Markdown file, which is named relative to the root of the sources.
std::vector<std::string> readme_examples(std::string_view readme);

/// The option names of its tables: each `name` in backquotes in the first column, under the heading
/// "Options". Nested options are written as paths ("retry_on_failure.enabled", "actions[].key"). A
/// row for a whole block ("tls") stands for all options in it.
std::vector<std::string> readme_options(std::string_view readme);

/// What is wrong with a component's README, one sentence each; empty is right. Every example must
/// parse; those that have components of this type in `section` ("processors") are decoded without a
/// mistake; and the options that `decode` asked for in all of them together are those of the
/// tables.
///
///   CHECK(readme_mistakes("processors/batch/README.md", "processors", "batch",
///                         batch_processor().decode) == std::vector<std::string>{});
std::vector<std::string> readme_mistakes(std::string_view readme, std::string_view section,
                                         std::string_view type,
                                         const std::function<void(const config::Node&)>& decode);

}  // namespace sluice::test
