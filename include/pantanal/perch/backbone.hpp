// Backbone: the door behind which another library can compute what lies between spectrogram and spatial
// embedding.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

/// Stem, blocks and last convolution of one model, for one window at a time.
class Backbone {
 public:
  Backbone() = default;
  Backbone(const Backbone&) = delete;
  Backbone& operator=(const Backbone&) = delete;
  virtual ~Backbone() = default;

  /// spectrogram [frames, mel_bands] -> spatial [positions, pixel_stride(channels)], its padding left alone.
  /// On one thread where a team's member calls it, each with its own `member` in [0, threads); on all threads
  /// where it is called from outside a team. Errors: what the library reports.
  virtual Status run(std::size_t member, const float* spectrogram, float* spatial) = 0;
};

/// Makes one for a valid model and so many threads.
using MakeBackbone =
    std::function<Result<std::unique_ptr<Backbone>>(const Model& model, std::size_t threads)>;

}  // namespace pantanal::perch
