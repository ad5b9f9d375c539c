// Embedding with its backward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "pantanal/autograd/parameters.hpp"

namespace pantanal::autograd {

/// y = weight[id];  dweight[id] = Σ of the dy of that id, zero for ids that do not occur.
class Embedding {
 public:
  Embedding(ParameterSet& parameters, const std::string& prefix, std::size_t dim)
      : dim_(dim), weight_(parameters[prefix + ".weight"]) {}

  std::size_t num_embeddings() const { return weight_.value.size() / dim_; }

  /// Row `id`, which must be in range, to y [dim].
  void forward(std::int64_t id, float* y) const {
    std::copy_n(weight_.value.data() + static_cast<std::size_t>(id) * dim_, dim_, y);
  }

  /// dy [ids, dy_stride], summed in the order of ids.
  void weight_gradient(std::span<const std::int64_t> ids, const float* dy, std::size_t dy_stride) const {
    std::fill(weight_.gradient.begin(), weight_.gradient.end(), 0.0f);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      float* row = weight_.gradient.data() + static_cast<std::size_t>(ids[i]) * dim_;
      for (std::size_t c = 0; c < dim_; ++c) row[c] += dy[i * dy_stride + c];
    }
  }

 private:
  std::size_t dim_;
  Parameter weight_;
};

}  // namespace pantanal::autograd
