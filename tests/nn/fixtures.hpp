// PyTorch's answers: the cases of make_fixtures.py, and how close to them a layer must come.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// One module of drawn sizes with its parameters, inputs and outputs.
class FixtureCase {
 public:
  /// `config` is an entry of a file's "cases", from which parameters and inputs are made.
  explicit FixtureCase(const nlohmann::json& config);

  StateDict state;
  TensorMap in, out;

  /// What the configuration calls NAME.
  bool contains(const char* name) const;
  std::size_t size(const char* name) const;
  bool flag(const char* name) const;
  std::vector<int> numbers(const char* name) const;
  std::vector<std::int64_t> ids(const char* name) const;  ///< none if it does not name them

  std::span<const float> input(const char* name) const { return tensor_values(in, name); }
  std::span<const float> output(const char* name) const { return tensor_values(out, name); }
  /// Sequences of an input [count, steps, columns].
  Sequences sequences(const char* name) const {
    const Shape& shape = in.at(name).shape;
    return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1])};
  }

 private:
  std::shared_ptr<const nlohmann::json> config_;
};

/// The cases of one layer: committed ones, or those in the folder that PANTANAL_NN_FIXTURES names.
std::vector<FixtureCase> load_cases(const std::string& layer);

/// The largest error that expect_close has seen, relative to the output's scale.
inline double& worst_relative_error() {
  static double worst = 0;
  return worst;
}

/// Runs test(kernels, case) for every case of `layer` on every instruction set, and says how far they were
/// off.
template <class Test>
void for_each_case(const std::string& layer, Test&& test) {
  const std::vector<FixtureCase> cases = load_cases(layer);
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    worst_relative_error() = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << ", case " << i);
      test(*table, cases[i]);
    }
    std::cout << layer << " on " << to_string(table->isa) << ": " << cases.size()
              << " configurations, largest relative error " << worst_relative_error() << "\n";
  }
}

/// Fails if any of `found` is further from `expected` than 2e-5 of the largest expected value.
inline void expect_close(std::span<const float> found, std::span<const float> expected,
                         const char* what = "y") {
  ASSERT_EQ(found.size(), expected.size());
  ASSERT_FALSE(expected.empty()) << what;
  double scale = 0, worst = 0;
  for (const float x : expected) scale = std::max(scale, std::abs(double{x}));
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, std::abs(double{found[i]} - double{expected[i]}));
  if (!all_finite(found)) worst = INFINITY;
  EXPECT_LE(worst, 2e-5 * scale) << what;
  worst_relative_error() = std::max(worst_relative_error(), worst / scale);
}

/// `x` [rows, columns] as layers take it, the padding zero.
inline AlignedBuffer<float> pad(std::span<const float> x, std::size_t columns) {
  const std::size_t stride = row_stride(columns);
  AlignedBuffer<float> padded(x.size() / columns * stride);
  for (std::size_t i = 0; i < x.size(); ++i) padded[i / columns * stride + i % columns] = x[i];
  return padded;
}

/// The real columns of padded rows.
inline std::vector<float> unpad(std::span<const float> x, std::size_t columns) {
  std::vector<float> dense;
  for (std::size_t at = 0; at < x.size(); at += row_stride(columns))
    dense.insert(dense.end(), x.begin() + static_cast<std::ptrdiff_t>(at),
                 x.begin() + static_cast<std::ptrdiff_t>(at + columns));
  return dense;
}

/// Whether the parameters that a layer lists are exactly those that PyTorch saved.
inline void expect_parameters(TensorList list, const StateDict& state) {
  EXPECT_TRUE(succeeded(validate(state, std::move(list).take())));
}

}  // namespace pantanal::nn
