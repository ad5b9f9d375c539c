// MaxPool, AveragePool and their global forms over [N, C, D1, …, Dn].
#include <limits>
#include <numeric>
#include <span>

#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"
#include "interpreter/window.hpp"

namespace pantanal::convert::interpreter {
namespace {

template <class Real>
Status expect_image(const Call<Real>& call) {
  if (call.input(0).rank() < 3) return call.error(ErrorCode::mismatch, call.describe(0), "rank 3 or more");
  return {};
}

template <class Real>
Result<Window> pooling_window(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(expect_image(call));
  PANTANAL_TRY(const auto kernel, call.integers("kernel_shape"));
  if (!kernel) return call.error(ErrorCode::corrupt, "no attribute kernel_shape", "it");
  const Shape& shape = call.input(0).shape;
  PANTANAL_TRY(const Window window, read_window(call, shape, *kernel));
  PANTANAL_TRY_STATUS(call.check_work({shape[0], shape[1], window.output_size(), window.kernel_size()}));
  return window;
}

/// [N, C, output…].
Shape pooled_shape(const Shape& input, const Window& window) {
  Shape shape = {input[0], input[1]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  return shape;
}

/// visit(element of the output, where its channel's image starts in the input, offsets of the window in that
/// image).
template <class Visit>
void for_each_window(const Shape& input, const Window& window, Visit visit) {
  const std::int64_t images = input[0] * input[1], positions = window.output_size();
  for (std::int64_t p = 0; p < positions; ++p) {
    const std::vector<std::int64_t> offsets = window_offsets(window, p, 1);
    for (std::int64_t image = 0; image < images; ++image)
      visit(image * positions + p, image * window.input_size(), offsets);
  }
}

/// The mean of the elements under the window, padding counted as zeros if count_include_pad is set.
template <class Real>
Result<Tensors<Real>> average_pool(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY(const Window window, pooling_window(call));
  PANTANAL_TRY(const std::int64_t include_pad, call.integer("count_include_pad", 0));
  const Shape shape = pooled_shape(call.input(0).shape, window);
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  const std::vector<Real>& x = *call.input(0).reals;
  std::vector<Real> y(size);
  for_each_window(call.input(0).shape, window,
                  [&](std::int64_t out, std::int64_t image, const auto& offsets) {
                    double total = 0, count = 0;
                    for (const std::int64_t offset : offsets) {
                      if (offset >= 0) total += x[image + offset];
                      if (offset >= 0 || (offset == in_padding && include_pad != 0)) ++count;
                    }
                    y[out] = static_cast<Real>(total / count);
                  });
  return Tensors<Real>{real_tensor(shape, std::move(y))};
}

/// An offset in a row-major image as an offset in the same image stored column-major.
std::int64_t column_major(std::int64_t offset, const std::vector<std::int64_t>& extents) {
  std::int64_t result = 0, stride = Window::product(extents);
  for (std::size_t axis = extents.size(); axis-- > 0; offset /= extents[axis]) {
    stride /= extents[axis];
    result += offset % extents[axis] * stride;
  }
  return result;
}

/// The largest element under each window, and where in the whole input it is: the first if there are several.
template <class T>
struct Maxima {
  std::vector<T> values;
  std::vector<std::int64_t> indices;
};

template <class T>
Maxima<T> window_maxima(const std::vector<T>& x, const Shape& shape, const Window& window,
                        bool is_column_major, std::size_t size) {
  const T lowest =
      std::floating_point<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  Maxima<T> maxima{std::vector<T>(size, lowest), std::vector<std::int64_t>(size, -1)};
  for_each_window(shape, window, [&](std::int64_t out, std::int64_t image, const auto& offsets) {
    std::int64_t best = -1;
    for (const std::int64_t offset : offsets)
      if (offset >= 0 && (best < 0 || exceeds(x[image + offset], x[image + best]))) best = offset;
    if (best < 0) return;
    maxima.values[out] = x[image + best];
    maxima.indices[out] = image + (is_column_major ? column_major(best, window.input) : best);
  });
  return maxima;
}

template <class Real>
Result<Tensors<Real>> max_pool(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  if (input.kind == Kind::boolean) return call.error(ErrorCode::unsupported, call.describe(0), "numbers");
  PANTANAL_TRY(const Window window, pooling_window(call));
  PANTANAL_TRY(const std::int64_t storage_order, call.integer("storage_order", 0));
  const Shape shape = pooled_shape(input.shape, window);
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  Tensors<Real> results;
  std::vector<std::int64_t> indices;
  if (input.kind == Kind::real) {
    Maxima<Real> maxima = window_maxima(*input.reals, input.shape, window, storage_order != 0, size);
    results.push_back(real_tensor(shape, std::move(maxima.values)));
    indices = std::move(maxima.indices);
  } else {
    Maxima<std::int64_t> maxima =
        window_maxima(*input.integers, input.shape, window, storage_order != 0, size);
    results.push_back(integer_tensor<Real>(Kind::integer, shape, std::move(maxima.values)));
    indices = std::move(maxima.indices);
  }
  results.push_back(integer_tensor<Real>(Kind::integer, shape, std::move(indices)));
  return results;
}

/// f(elements of one channel's image) for every image and channel, spatial extents becoming 1.
template <class Real, auto f>
Result<Tensors<Real>> global_pool(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY_STATUS(expect_image(call));
  Shape shape = call.input(0).shape;
  std::fill(shape.begin() + 2, shape.end(), 1);
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  const std::vector<Real>& x = *call.input(0).reals;
  const std::size_t positions = size == 0 ? 0 : x.size() / size;
  std::vector<Real> y;
  for (std::size_t image = 0; image < size; ++image)
    y.push_back(f(std::span(x).subspan(image * positions, positions)));
  return Tensors<Real>{real_tensor(shape, std::move(y))};
}

template <class Real>
Real mean_of(std::span<const Real> values) {
  return static_cast<Real>(std::accumulate(values.begin(), values.end(), 0.0) /
                           static_cast<double>(values.size()));
}

template <class Real>
Real maximum_of(std::span<const Real> values) {
  return std::accumulate(values.begin(), values.end(), -std::numeric_limits<Real>::infinity(), larger<Real>);
}

}  // namespace

template <class Real>
Operators<Real> pooling_operators() {
  return {
      {"AveragePool",
       average_pool<Real>,
       1,
       1,
       1,
       {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"}},
      {"GlobalAveragePool", global_pool<Real, mean_of<Real>>},
      {"GlobalMaxPool", global_pool<Real, maximum_of<Real>>},
      {"MaxPool",
       max_pool<Real>,
       1,
       1,
       2,
       {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"}},
  };
}

template Operators<float> pooling_operators<float>();
template Operators<double> pooling_operators<double>();

}  // namespace pantanal::convert::interpreter
