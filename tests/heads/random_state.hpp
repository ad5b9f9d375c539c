// Random parameters for any list of tensors.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::heads {

inline nn::StateDict random_state(const std::vector<TensorSpec>& specs, unsigned seed = 1) {
  nn::StateDict state;
  for (const TensorSpec& spec : specs)
    state.emplace(spec.name, make_tensor(spec.shape, kernels::random_floats(
                                                         static_cast<std::size_t>(*element_count(spec.shape)),
                                                         ++seed, 0.2f)));
  return state;
}

}  // namespace pantanal::heads
