// StemLayer: the first convolution, from the one-channel spectrogram.
#pragma once

#include <algorithm>
#include <cstddef>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

/// output[y][x][c] = act(Σ_ij weight[c][i][j]·spectrogram[y·s+i-top][x·s+j-left] + bias[c]), zeros outside.
/// Each output row's patches are gathered and multiplied as a 1x1 convolution of kernel² channels.
class StemLayer {
 public:
  StemLayer(const kernels::KernelTable& table, const Model& model, PackedArena* arena = nullptr)
      : table_(&table),
        stem_(model.architecture.stem),
        input_(model.architecture.spectrogram_extent()),
        output_(stem_.conv.output(input_)),
        weights_(ops::pack_matrix(table, model.values("stem.weight"), model.values("stem.bias"),
                                  stem_.channels, stem_.conv.kernel * stem_.conv.kernel, arena)) {}

  Extent output_extent() const { return output_; }
  std::size_t output_size() const { return output_.positions() * pixel_stride(stem_.channels); }
  /// Floats of one team member's scratch.
  std::size_t scratch_size() const { return output_.width * weights_.depth; }

  /// spectrogram [H, W] -> output [H', W', pixel_stride(channels)]. Ends with a wait.
  void run(const Team& team, const float* spectrogram, float* output, float* scratch) const {
    const std::size_t stride = pixel_stride(stem_.channels);
    const Range rows = team.share(output_.height);
    for (std::size_t y = rows.begin; y < rows.end; ++y) {
      gather_patches(spectrogram, y, scratch);
      table_->pointwise({.input = scratch,
                         .input_stride = weights_.depth,
                         .weights = weights_.weights.data(),
                         .bias = weights_.bias.data(),
                         .output = output + y * output_.width * stride,
                         .output_stride = stride,
                         .rows = output_.width,
                         .depth = weights_.depth,
                         .padded_columns = weights_.padded_columns,
                         .activation = to_kernel(stem_.activation)});
    }
    team.wait();
  }

 private:
  void gather_patches(const float* spectrogram, std::size_t y, float* patches) const {
    const ConvGeometry& conv = stem_.conv;
    for (std::size_t x = 0; x < output_.width; ++x)
      for (std::size_t i = 0; i < conv.kernel; ++i)
        for (std::size_t j = 0; j < conv.kernel; ++j) {
          const std::size_t row = y * conv.stride + i - conv.pads.top,
                            column = x * conv.stride + j - conv.pads.left;
          const bool inside = row < input_.height && column < input_.width;  // negative ones wrap to huge
          *patches++ = inside ? spectrogram[row * input_.width + column] : 0.0f;
        }
  }

  const kernels::KernelTable* table_;
  Stem stem_;
  Extent input_, output_;
  ops::PackedMatrix weights_;
};

}  // namespace pantanal::perch
