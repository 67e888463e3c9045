#include "pipeline/codec/thrift/thrift.h"

namespace sluice::thrift {

std::string Input::error() const {
  if (ok()) return {};
  return std::string(mistake_) + " at byte " + std::to_string(position());
}

}  // namespace sluice::thrift
