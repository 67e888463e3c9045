#include "processors/resourcedetection/resourcedetection.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/attributes/edit.h"
#include "pipeline/log.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "processors/resourcedetection/env_detector.h"
#include "processors/resourcedetection/system_detector.h"

namespace sluice {
namespace {

using resourcedetection::Detected;
using resourcedetection::SystemOptions;

enum class Detector { env, system };

struct Options {
  std::vector<Detector> detectors;
  Detected environment;
  SystemOptions system;
  bool overrides = true;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  std::string root;
};

/// They ask a network service or a daemon.
constexpr std::string_view foreign[] = {"akamai",
                                        "aks",
                                        "alibaba_ecs",
                                        "azure",
                                        "azureappservice",
                                        "azurecontainerapps",
                                        "consul",
                                        "digitalocean",
                                        "docker",
                                        "dynatrace",
                                        "ec2",
                                        "ecs",
                                        "eks",
                                        "elasticbeanstalk",
                                        "gcp",
                                        "gce",
                                        "gke",
                                        "heroku",
                                        "hetzner",
                                        "ibmcloud_classic",
                                        "ibmcloud_vpc",
                                        "k8s_api",
                                        "k8snode",
                                        "kubeadm",
                                        "lambda",
                                        "nova",
                                        "openshift",
                                        "oraclecloud",
                                        "scaleway",
                                        "tencent_cvm",
                                        "upcloud",
                                        "vultr"};

std::string environment_text() {
  for (const char* name : {"OTEL_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE"}) {
    const char* const text = std::getenv(name);
    if (text != nullptr && std::string_view(text).find_first_not_of(" \t") != std::string::npos)
      return text;
  }
  return {};
}

void decode_detector(const config::Node& node, const std::string& word, Options& options) {
  if (word == "env") {
    options.detectors.push_back(Detector::env);
    const std::optional<Detected> found = resourcedetection::read_environment(environment_text());
    if (found) {
      options.environment = *found;
    } else {
      node.error("detectors", "OTEL_RESOURCE_ATTRIBUTES is not of the form key=value,key=value");
    }
  } else if (word == "system") {
    options.detectors.push_back(Detector::system);
  } else if (std::find(std::begin(foreign), std::end(foreign), word) != std::end(foreign)) {
    node.error("detectors", "sluice has no detector \"" + word +
                                "\", which asks a service; there are env and system");
  } else {
    node.error("detectors", "expected env or system, found \"" + word + "\"");
  }
}

std::shared_ptr<const Options> decode(const config::Node& node, const std::string& root) {
  Options options;
  options.root = root;
  std::vector<std::string> detectors;
  node.optional("detectors", detectors);
  if (detectors.empty()) detectors = {"env"};
  for (const std::string& word : detectors) decode_detector(node, word, options);
  options.system = SystemOptions::decode(node.child("system"));
  node.optional("override", options.overrides);
  node.optional("timeout", options.timeout);
  node.expect(options.timeout.count() >= 0, "timeout", "must not be negative");
  std::chrono::nanoseconds refresh_interval{0};
  node.optional("refresh_interval", refresh_interval);
  node.expect(refresh_interval.count() == 0, "refresh_interval",
              "must be 0: what env and system read is read once");
  node.accepted_without_effect({"fail_on_missing_metadata", "retry"});
  node.no_other_keys();
  return std::make_shared<const Options>(std::move(options));
}

/// What was detected, as the edit of a resource. Made when the first of the instances starts, which
/// the others wait for.
class Detection {
 public:
  explicit Detection(std::shared_ptr<const Options> options) : options_(std::move(options)) {}

  void run() {
    std::call_once(once_, [this] { detect(); });
  }
  const AttributeActions& actions() const { return actions_; }
  /// The field of a ResourceSpans; empty where no detector has one.
  const std::string& schema_field() const { return schema_field_; }

 private:
  /// Of a key that several detectors find the first one's value counts, and so of schemas.
  void detect() {
    Detected all;
    for (const Detector detector : options_->detectors) {
      if (detector == Detector::env) {
        merge(all, options_->environment);
      } else if (const std::optional<Detected> found = resourcedetection::detect_system(
                     options_->system, options_->timeout, options_->root)) {
        merge(all, *found);
      } else {
        log::warn("The system's resource was not detected: no source knows the name of the host");
      }
    }
    actions_ =
        AttributeActions::setting(all.attributes, options_->overrides, otlp::resource::attributes);
    if (all.schema_url.empty()) return;
    BufferWriter out;
    wire::append_length_delimited(out, otlp::resource_spans::schema_url, all.schema_url);
    schema_field_ = out.bytes();
  }

  static void merge(Detected& all, const Detected& found) {
    for (const auto& [key, value] : found.attributes) {
      const bool there = std::any_of(all.attributes.begin(), all.attributes.end(),
                                     [&key = key](const auto& each) { return each.first == key; });
      if (!there) all.add(key, value);
    }
    if (all.schema_url.empty()) all.schema_url = found.schema_url;
  }

  const std::shared_ptr<const Options> options_;
  std::once_flag once_;
  AttributeActions actions_;
  std::string schema_field_;
};

bool has_schema(std::string_view extra) {
  FieldRange schemas(extra, otlp::resource_spans::schema_url);
  while (const std::optional<FieldRange::Field> schema = schemas.next()) {
    if (!schema->content.empty()) return true;
  }
  return false;
}

class ResourceDetection final : public Transform {
 public:
  ResourceDetection(const ProcessorContext& context, std::shared_ptr<Detection> detection)
      : Transform(context), detection_(std::move(detection)) {}

  void start() override {
    detection_->run();
    edit_.emplace(detection_->actions());
  }

 protected:
  SpanBatch process(SpanBatch batch) override {
    const std::span<const ResourceEntry> resources = batch.resources();
    std::optional<BatchEditor> editor;
    const auto edit = [&]() -> BatchEditor& { return editor ? *editor : editor.emplace(batch); };
    for (std::uint32_t i = 0; i < resources.size(); ++i) {
      if (edit_->apply(batch.bytes(resources[i].resource))) {
        message_.truncate(0);
        if (edit_->size() <= AttributeEdit::size_max) edit_->write(message_);
        edit().replace_resource(i, message_.bytes());
      }
      const std::string_view extra = batch.bytes(resources[i].extra);
      if (detection_->schema_field().empty() || has_schema(extra)) continue;
      edit().replace_resource_extra(i, std::string(extra) + detection_->schema_field());
    }
    return editor ? std::move(*editor).finish() : batch;
  }

 private:
  const std::shared_ptr<Detection> detection_;
  std::optional<AttributeEdit> edit_;
  BufferWriter message_;
};

}  // namespace

ProcessorType resourcedetection_processor() { return resourcedetection_processor(""); }

ProcessorType resourcedetection_processor(std::string root) {
  return {{"resourcedetection",
           [root = std::move(root)](const config::Node& node) -> Decoded<ProcessorBuilder> {
             const auto options = decode(node, root);
             return [options](const ProcessorContext& context) {
               return std::make_unique<ResourceDetection>(
                   context, context.siblings.share<Detection>(
                                [&] { return std::make_shared<Detection>(options); }));
             };
           },
           {"resource_detection"}}};
}

}  // namespace sluice
