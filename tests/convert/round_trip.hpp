// A recognised model must be the one that was written.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

#include "perch_graph.hpp"
#include "recognise/recognise.hpp"

namespace pantanal::convert::fixtures {

/// Weights bit for bit, biases within `bias_tolerance` where the spelling moved them about.
inline void expect_equal(const perch::Model& found, const perch::Model& expected, float weight_tolerance,
                         float bias_tolerance) {
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    const auto it = found.tensors.find(name);
    ASSERT_NE(it, found.tensors.end()) << name;
    ASSERT_EQ(it->second.shape, tensor.shape) << name;
    const float tolerance = name.ends_with("bias") ? bias_tolerance : weight_tolerance;
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
      ASSERT_NEAR(it->second.values[i], tensor.values[i], tolerance * (1 + std::abs(tensor.values[i])))
          << name << " " << i;
  }
}

inline void expect_equal(const perch::Architecture& found, const perch::Architecture& expected) {
  const perch::Frontend &f = found.frontend, &e = expected.frontend;
  EXPECT_EQ(std::tie(f.samples, f.sample_rate, f.frame_length, f.hop_length, f.pad_left, f.pad_right,
                     f.fft_size, f.mel_bands, f.floor, f.scale),
            std::tie(e.samples, e.sample_rate, e.frame_length, e.hop_length, e.pad_left, e.pad_right,
                     e.fft_size, e.mel_bands, e.floor, e.scale));
  EXPECT_EQ(found.stem.channels, expected.stem.channels);
  EXPECT_EQ(found.stem.conv.pads, expected.stem.conv.pads);
  EXPECT_EQ(found.stem.activation, expected.stem.activation);
  EXPECT_EQ(found.head.channels, expected.head.channels);
  EXPECT_EQ(found.head.activation, expected.head.activation);
  EXPECT_EQ(std::tie(found.label.classes, found.label.prototypes, found.label.eps),
            std::tie(expected.label.classes, expected.label.prototypes, expected.label.eps));
  ASSERT_EQ(found.blocks.size(), expected.blocks.size());
  for (std::size_t i = 0; i < found.blocks.size(); ++i) {
    const perch::Block &a = found.blocks[i], &b = expected.blocks[i];
    EXPECT_EQ(std::tie(a.in_channels, a.expanded_channels, a.out_channels, a.se_channels, a.has_expand,
                       a.has_skip, a.depthwise.kernel, a.depthwise.stride, a.depthwise.pads,
                       a.depthwise_activation, a.se_activation),
              std::tie(b.in_channels, b.expanded_channels, b.out_channels, b.se_channels, b.has_expand,
                       b.has_skip, b.depthwise.kernel, b.depthwise.stride, b.depthwise.pads,
                       b.depthwise_activation, b.se_activation))
        << "block " << i;
    EXPECT_TRUE(!a.has_expand || a.expand_activation == b.expand_activation) << "block " << i;
  }
}

/// Writes a model in a spelling, reads it back, and wants the same model.
inline void expect_round_trip(const Spelling& spelling, std::int64_t opset = 18, float weight_tolerance = 0) {
  const perch::Model model = family_model();
  const Graph graph = PerchGraph(model, spelling, opset).graph();
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  expect_equal(found->model.architecture, model.architecture);
  expect_equal(found->model, model, weight_tolerance, 2e-6f);
  EXPECT_EQ(found->input, "inputs");
  EXPECT_EQ(found->outputs.size(), 4u);
  EXPECT_TRUE(found->notes.empty());
}

}  // namespace pantanal::convert::fixtures
