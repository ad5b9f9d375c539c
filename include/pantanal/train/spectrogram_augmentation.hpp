// Augmentation of log-mel spectrograms.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "pantanal/core/philox.hpp"

namespace pantanal::train {

/// How spectrograms are varied. Nothing, where all is 0.
struct SpectrogramAugmentation {
  double mix_probability = 0;    ///< that a second window is laid over the first, with its labels
  double level = 0;              ///< each window is shifted by up to ± this: scale·ln of a change of volume
  std::size_t shift_frames = 0;  ///< each window is rolled in time by up to this, either way
  std::size_t mask_frames = 0, mask_bands = 0;  ///< the widest stretches that are set to the floor
};

/// One spectrogram of frames x bands.
struct SpectrogramSize {
  std::size_t frames = 0, bands = 0;
  double lowest = 0;  ///< its smallest value, that of silence
};

namespace detail {

/// to = max(to, from rolled by `shift` frames + level), or without the maximum.
inline void lay_over(std::span<const float> from, const SpectrogramSize& size, std::size_t shift, float level,
                     bool over, std::span<float> to) {
  for (std::size_t t = 0; t < size.frames; ++t) {
    const float* row = from.data() + (t + shift) % size.frames * size.bands;
    float* out = to.data() + t * size.bands;
    for (std::size_t m = 0; m < size.bands; ++m) {
      const float x = std::max(row[m] + level, static_cast<float>(size.lowest));
      out[m] = over ? std::max(out[m], x) : x;
    }
  }
}

}  // namespace detail

/// `own` [frames, bands], varied, -> `to`. If it is mixed, `other` is laid over it: two sounds' log-mel
/// spectrogram is close to the greater of theirs. Returns whether it was. Draws from `random`, whatever the
/// options: whether to mix; for each of the two a level and a shift; the masks. Source for the masks: Park et
/// al. 2019, "SpecAugment", arXiv:1904.08779.
inline bool augment_spectrogram(std::span<const float> own, std::span<const float> other,
                                const SpectrogramSize& size, const SpectrogramAugmentation& o, Random random,
                                std::span<float> to) {
  const bool mixed = random.uniform() < o.mix_probability;
  for (const bool over : {false, true}) {
    const auto level = static_cast<float>(o.level * (2 * random.uniform() - 1));
    const std::size_t shift =
        random.below(2 * o.shift_frames + 1) + (size.frames - o.shift_frames % size.frames);
    if (!over || mixed) detail::lay_over(over ? other : own, size, shift, level, over, to);
  }
  const std::size_t frames = random.below(std::min(o.mask_frames, size.frames) + 1),
                    first_frame = random.below(size.frames - frames + 1),
                    bands = random.below(std::min(o.mask_bands, size.bands) + 1),
                    first_band = random.below(size.bands - bands + 1);
  for (std::size_t t = 0; t < size.frames; ++t)
    for (std::size_t m = 0; m < size.bands; ++m)
      if (t - first_frame < frames || m - first_band < bands)
        to[t * size.bands + m] = static_cast<float>(size.lowest);
  return mixed;
}

}  // namespace pantanal::train
