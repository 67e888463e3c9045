#pragma once

#include "config/value.h"

namespace sluice::config {

/// Replaces `${env:NAME}`, `${env:NAME:-default}`, `${NAME}` and `${file:path}` in every value (not
/// in keys), from the inside out, and `$$` by `$` at the end. A reference that is a whole value
/// gets the type that YAML gives its text, which may be a map or a list; one inside of other text
/// is text. Relative paths start at the folder of the file that names them. Null, with errors in
/// `problems`, when the result would exceed the limits of value.h; other mistakes leave their value
/// as it was.
ValuePtr expand(const ValuePtr& root, Problems& problems);

}  // namespace sluice::config
