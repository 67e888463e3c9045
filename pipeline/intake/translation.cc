#include "pipeline/intake/translation.h"

#include <algorithm>
#include <utility>

#include "pipeline/model/pages.h"

namespace sluice {

std::optional<Charge> charge_translation(Ledger& ledger, const Buffer& body) {
  // A body of half the ledger pins a little more than that, and is to be taken when it is alone.
  const std::size_t room = ledger.limit() - std::min(ledger.limit(), body.pinned());
  return ledger.try_charge(std::min(body.size(), room));
}

Buffer replace_body(Buffer body, SpanWriter spans, Charge charge) {
  const std::size_t body_size = body.size();
  body = {};
  // Freezing may copy to a smaller block, which a pool has at hand. A translation larger than its
  // body has no room for that.
  std::optional<pages::GrowthByMoving> moving;
  if (spans.size() > body_size) moving.emplace();
  return std::move(charge).freeze(std::move(spans).take());
}

}  // namespace sluice
