// PyTorch's answers: the cases of make_fixtures.py, and how close to them a layer must come.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

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
  std::vector<std::string_view> integers;
  for (const auto& [name, entry] : file->tensors())
    if (entry.dtype != "F32") integers.push_back(name);
  const auto tensors = map_tensors(file, integers);
  EXPECT_TRUE(succeeded(tensors));
  std::vector<FixtureCase> cases;
  for (const nlohmann::json& config : nlohmann::json::parse(file->metadata().at("cases")))
    cases.push_back({config, {}, {}, {}});
  for (const auto& [name, tensor] : *tensors) {
    std::size_t index = 0;
    const char* rest = std::from_chars(name.data(), name.data() + name.size(), index).ptr + 1;
    const std::string part(rest, std::find(rest, name.data() + name.size(), '.'));
    TensorMap& map = part == "state" ? cases.at(index).state
                     : part == "in"  ? cases.at(index).in
                                     : cases.at(index).out;
    map.emplace(rest + part.size() + 1, tensor);
  }
  EXPECT_FALSE(cases.empty());
  return cases;
}

/// Runs test(kernels, case) for every case of `layer` on every instruction set.
template <class Test>
void for_each_case(const std::string& layer, Test&& test) {
  const std::vector<FixtureCase> cases = load_cases(layer);
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (std::size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(testing::Message()
                   << to_string(table->isa) << ", case " << i << ": " << cases[i].config.dump());
      test(*table, cases[i]);
    }
}

/// Fails if any of `found` is further from `expected` than 2e-5 of the largest expected value. With
/// PANTANAL_NN_FIXTURES set it also prints the error.
inline void expect_close(std::span<const float> found, std::span<const float> expected,
                         const char* what = "y") {
  ASSERT_EQ(found.size(), expected.size());
  double scale = 0, worst = 0;
  for (const float x : expected) scale = std::max(scale, std::abs(double{x}));
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, std::abs(double{found[i]} - double{expected[i]}));
  if (!std::isfinite(std::accumulate(found.begin(), found.end(), 0.0))) worst = INFINITY;
  EXPECT_LE(worst, 2e-5 * scale) << what;
  if (std::getenv("PANTANAL_NN_FIXTURES"))
    std::cout << "relative error of " << what << " " << worst / scale << "\n";
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
