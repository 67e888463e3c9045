#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {
class SpanWriter;
}

namespace sluice::remote_sampling {

/// Where Jaeger's strategies have no say and no file says otherwise: one trace in a thousand.
inline constexpr double default_probability = 0.001;

inline constexpr std::size_t file_bytes_max = 1 << 20;
inline constexpr std::size_t services_max = 10'000;
inline constexpr std::size_t operations_max = 2'000;  ///< of one service
inline constexpr int depth_max = 16;

/// What reading the strategies has to say. Sentences name the place: the line and column where the
/// text is no JSON, else the member ("service_strategies[3].param").
struct Remarks {
  std::string error;                  ///< set: nothing was read
  std::vector<std::string> warnings;  ///< the first ten
};

/// Jaeger's file of sampling strategies, and what it means for a service. Immutable.
class Strategies {
 public:
  /// No file at all: everything is sampled with `probability`.
  explicit Strategies(double probability);

  /// `json` as Jaeger's file has it; `name` stands before what there is to say about it. What has
  /// no strategy, or one of an unknown type, is sampled with `probability`.
  static std::optional<Strategies> parse(std::string_view json, std::string_view name,
                                         double probability, Remarks& remarks);

  /// A SamplingStrategyResponse in protobuf. Its operations are put together for each answer, since
  /// each service inherits those of the default strategy: kept, they could be the square of the
  /// file.
  std::string response(std::string_view service) const;
  std::size_t service_count() const { return services_.size(); }

 private:
  struct Sampler {
    bool rate_limiting = false;
    double probability = 0;
    std::int32_t traces_per_second = 0;
  };
  struct Operation {
    std::string name;
    double probability = 0;
  };
  struct Strategy {
    Sampler sampler;
    bool by_operation = false;  ///< has a list of its own, if only of what is left out
    std::vector<Operation> operations;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  class Reader;

  static void write_sampler(const Sampler& sampler, SpanWriter& writer);
  static void write_operation(const Operation& operation, SpanWriter& writer);
  double operation_default(const Strategy& strategy) const;

  double probability_;
  Strategy default_;
  std::unordered_map<std::string, Strategy, Hash, std::equal_to<>> services_;
};

}  // namespace sluice::remote_sampling
