#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace sluice {

template <typename Signature>
class UniqueFunction;

/// A callable that is owned once and may own what cannot be copied (a batch, an Ack). One
/// allocation.
template <typename Result, typename... Arguments>
class UniqueFunction<Result(Arguments...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}
  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, UniqueFunction>)
      UniqueFunction(Callable&& callable)
      : held_(std::make_unique<Held<std::remove_cvref_t<Callable>>>(
            std::forward<Callable>(callable))) {}

  Result operator()(Arguments... arguments) {
    return held_->call(std::forward<Arguments>(arguments)...);
  }
  explicit operator bool() const { return held_ != nullptr; }

 private:
  struct Callee {
    virtual ~Callee() = default;
    virtual Result call(Arguments... arguments) = 0;
  };
  template <typename Callable>
  struct Held final : Callee {
    explicit Held(Callable&& from) : callable(std::move(from)) {}
    explicit Held(const Callable& from) : callable(from) {}
    Result call(Arguments... arguments) override {
      return callable(std::forward<Arguments>(arguments)...);
    }
    Callable callable;
  };
  std::unique_ptr<Callee> held_;
};

using Task = UniqueFunction<void()>;

}  // namespace sluice
