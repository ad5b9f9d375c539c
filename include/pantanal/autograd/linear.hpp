// Linear with its backward. Its forward is nn::Linear's, on weights packed anew each step.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::autograd {

/// y = x·Wᵀ + b;  dx = dy·W,  dW = dyᵀ·x,  db = Σ_rows dy. x [rows, in_features], y [rows, out_features],
/// both with padded rows. W and b may be several parameters stacked, or rows of one.
class Linear {
 public:
  /// Weight rows [rows, in_features] and, unless empty, their bias.
  struct Part {
    Parameter weight, bias;
  };

  Linear(const kernels::KernelTable& table, std::vector<Part> parts, std::size_t in_features)
      : table_(&table), in_(in_features), parts_(std::move(parts)) {
    for (const Part& part : parts_) out_ += part.weight.value.size() / in_;
    padded_ = ops::round_up(out_, ops::channel_padding);
    packed_ = AlignedBuffer<float>(in_ * padded_);
    bias_ = AlignedBuffer<float>(padded_);
  }

  /// PREFIX.weight and, if there is one, PREFIX.bias.
  Linear(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
         std::size_t in_features)
      : Linear(table, {{parameters[prefix + ".weight"], parameters[prefix + ".bias"]}}, in_features) {}

  std::size_t in_features() const { return in_; }
  std::size_t out_features() const { return out_; }
  std::size_t output_stride() const { return padded_; }

  /// This member's share of reading the parameters.
  void pack(const Team& team) {
    const std::size_t panel = table_->panel_floats, panels = (padded_ + panel - 1) / panel;
    const Range mine = team.share(panels);
    for (std::size_t p = mine.begin; p < mine.end; ++p)
      pack_panel(p * panel, std::min(panel, padded_ - p * panel));
  }

  /// x [rows, x_stride] -> y [rows, output_stride()], the padding zero; `residual`, of y's layout, is added.
  void forward(const Pass& pass, const float* x, std::size_t x_stride, float* y,
               const float* residual = nullptr) const {
    table_->pointwise({.input = x,
                       .input_stride = x_stride,
                       .weights = packed_.data(),
                       .bias = bias_.data(),
                       .residual = residual,
                       .residual_stride = padded_,
                       .output = y,
                       .output_stride = padded_,
                       .rows = pass.rows(),
                       .depth = in_,
                       .padded_columns = padded_});
  }

  /// dy [rows, dy_stride] -> dx [rows, dx_stride], added to it if `accumulate`.
  void backward(const Pass& pass, const float* dy, std::size_t dy_stride, float* dx, std::size_t dx_stride,
                bool accumulate = false) const {
    for (const Part& part : parts_) {
      const std::size_t rows = part.weight.value.size() / in_;
      table_->gemm({.a = dy,
                    .a_row_stride = dy_stride,
                    .b = part.weight.value.data(),
                    .b_stride = in_,
                    .c = dx,
                    .c_stride = dx_stride,
                    .rows = pass.rows(),
                    .columns = in_,
                    .depth = rows,
                    .accumulate = accumulate});
      accumulate = true, dy += rows;
    }
  }

  /// This member's share of dW and db, over all `rows` rows of a batch.
  void weight_gradient(const Team& team, const float* x, std::size_t x_stride, const float* dy,
                       std::size_t dy_stride, std::size_t rows) const {
    for (const Part& part : parts_) {
      const std::size_t outputs = part.weight.value.size() / in_;
      const Range mine = team.share(outputs, row_grain);
      if (mine.size() > 0)
        table_->gemm({.a = dy + mine.begin,
                      .a_row_stride = 1,
                      .a_depth_stride = dy_stride,
                      .b = x,
                      .b_stride = x_stride,
                      .c = part.weight.gradient.data() + mine.begin * in_,
                      .c_stride = in_,
                      .rows = mine.size(),
                      .columns = in_,
                      .depth = rows});
      if (!part.bias.value.empty())
        table_->mean_rows(dy + mine.begin, rows, dy_stride, mine.size(), 1.0f,
                          part.bias.gradient.data() + mine.begin);
      dy += outputs;
    }
  }

 private:
  static constexpr std::size_t row_grain = 8;  // a tile of the matrix kernel
  static constexpr std::size_t widest_panel = 64;

  /// Where weight row n is, and its bias.
  std::pair<const float*, float> row(std::size_t n) const {
    for (const Part& part : parts_) {
      const std::size_t rows = part.weight.value.size() / in_;
      if (n < rows)
        return {part.weight.value.data() + n * in_, part.bias.value.empty() ? 0.0f : part.bias.value[n]};
      n -= rows;
    }
    return {nullptr, 0.0f};
  }

  void pack_panel(std::size_t first, std::size_t width) {
    float* panel = packed_.data() + first * in_;
    std::array<const float*, widest_panel> rows;
    const std::size_t real = std::min(width, out_ - std::min(out_, first));
    for (std::size_t n = 0; n < real; ++n) std::tie(rows[n], bias_[first + n]) = row(first + n);
    for (std::size_t k = 0; k < in_; ++k)
      for (std::size_t n = 0; n < real; ++n) panel[k * width + n] = rows[n][k];
  }

  const kernels::KernelTable* table_;
  std::size_t in_, out_ = 0, padded_ = 0;
  std::vector<Part> parts_;
  AlignedBuffer<float> packed_, bias_;
};

}  // namespace pantanal::autograd
