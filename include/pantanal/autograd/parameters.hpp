// ParameterSet: a module's parameters and their gradients, each in one piece of memory.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::autograd {

/// A parameter's values and the gradient that the last backward left.
struct Parameter {
  std::span<float> value, gradient;
};

/// What a backward does to a parameter's gradient, and an optimiser to the parameter.
enum class GradientKind {
  computed,  ///< updated
  zero,      ///< takes part in the forward without effect: only decayed
  none,      ///< takes no part: PyTorch's grad is None; left alone
};

/// Consecutive floats of one kind.
struct ParameterRange {
  std::size_t begin = 0, size = 0;
  GradientKind kind = GradientKind::computed;
};

/// All parameters of a model, in the order of `specs`, gradients zero. Layers keep pointers into it: it never
/// moves its memory, and copies of a Parameter stay valid while it lives.
class ParameterSet {
 public:
  explicit ParameterSet(std::vector<TensorSpec> specs) : specs_(std::move(specs)) {
    for (const TensorSpec& spec : specs_) {
      const auto size = static_cast<std::size_t>(element_count(spec.shape).value_or(0));
      ranges_.push_back({total_, size});
      places_.emplace(spec.name, std::pair(total_, size));
      total_ += size;
    }
    values_ = AlignedBuffer<float>(total_);
    gradients_ = AlignedBuffer<float>(total_);
  }

  const std::vector<TensorSpec>& specs() const { return specs_; }
  /// In memory's order; together they cover everything.
  const std::vector<ParameterRange>& ranges() const { return ranges_; }
  std::span<float> values() { return values_.span(); }
  std::span<const float> values() const { return values_.span(); }
  std::span<float> gradients() { return gradients_.span(); }
  std::span<const float> gradients() const { return gradients_.span(); }

  /// `name` must be one of the specs'.
  Parameter operator[](std::string_view name) {
    const auto [begin, size] = place(name);
    return {values().subspan(begin, size), gradients().subspan(begin, size)};
  }

  /// Says what becomes of elements first … of parameter `name`, up to its end.
  void set_kind(std::string_view name, GradientKind kind, std::size_t first = 0) {
    const auto [begin, size] = place(name);
    const auto found = std::find_if(ranges_.begin(), ranges_.end(),
                                    [&](const ParameterRange& range) { return range.begin == begin; });
    if (first == 0) {
      found->kind = kind;
      return;
    }
    found->size = first;
    ranges_.insert(found + 1, {begin + first, size - first, kind});
  }

  /// Copies `state`, which must be exactly the specs'.
  Status load(const nn::StateDict& state, std::string_view where = {}) {
    PANTANAL_TRY_STATUS(validate(state, specs_, where));
    for (const auto& [name, tensor] : state)
      std::copy(tensor.values.begin(), tensor.values.end(), (*this)[name].value.begin());
    return {};
  }

  /// `values` laid out as values() are, under their names.
  nn::StateDict state_dict(std::span<const float> values) const {
    nn::StateDict state;
    for (const TensorSpec& spec : specs_) {
      const auto [begin, size] = place(spec.name);
      const auto part = values.subspan(begin, size);
      state.emplace(spec.name, make_tensor(spec.shape, std::vector<float>(part.begin(), part.end())));
    }
    return state;
  }
  nn::StateDict state_dict() const { return state_dict(values()); }

 private:
  std::pair<std::size_t, std::size_t> place(std::string_view name) const {
    const auto found = places_.find(name);
    assert(found != places_.end());
    return found->second;
  }

  std::vector<TensorSpec> specs_;
  std::vector<ParameterRange> ranges_;
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> places_;
  std::size_t total_ = 0;
  AlignedBuffer<float> values_, gradients_;
};

}  // namespace pantanal::autograd
