// Conv: a bank of filters slid over [N, C, D1, …, Dn], as matrix products of the filters with gathered
// windows.
#include <algorithm>

#include "interpreter/matrix.hpp"
#include "interpreter/operator.hpp"
#include "interpreter/window.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Extents of a convolution; channels and filters are those of one group.
struct Extents {
  std::int64_t batch = 0, groups = 1, channels = 0, filters = 0;
};

/// X [N, groups·channels, …], W [groups·filters, channels, …], B [groups·filters].
template <class Real>
Result<Extents> read_extents(const Call<Real>& call) {
  PANTANAL_TRY(const std::int64_t groups, call.integer("group", 1));
  for (std::size_t i = 0; i < call.input_count(); ++i)
    if (call.has_input(i)) PANTANAL_TRY_STATUS(call.expect(i, Kind::real));
  const Shape &x = call.input(0).shape, &w = call.input(1).shape;
  if (x.size() < 3 || w.size() != x.size())
    return call.error(ErrorCode::mismatch, call.describe(0) + " and " + call.describe(1),
                      "ranks of at least 3, and equal");
  if (groups < 1 || x[1] == 0 || x[1] % groups != 0 || w[1] != x[1] / groups || w[0] % groups != 0)
    return call.error(ErrorCode::mismatch, call.describe(0) + " and " + call.describe(1),
                      "channels and filters that fit " + std::to_string(groups) + " groups");
  if (call.has_input(2) && call.input(2).shape != Shape{w[0]})
    return call.error(ErrorCode::mismatch, call.describe(2),
                      "a bias for each of " + std::to_string(w[0]) + " filters");
  return Extents{x[0], groups, w[1], w[0] / groups};
}

/// The windows of one group at `count` output positions, a row per channel and kernel element.
template <class Real>
void gather_windows(const Real* image, const Extents& extents, const Window& window,
                    const std::vector<std::int64_t>& offsets, std::int64_t count, Matrix<Real>& columns) {
  const std::int64_t kernel_size = window.kernel_size(), input_size = window.input_size();
  columns.resize(extents.channels * kernel_size, count);
  for (std::int64_t c = 0; c < extents.channels; ++c)
    for (std::int64_t k = 0; k < kernel_size; ++k) {
      const Real* channel = image + c * input_size;
      const std::int64_t* from = offsets.data() + k * count;
      Real* to = columns.data() + (c * kernel_size + k) * count;
      for (std::int64_t p = 0; p < count; ++p) to[p] = from[p] < 0 ? Real(0) : channel[from[p]];
    }
}

/// The filters over every image of the batch, a few output positions at a time.
template <class Real>
std::vector<Real> convolve(const Extents& extents, const Window& window, const Real* x, const Real* w,
                           const Real* bias, std::size_t size) {
  constexpr std::int64_t tile_elements = std::int64_t{1} << 20;  // of the gathered windows
  const std::int64_t output_size = window.output_size(), depth = extents.channels * window.kernel_size();
  const std::int64_t tile = std::min(output_size, std::max<std::int64_t>(tile_elements / depth, 16));
  std::vector<Real> y(size);
  Matrix<Real> columns;
  for (std::int64_t first = 0; first < output_size; first += tile) {
    const std::int64_t count = std::min(tile, output_size - first);
    const std::vector<std::int64_t> offsets = window_offsets(window, first, count);
    for (std::int64_t i = 0; i < extents.batch * extents.groups; ++i) {
      const std::int64_t filter = i % extents.groups * extents.filters;
      gather_windows(x + i * extents.channels * window.input_size(), extents, window, offsets, count,
                     columns);
      const Eigen::Map<const Matrix<Real>> filters(w + filter * depth, extents.filters, depth);
      Eigen::Map<Matrix<Real>, 0, Eigen::OuterStride<>> out(
          y.data() + i * extents.filters * output_size + first, extents.filters, count,
          Eigen::OuterStride<>(output_size));
      out.noalias() = filters * columns;
      for (std::int64_t f = 0; bias && f < extents.filters; ++f) out.row(f).array() += bias[filter + f];
    }
  }
  return y;
}

template <class Real>
Result<Tensors<Real>> conv(const Call<Real>& call) {
  PANTANAL_TRY(const Extents extents, read_extents(call));
  const Tensor<Real>&x = call.input(0), &w = call.input(1);
  const std::vector<std::int64_t> kernel(w.shape.begin() + 2, w.shape.end());
  PANTANAL_TRY(const auto declared, call.integers("kernel_shape"));
  if (declared && *declared != kernel)
    return call.attribute_error("kernel_shape", to_string(*declared),
                                to_string(kernel) + ", as the filters have");
  PANTANAL_TRY(const Window window, read_window(call, x.shape, kernel));
  Shape shape = {extents.batch, w.shape[0]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  const std::int64_t depth = extents.channels * window.kernel_size();
  PANTANAL_TRY_STATUS(call.size_of({depth, 16}));
  PANTANAL_TRY_STATUS(call.check_work({extents.batch, w.shape[0], depth, window.output_size()}));
  const Real* bias = call.has_input(2) ? call.input(2).reals->data() : nullptr;
  return Tensors<Real>{
      real_tensor(shape, convolve(extents, window, x.reals->data(), w.reals->data(), bias, size))};
}

}  // namespace

template <class Real>
Operators<Real> conv_operators() {
  return {
      {"Conv", conv<Real>, 2, 3, 1, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}}};
}

template Operators<float> conv_operators<float>();
template Operators<double> conv_operators<double>();

}  // namespace pantanal::convert::interpreter
