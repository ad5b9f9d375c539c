// A tiny Perch and windows whose classes can be learnt: each class is a bright line in its own band.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pantanal/core/philox.hpp"
#include "pantanal/train/initial_perch.hpp"
#include "pantanal/train/perch_inputs.hpp"
#include "pantanal/train/train_perch.hpp"

namespace pantanal::train {

struct SmallPerch {
  explicit SmallPerch(std::size_t count = 40, std::uint64_t seed = 5) : windows(count) {
    architecture.frontend = {.samples = 3200,
                             .sample_rate = 32000,
                             .frame_length = 160,
                             .hop_length = 160,
                             .pad_left = 0,
                             .pad_right = 0,
                             .fft_size = 256,
                             .mel_bands = 16};
    architecture.stem.channels = 6;
    architecture.head.channels = 20;
    architecture.label = {.classes = 3, .prototypes = 2};
    using perch::Activation;
    architecture.blocks = {{6, 6, 6, 2, false, false, {3, 1, {1, 1, 1, 1}}},
                           {6, 12, 8, 2, true, false, {3, 2, {0, 0, 1, 1}}},
                           {8, 16, 8, 2, true, true, {5, 1, {2, 2, 2, 2}}}};
    Random random({.seed = seed});
    const std::size_t frames = architecture.frontend.frames(), bands = architecture.frontend.mel_bands;
    for (std::size_t w = 0; w < windows; ++w) {
      std::vector<float> image(frames * bands);
      for (float& x : image) x = static_cast<float>(-0.8 + 0.1 * random.normal());
      for (std::size_t k = 0; k < 3; ++k) {
        labels.push_back(random.uniform() < 0.4 ? 1.0f : 0.0f);
        if (labels.back() == 0) continue;
        const std::size_t start = random.below(frames - 6);
        for (std::size_t t = start; t < start + 6; ++t) image[t * bands + 3 + 4 * k] = -0.1f;
      }
      inputs.insert(inputs.end(), image.begin(), image.end());
    }
    options.training.n_epochs = 12, options.training.lr = 5e-3, options.training.threads = 2;
    options.training.seed = 3;
    options.batch = 7;  // the last of an epoch's is smaller
    options.augmentation = {
        .mix_probability = 0.3, .level = 0.05, .shift_frames = 3, .mask_frames = 2, .mask_bands = 1};
  }

  PerchData data() const { return {inputs, labels, windows}; }
  perch::Model start() const {
    auto model = calibrated_perch(initial_perch(architecture, {"a", "b", "c"}, 1), data());
    EXPECT_TRUE(model);
    return *std::move(model);
  }

  perch::Architecture architecture;
  std::vector<float> inputs, labels;
  std::size_t windows;
  PerchTraining options;
};

inline bool same_tensors(const perch::Model& a, const perch::Model& b) {
  for (const auto& [name, tensor] : a.tensors)
    if (!std::ranges::equal(tensor.values, b.values(name))) return false;
  return a.tensors.size() == b.tensors.size();
}

}  // namespace pantanal::train
