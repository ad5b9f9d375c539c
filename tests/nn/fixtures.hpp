// PyTorch's answers: the cases of make_fixtures.py, and how close to them a layer must come.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// uniform(number, i) of make_fixtures.py, in [-1, 1): SplitMix64's output number 2^32·number + i, cut to 24
/// bits.
inline double uniform(std::uint64_t number, std::uint64_t i) {
  std::uint64_t z = ((number << 32) + i + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<double>(z >> 40) / 8388608.0 - 1.0;
}

/// Tensors made from their recipes, {name: [number, shape, scale, offset]}: the scale is a power of two, so
/// that nothing is rounded but the result.
inline TensorMap make_tensors(const nlohmann::json& recipes) {
  TensorMap tensors;
  for (const auto& [name, recipe] : recipes.items()) {
    const auto number = recipe.at(0).get<std::uint64_t>();
    const auto scale = recipe.at(2).get<double>(), offset = recipe.at(3).get<double>();
    const auto shape = recipe.at(1).get<Shape>();
    std::vector<float> values(static_cast<std::size_t>(element_count(shape).value()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(offset + scale * uniform(number, i));
    tensors.emplace(name, make_tensor(shape, std::move(values)));
  }
  return tensors;
}

/// One module of drawn sizes with its parameters, inputs and outputs.
struct FixtureCase {
  nlohmann::json config;
  StateDict state;
  TensorMap in, out;

  std::size_t size(const char* name) const { return config.at(name).get<std::size_t>(); }
  std::span<const float> input(const char* name) const { return tensor_values(in, name); }
  std::span<const float> output(const char* name) const { return tensor_values(out, name); }
  std::vector<std::int64_t> ids(const char* name) const {
    return config.contains(name) ? config[name].get<std::vector<std::int64_t>>()
                                 : std::vector<std::int64_t>();
  }
  /// Sequences of an input [count, steps, columns].
  Sequences sequences(const char* name) const {
    const Shape& shape = in.at(name).shape;
    return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1])};
  }
};

/// The cases of one layer: committed ones, or those in the folder that PANTANAL_NN_FIXTURES names.
inline std::vector<FixtureCase> load_cases(const std::string& layer) {
  const char* folder = std::getenv("PANTANAL_NN_FIXTURES");
  const std::filesystem::path path =
      std::filesystem::path(folder ? folder : PANTANAL_SOURCE_DIR "/tests/golden/nn") /
      (layer + ".safetensors");
  auto opened = SafetensorsFile::open(path);
  EXPECT_TRUE(succeeded(opened));
  if (!opened) return {};
  const auto file = std::make_shared<const SafetensorsFile>(*std::move(opened));
  const auto tensors = map_tensors(file);
  EXPECT_TRUE(succeeded(tensors));
  std::vector<FixtureCase> cases;
  for (const nlohmann::json& c : nlohmann::json::parse(file->metadata().at("cases")))
    cases.push_back({c,
                     make_tensors(c.value("state", nlohmann::json::object())),
                     make_tensors(c.value("in", nlohmann::json::object())),
                     {}});
  for (const auto& [name, tensor] : *tensors) {
    std::size_t index = 0;
    const char* rest = std::from_chars(name.data(), name.data() + name.size(), index).ptr;
    cases.at(index).out.emplace(rest + std::string_view(".out.").size(), tensor);
  }
  EXPECT_GE(cases.size(), 50u);
  return cases;
}

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
