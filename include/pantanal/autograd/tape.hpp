// What a training pass carries from layer to layer, and where a forward leaves what its backward needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/rows.hpp"

namespace pantanal::autograd {

/// A batch's rows of one activation or gradient, kept from the forward to the weights' gradients. Padding is
/// zero.
struct Slot {
  float* data = nullptr;
  std::size_t stride = 0;
  float* row(std::size_t r) const { return data + r * stride; }
};

/// Owns the slots of a model: taken when the model is planned for a batch, never while it runs.
class Tape {
 public:
  /// `rows` rows of `columns`, each padded to whole vectors.
  Slot take(std::size_t rows, std::size_t columns) {
    const std::size_t stride = nn::row_stride(columns);
    buffers_.emplace_back(rows * stride);
    return {buffers_.back().data(), stride};
  }
  void clear() { buffers_.clear(); }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& buffer : buffers_) sum += buffer.size() * sizeof(float);
    return sum;
  }

 private:
  std::vector<AlignedBuffer<float>> buffers_;
};

/// One thread's way through some files of a batch, forwards and then backwards. Layers take pointers to the
/// pass's first row; what they keep lies in slots of the whole batch. When all passes of a step are done, the
/// weights' gradients are summed over the batch in its order, so that they do not depend on how it was cut.
struct Pass {
  const kernels::KernelTable* table = nullptr;
  Range files = {};
  std::size_t steps = 0;    ///< rows per file
  bool training = true;     ///< whether dropout is on
  std::uint64_t seed = 0;   ///< of dropout,
  std::uint32_t epoch = 0;  ///< which draws anew each epoch
  nn::Scratch scratch{nullptr};

  nn::Sequences sequences() const { return {files.size(), steps}; }
  std::size_t rows() const { return files.size() * steps; }
  std::size_t first_row() const { return files.begin * steps; }
  float* in(const Slot& slot) const { return slot.row(first_row()); }
};

}  // namespace pantanal::autograd
