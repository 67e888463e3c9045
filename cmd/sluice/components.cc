#include "cmd/sluice/components.h"

#include "exporters/debug/debug.h"
#include "exporters/file/file.h"
#include "exporters/loadbalancing/loadbalancing.h"
#include "exporters/nop/nop.h"
#include "exporters/otlp/otlp.h"
#include "exporters/otlphttp/otlphttp.h"
#include "exporters/zipkin/zipkin.h"
#include "extensions/health_check/health_check.h"
#include "extensions/jaegerremotesampling/jaegerremotesampling.h"
#include "extensions/without_effect/without_effect.h"
#include "pipeline/ottl/functions.h"
#include "processors/attributes/attributes.h"
#include "processors/batch/batch.h"
#include "processors/filter/filter.h"
#include "processors/forward/forward.h"
#include "processors/groupbytrace/groupbytrace.h"
#include "processors/memory_limiter/memory_limiter.h"
#include "processors/probabilistic_sampler/probabilistic_sampler.h"
#include "processors/redaction/redaction.h"
#include "processors/resource/resource.h"
#include "processors/resourcedetection/resourcedetection.h"
#include "processors/routing/routing.h"
#include "processors/span/span.h"
#include "processors/tail_sampling/tail_sampling.h"
#include "processors/transform/transform.h"
#include "receivers/jaeger/jaeger.h"
#include "receivers/otlp/otlp.h"
#include "receivers/zipkin/zipkin.h"

namespace sluice {
namespace {

template <typename Type>
void print_section(std::ostream& out, std::string_view section, const std::vector<Type>& types) {
  out << section << ":\n";
  for (const Type& type : types) {
    out << "  - " << type.name;
    for (std::size_t i = 0; i < type.aliases.size(); ++i)
      out << (i == 0 ? "  # or " : ", ") << type.aliases[i];
    out << '\n';
  }
}

}  // namespace

ComponentTable all_components() {
  return {
      .receivers =
          {
              jaeger_receiver(),
              otlp_receiver(),
              zipkin_receiver(),
          },
      .processors =
          {
              attributes_processor(),
              batch_processor(),
              filter_processor(),
              groupbytrace_processor(),
              memory_limiter_processor(),
              probabilistic_sampler_processor(),
              redaction_processor(),
              resource_processor(),
              resourcedetection_processor(),
              span_processor(),
              tail_sampling_processor(),
              transform_processor(),
          },
      .exporters =
          {
              debug_exporter(),
              file_exporter(),
              loadbalancing_exporter(),
              nop_exporter(),
              otlp_exporter(),
              otlphttp_exporter(),
              zipkin_exporter(),
          },
      .connectors =
          {
              forward_connector(),
              routing_connector(),
          },
      .extensions =
          {
              health_check_extension(),
              jaegerremotesampling_extension(),
              pprof_extension(),
              zpages_extension(),
          },
  };
}

void print_functions(std::ostream& out) {
  out << "functions:\n";
  for (const ottl::Function& function : ottl::all_functions()) {
    out << "  - " << function.name << '(' << function.signature << ')';
    if (!function.gives.empty()) out << " -> " << function.gives;
    out << '\n';
  }
}

void print_components(std::ostream& out, const ComponentTable& table) {
  print_section(out, "receivers", table.receivers);
  print_section(out, "processors", table.processors);
  print_section(out, "exporters", table.exporters);
  print_section(out, "connectors", table.connectors);
  print_section(out, "extensions", table.extensions);
}

}  // namespace sluice
