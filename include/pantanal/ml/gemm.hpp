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
#include "pantanal/ml/transpose.hpp"
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
void rectify(const kernels::KernelTable& table, const kernels::RectifyArgs<T>& args) {
  if constexpr (std::is_same_v<T, float>)
    table.rectify_f32(args);
  else
    table.rectify_f64(args);
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

/// Rows first_row … of panels first … last-1 of b into `to`, panel by panel as [rows][panel], columns beyond
/// b's zero.
template <Real T>
void pack(const Factor<T>& b, std::size_t first_row, std::size_t rows, std::size_t panel, std::size_t first,
          std::size_t last, T* to) {
  constexpr std::size_t group = 8;  // panels read together: fewer pages at a time
  const T* from = b.data + first_row * b.row_stride;
  if (first < last && last * panel > b.columns)
    std::fill_n(to + (last - 1 - first) * rows * panel, rows * panel, T{0});
  for (std::size_t begin = first; begin < last; begin += b.column_stride == 1 ? group : 1) {
    T* const packed = to + (begin - first) * rows * panel;
    if (b.column_stride != 1) {
      transpose(from + begin * panel * b.column_stride, b.column_stride,
                std::min(panel, b.columns - begin * panel), rows, packed, panel);
      continue;
    }
    const std::size_t end = std::min(begin + group, last), columns_end = std::min(end * panel, b.columns);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t p = begin; p < end; ++p)
        std::copy_n(from + r * b.row_stride + p * panel, std::min(panel, columns_end - p * panel),
                    packed + ((p - begin) * rows + r) * panel);
  }
}

/// A product under way. Depth is cut into `depth_block`s, so that a panel of b stays in L1, and rows into
/// `row_block`s, so that their part of a, repacked into the kernels' tiles, stays in L2.
template <Real T>
struct Product {
  static constexpr std::size_t depth_block = 1536 / sizeof(T);

  const kernels::KernelTable& table;
  Factor<T> a, b;
  bool upper_only = false;
  std::size_t panel = table.gemm_panel<T>(), tile = table.gemm_rows, row_block = 96 / tile * tile;
  std::size_t panels = (b.columns + panel - 1) / panel, whole = b.columns / panel;
  std::size_t longest = std::min(a.columns, depth_block);
  Matrix<T> c{a.rows, b.columns};
  AlignedBuffer<T> packed{longest * panels * panel};  ///< of b
  AlignedBuffer<T> rest{a.rows * panel};              ///< of c: the columns beyond whole panels

  /// Rows first_row … of c, panels first … last-1, over depth k …; tiles: those rows of a.
  void sum(const T* tiles, std::size_t first_row, std::size_t rows, std::size_t k, std::size_t first,
           std::size_t last) {
    const std::size_t length = std::min(depth_block, a.columns - k);
    kernels::PanelGemmArgs<T> args{.a = tiles,
                                   .a_row_stride = 1,
                                   .a_depth_stride = tile,
                                   .a_tile_stride = tile * length,
                                   .b = packed.data() + first * length * panel,
                                   .b_depth_stride = panel,
                                   .b_panel_stride = length * panel,
                                   .c = c.row(first_row) + first * panel,
                                   .c_row_stride = b.columns,
                                   .c_panel_stride = panel,
                                   .rows = rows,
                                   .depth = length,
                                   .columns = (std::min(last, whole) - std::min(first, whole)) * panel,
                                   .accumulate = k > 0};
    if (args.columns > 0) gemm<T>(table, args);
    if (last <= whole) return;
    args.b = packed.data() + whole * length * panel;
    args.c = rest.data() + first_row * panel;
    args.c_row_stride = args.columns = panel;
    gemm<T>(table, args);
  }

  /// What depth k … adds to the block of rows at first_row; tiles: room for those rows of a.
  void sum_block(T* tiles, std::size_t first_row, std::size_t k) {
    const std::size_t rows = std::min(row_block, a.rows - first_row);
    const std::size_t length = std::min(depth_block, a.columns - k);
    const Factor<T> turned{a.data + first_row * a.row_stride, a.columns, rows, a.column_stride, a.row_stride};
    pack(turned, k, length, tile, 0, (rows + tile - 1) / tile, tiles);
    if (!upper_only) return sum(tiles, first_row, rows, k, 0, panels);
    const std::size_t right = std::min((first_row + rows) / panel, panels);  // of the block
    for (std::size_t r = 0; r < rows; r += tile)
      if (const std::size_t first = (first_row + r) / panel; first < right)
        sum(tiles + r * length, first_row + r, std::min(tile, rows - r), k, first, right);
    if (right < panels) sum(tiles, first_row, rows, k, right, panels);
  }
};

}  // namespace detail

/// a·b. The same bytes for any number of threads: each element is one sum over depth, in order.
/// `upper_only`: elements below the diagonal may be left undefined, for products known to be symmetric.
template <Real T>
Matrix<T> multiply(const kernels::KernelTable& table, Factor<T> a, Factor<T> b, std::size_t threads = 1,
                   bool upper_only = false) {
  detail::Product<T> p{.table = table, .a = a, .b = b, .upper_only = upper_only};
  const std::size_t members = std::max<std::size_t>(threads, 1),
                    blocks = (a.rows + p.row_block - 1) / p.row_block;
  AlignedBuffer<T> tiles(members * p.row_block * p.longest);
  parallel_team(members, [&](const Team& team) {
    for (std::size_t k = 0; k < a.columns; k += p.depth_block) {
      const std::size_t length = std::min(p.depth_block, a.columns - k);
      const Range share = team.share(p.panels);
      detail::pack(b, k, length, p.panel, share.begin, share.end,
                   p.packed.data() + share.begin * length * p.panel);
      team.wait();
      for (std::size_t block = team.rank(); block < blocks; block += team.size())
        p.sum_block(tiles.data() + team.rank() * p.row_block * p.longest, block * p.row_block, k);
      team.wait();
    }
  });
  for (std::size_t r = 0; r < a.rows && p.whole < p.panels; ++r)
    std::copy_n(p.rest.data() + r * p.panel, b.columns - p.whole * p.panel, p.c.row(r) + p.whole * p.panel);
  return std::move(p.c);
}

/// a·aᵀ, both triangles.
template <Real T>
Matrix<T> gram(const kernels::KernelTable& table, Factor<T> a, std::size_t threads = 1) {
  Matrix<T> product = multiply(table, a, a.transposed(), threads, true);
  constexpr std::size_t block = 16;
  for (std::size_t first = 0; first < product.rows; first += block) {
    const std::size_t last = std::min(first + block, product.rows);
    for (std::size_t r = first; r < last; ++r)
      for (std::size_t c = first; c < r; ++c) product(r, c) = product(c, r);
    if (last < product.rows)
      transpose(product.row(first) + last, product.columns, last - first, product.columns - last,
                product.row(last) + first, product.columns);
  }
  return product;
}

}  // namespace pantanal::ml
