// Embedding: PyTorch's nn.Embedding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// y = weight[id]: [ids] -> [ids, dim]. Parameters: weight [num_embeddings, dim].
class Embedding {
 public:
  static void require(TensorList& list, const std::string& prefix, std::size_t num_embeddings,
                      std::size_t dim) {
    list.add(parameter_name(prefix, "weight"), {num_embeddings, dim});
  }

  Embedding(const StateDict& state, const std::string& prefix, std::size_t dim) : dim_(dim) {
    const std::span<const float> values = tensor_values(state, parameter_name(prefix, "weight"));
    weight_.assign(values.begin(), values.end());
  }

  std::size_t num_embeddings() const { return weight_.size() / dim_; }

  /// Whether every id has a row; the error says which is out of range, of OWNER.NAME.
  Status check(std::span<const std::int64_t> ids, std::string_view owner, std::string_view name) const {
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= static_cast<std::int64_t>(num_embeddings()))
        return Error{ErrorCode::invalid_argument,
                     std::string(owner) + "." + std::string(name) + "[" + std::to_string(i) + "]",
                     std::to_string(ids[i]), "0 to " + std::to_string(num_embeddings() - 1)};
    return {};
  }

  /// Copies row `id`, which must be in range, to y [dim].
  void run(std::int64_t id, float* y) const {
    std::copy_n(weight_.begin() + id * static_cast<std::ptrdiff_t>(dim_), dim_, y);
  }

 private:
  std::size_t dim_;
  std::vector<float> weight_;
};

}  // namespace pantanal::nn
