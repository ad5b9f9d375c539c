// RateConverter: what a stream at another rate than the model's goes through.
#pragma once

#include <cstddef>
#include <span>

#include "pantanal/core/result.hpp"

namespace pantanal::stream {

/// Samples in at one rate, out at another, frame t of one and t * to / from of the other being the same
/// moment. Output may lag behind.
class RateConverter {
 public:
  struct Progress {
    std::size_t used = 0, made = 0;
  };

  virtual ~RateConverter() = default;

  /// Reads from `in`, writes to `out`, one channel, and says how much of either. Something is used or made as
  /// long as neither is empty.
  virtual Result<Progress> convert(std::span<const float> in, std::span<float> out) = 0;

  /// After the last sample: what is still held back. 0: nothing.
  virtual Result<std::size_t> drain(std::span<float> out) = 0;
};

}  // namespace pantanal::stream
