// Matrix products for estimators: packing into the kernels' panels, and large products cut to fit the cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ml {

/// The kernels of this CPU; PANTANAL_ISA overrides, as everywhere.
inline const kernels::KernelTable& best_kernels() {
  static const kernels::KernelTable& table = kernels::table(best_instruction_set());
  return table;
}

template <Real T>
void gemm(const kernels::KernelTable& table, const kernels::PanelGemmArgs<T>& args) {
  if constexpr (std::is_same_v<T, float>)
    table.panel_gemm_f32(args);
  else
    table.panel_gemm_f64(args);
}

template <Real T>
T adam(const kernels::KernelTable& table, const kernels::AdamArgs<T>& args) {
  if constexpr (std::is_same_v<T, float>)
    return table.adam_f32(args);
  else
    return table.adam_f64(args);
}

/// A matrix [rows, columns] in panels: panel p holds columns p·panel …, as [rows][panel].
template <Real T>
struct PanelMatrix {
  AlignedBuffer<T> values;
  std::size_t rows = 0, columns = 0, panel = 0;

  PanelMatrix() = default;
  PanelMatrix(const kernels::KernelTable& table, std::size_t row_count, std::size_t column_count)
      : rows(row_count), columns(column_count), panel(table.gemm_panel<T>()) {
    values = AlignedBuffer<T>(rows * ops::round_up(columns, panel));
  }
  std::size_t panel_stride() const { return rows * panel; }
};

/// `source`, element (r, c) at source[r·row_stride + c·column_stride], in panels.
template <Real T>
PanelMatrix<T> pack_panels(const kernels::KernelTable& table, const T* source, std::size_t row_stride,
                           std::size_t column_stride, std::size_t rows, std::size_t columns) {
  PanelMatrix<T> packed(table, rows, columns);
  for (std::size_t first = 0; first < columns; first += packed.panel) {
    T* panel = packed.values.data() + first * rows;
    const std::size_t width = std::min(packed.panel, columns - first);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < width; ++c)
        panel[r * packed.panel + c] = source[r * row_stride + (first + c) * column_stride];
  }
  return packed;
}

/// One factor of a product: element (r, c) at data[r·row_stride + c·column_stride]; one stride is 1.
template <Real T>
struct Factor {
  const T* data = nullptr;
  std::size_t rows = 0, columns = 0, row_stride = 0, column_stride = 1;

  Factor transposed() const { return {data, columns, rows, column_stride, row_stride}; }
};
template <Real T>
Factor<T> factor(MatrixView<T> m) {
  return {m.data, m.rows, m.columns, m.columns, 1};
}
template <Real T>
Factor<T> factor(const Matrix<T>& m) {
  return factor(m.view());
}

namespace detail {

/// Rows first_row … of panel `first_column` … of b, as [rows][panel], columns beyond b's zero.
template <Real T>
void pack_panel(const Factor<T>& b, std::size_t first_row, std::size_t rows, std::size_t first_column,
                std::size_t panel, T* to) {
  const std::size_t width = std::min(panel, b.columns - first_column);
  const T* from = b.data + first_row * b.row_stride + first_column * b.column_stride;
  if (width < panel) std::fill_n(to, rows * panel, T{0});
  if (b.column_stride == 1) {
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(from + r * b.row_stride, width, to + r * panel);
    return;
  }
  for (std::size_t c = 0; c < width; ++c)
    for (std::size_t r = 0; r < rows; ++r) to[r * panel + c] = from[r * b.row_stride + c * b.column_stride];
}

}  // namespace detail

/// a·b. The same bytes for any number of threads: each element is one sum over depth, in order.
///
/// Depth is cut into `depth_block`s, so that a panel of b stays near, and rows into `row_block`s, so that
/// their part of a stays in L2; it is copied there, where rows a power of two apart do not fall onto each
/// other. Whole panels are summed in place, what is left of b's columns beside the product. `upper_only`:
/// elements below the diagonal may be left undefined, for products known to be symmetric.
template <Real T>
Matrix<T> multiply(const kernels::KernelTable& table, Factor<T> a, Factor<T> b, std::size_t threads = 1,
                   bool upper_only = false) {
  constexpr std::size_t depth_block = 1536 / sizeof(T), row_block = 96;
  constexpr std::size_t a_stride = depth_block + cache_line / sizeof(T);
  const std::size_t depth = a.columns, panel = table.gemm_panel<T>();
  const std::size_t panels = (b.columns + panel - 1) / panel, whole = b.columns / panel;
  const std::size_t blocks = (a.rows + row_block - 1) / row_block;
  const std::size_t members = std::max<std::size_t>(threads, 1);
  const bool by_row = a.column_stride == 1;
  Matrix<T> product(a.rows, b.columns);
  AlignedBuffer<T> packed(std::min(depth, depth_block) * panels * panel), rest(a.rows * panel);
  AlignedBuffer<T> copies(by_row ? members * row_block * a_stride : 0);
  parallel_team(members, [&](const Team& team) {
    T* const copy = copies.data() + (by_row ? team.rank() * row_block * a_stride : 0);
    for (std::size_t k = 0; k < depth; k += depth_block) {
      const std::size_t length = std::min(depth_block, depth - k);
      const Range mine = team.share(panels);
      for (std::size_t p = mine.begin; p < mine.end; ++p)
        detail::pack_panel(b, k, length, p * panel, panel, packed.data() + p * length * panel);
      team.wait();
      for (std::size_t block = team.rank(); block < blocks; block += team.size()) {
        const std::size_t row = block * row_block, first = upper_only ? row / panel : 0;
        const T* from = a.data + row * a.row_stride + k * a.column_stride;
        kernels::PanelGemmArgs<T> args{.a = by_row ? copy : from,
                                       .a_row_stride = by_row ? a_stride : a.row_stride,
                                       .a_depth_stride = a.column_stride,
                                       .b = packed.data() + first * length * panel,
                                       .b_depth_stride = panel,
                                       .b_panel_stride = length * panel,
                                       .c = product.row(row) + first * panel,
                                       .c_row_stride = b.columns,
                                       .c_panel_stride = panel,
                                       .rows = std::min(row_block, a.rows - row),
                                       .depth = length,
                                       .columns = (whole - std::min(first, whole)) * panel,
                                       .accumulate = k > 0};
        for (std::size_t r = 0; by_row && r < args.rows; ++r)
          std::copy_n(from + r * a.row_stride, length, copy + r * a_stride);
        if (args.columns > 0) gemm<T>(table, args);
        if (whole == panels) continue;
        args.b = packed.data() + whole * length * panel;
        args.c = rest.data() + row * panel;
        args.c_row_stride = args.columns = panel;
        gemm<T>(table, args);
      }
      team.wait();
    }
  });
  for (std::size_t r = 0; r < a.rows && whole < panels; ++r)
    std::copy_n(rest.data() + r * panel, b.columns - whole * panel, product.row(r) + whole * panel);
  return product;
}

/// a·aᵀ, both triangles.
template <Real T>
Matrix<T> gram(const kernels::KernelTable& table, Factor<T> a, std::size_t threads = 1) {
  Matrix<T> product = multiply(table, a, a.transposed(), threads, true);
  constexpr std::size_t block = 16;  // of columns: what is read lies in a few cache lines
  for (std::size_t first = 0; first < product.rows; first += block)
    for (std::size_t r = first + 1; r < product.rows; ++r)
      for (std::size_t c = first; c < std::min(first + block, r); ++c) product(r, c) = product(c, r);
  return product;
}

}  // namespace pantanal::ml
