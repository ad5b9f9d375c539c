// The gradient check that every layer passes: on each instruction set its forward is a reference's in double,
// and its backward is that reference's central differences, by the input and by every parameter.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"
#include "pantanal/core/aligned_buffer.hpp"

namespace pantanal::autograd {

/// Files and rows a check runs on; more than one pass, of unequal sizes.
inline constexpr nn::Sequences check_sequences{3, 5};

/// What a layer did with the batch in `x` and `dy`, padded rows; it leaves its parameters' gradients in the
/// set.
struct LayerRun {
  const kernels::KernelTable& table;
  nn::Sequences sequences;
  std::vector<Pass> passes;  ///< the first of two files, the second of one
  Team team;
  float *x, *dy, *y, *dx;  ///< dx and y are zero
};

struct LayerCheck {
  std::size_t in_features = 0, out_features = 0;
  std::function<std::vector<double>(const std::vector<double>&)> reference;  ///< dense rows -> dense rows
  std::function<void(LayerRun&)> run;
  bool input_gradient = true;
  double tolerance = 3e-5;  ///< of a gradient's largest element
  /// Pixels of an image, for layers that take images, whose passes have one step per file; 0: rows as they
  /// are.
  std::size_t in_pixels = 0, out_pixels = 0;
  float h =
      1e-3f;  ///< of the differences; a layer with kinks, such as ReLU's, needs it so small as to miss them

  std::size_t in_rows() const {
    return check_sequences.count * (in_pixels ? in_pixels : check_sequences.steps);
  }
  std::size_t out_rows() const {
    return check_sequences.count * (out_pixels ? out_pixels : check_sequences.steps);
  }
};

/// Dense rows of `columns` as layers take them, the padding zero.
inline AlignedBuffer<float> pad(std::span<const float> x, std::size_t columns) {
  const std::size_t stride = nn::row_stride(columns);
  AlignedBuffer<float> padded(x.size() / columns * stride);
  for (std::size_t i = 0; i < x.size(); ++i) padded[i / columns * stride + i % columns] = x[i];
  return padded;
}

/// The real columns of `count` padded rows.
inline std::vector<float> unpad(const float* rows, std::size_t count, std::size_t columns) {
  std::vector<float> dense(count * columns);
  for (std::size_t i = 0; i < dense.size(); ++i)
    dense[i] = rows[i / columns * nn::row_stride(columns) + i % columns];
  return dense;
}

/// Random parameters, none of them near 0 or 1 by habit.
inline void stir(ParameterSet& parameters, unsigned seed = 10) {
  const std::vector<float> values = kernels::random_floats(parameters.values().size(), seed, 0.4f);
  std::copy(values.begin(), values.end(), parameters.values().begin());
}

namespace detail {

inline void expect_layer(ParameterSet& parameters, const LayerCheck& check, LayerRun& run,
                         std::span<const double> y, std::span<const double> dx,
                         const std::vector<std::vector<double>>& gradients) {
  check.run(run);
  kernels::expect_gradient(unpad(run.y, check.out_rows(), check.out_features), y, "y", check.tolerance);
  if (check.input_gradient)
    kernels::expect_gradient(unpad(run.dx, check.in_rows(), check.in_features), dx, "dx", check.tolerance);
  std::size_t i = 0;
  for (const TensorSpec& spec : parameters.specs())
    kernels::expect_gradient(parameters[spec.name].gradient, gradients[i++], spec.name.c_str(),
                             check.tolerance);
}

}  // namespace detail

inline void check_gradients(ParameterSet& parameters, const LayerCheck& check) {
  const nn::Sequences s = check_sequences;
  std::vector<float> x = kernels::random_floats(check.in_rows() * check.in_features, 1);
  const std::vector<float> dy = kernels::random_floats(check.out_rows() * check.out_features, 2);
  const auto y = [&] { return check.reference(std::vector<double>(x.begin(), x.end())); };
  const auto loss = [&] { return kernels::weighted_sum(y(), dy); };
  const std::vector<double> expected = y(), dx = kernels::central_differences(x, loss, check.h);
  std::vector<std::vector<double>> gradients;
  for (const TensorSpec& spec : parameters.specs())
    gradients.push_back(kernels::central_differences(parameters[spec.name].value, loss, check.h));
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    SCOPED_TRACE(to_string(table->isa));
    AlignedBuffer<float> scratch(1 << 16), xs = pad(x, check.in_features), dys = pad(dy, check.out_features),
                                           ys(dys.size()), dxs(xs.size());
    std::fill(parameters.gradients().begin(), parameters.gradients().end(), 0.0f);
    Pass pass{.table = table, .steps = check.in_pixels ? 1 : s.steps, .scratch = nn::Scratch(scratch.data())};
    LayerRun run{*table, s, {pass, pass}, Team(), xs.data(), dys.data(), ys.data(), dxs.data()};
    run.passes[0].files = {0, 2}, run.passes[1].files = {2, 3};
    detail::expect_layer(parameters, check, run, expected, dx, gradients);
  }
}

/// Row `first_row` of a pass in an array of padded rows.
inline float* rows_of(const Pass& pass, float* rows, std::size_t columns) {
  return rows + pass.first_row() * nn::row_stride(columns);
}

/// The trained model's output is that of the model which is run.
inline void expect_same(const std::vector<float>& found, const std::vector<float>& expected,
                        const char* what) {
  kernels::expect_gradient(found, std::vector<double>(expected.begin(), expected.end()), what, 1e-5);
}

}  // namespace pantanal::autograd
