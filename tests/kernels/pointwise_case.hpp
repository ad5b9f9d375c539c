// 1x1 convolutions for kernels of every kind of weights: sizes, arguments, and where outputs lie.
#pragma once

#include <cstddef>
#include <ostream>
#include <vector>

#include "pantanal/kernels/table.hpp"

namespace pantanal::kernels {

struct PointwiseCase {
  std::size_t rows, depth, columns;
  Activation activation = Activation::none;
  bool residual = false;
  std::size_t row_width = 0;  ///< 0: rows are stored one after the other; else with a gap after so many
};

inline std::ostream& operator<<(std::ostream& out, const PointwiseCase& c) {
  return out << "rows " << c.rows << " depth " << c.depth << " columns " << c.columns << " activation "
             << static_cast<int>(c.activation) << " row width " << c.row_width;
}

/// Everything but input, weights and output. `residual` [rows, padded_columns] counts if the case has one.
inline PointwiseArgs pointwise_args(const PointwiseCase& c, const float* bias, std::size_t padded_columns,
                                    const std::vector<float>& residual = {}) {
  const std::size_t width = c.row_width ? c.row_width : c.rows;
  return {.bias = bias,
          .residual = c.residual ? residual.data() : nullptr,
          .residual_stride = padded_columns,
          .output_stride = padded_columns,
          .row_width = c.row_width,
          .output_row_stride = (width + (c.row_width ? 5 : 0)) * padded_columns,
          .rows = c.rows,
          .depth = c.depth,
          .padded_columns = padded_columns,
          .activation = c.activation};
}

/// Where row r's outputs begin.
inline std::size_t output_begin(const PointwiseArgs& a, std::size_t r) {
  const std::size_t width = a.row_width ? a.row_width : a.rows;
  return r / width * a.output_row_stride + r % width * a.output_stride;
}

/// Floats of all outputs, gaps included.
inline std::size_t output_size(const PointwiseArgs& a) {
  const std::size_t width = a.row_width ? a.row_width : a.rows;
  return (a.rows + width - 1) / width * a.output_row_stride;
}

}  // namespace pantanal::kernels
