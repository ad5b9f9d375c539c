// Augmentations of a batch of files: mixing pairs of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "pantanal/core/philox.hpp"

namespace pantanal::train {

/// How a batch is mixed: file f becomes λ·f + (1-λ)·partner[f], or, from window cut_begin to cut_end, the
/// partner's windows themselves. Labels are mixed by label_lambda.
struct FileMix {
  float lambda = 1, label_lambda = 1;
  std::size_t cut_begin = 0, cut_end = 0;  ///< equal: no windows are cut
  std::vector<std::size_t> partner;        ///< empty: nothing is mixed

  bool empty() const { return partner.empty(); }
};

/// λ from Beta(alpha, alpha), folded to at least ½ so that a file keeps its character, and partners by a
/// random permutation. Nothing for alpha <= 0 or fewer than two files. Source: Zhang et al. 2018, "mixup:
/// Beyond Empirical Risk Minimization", arXiv:1710.09412. Draws from `stream`: λ, then the permutation.
inline FileMix mixup_files(std::size_t files, double alpha, const RandomStream& stream) {
  FileMix mix;
  if (alpha <= 0 || files < 2) return mix;
  Random random(stream);
  const double lambda = random.beta(alpha, alpha);
  mix.lambda = mix.label_lambda = static_cast<float>(std::max(lambda, 1 - lambda));
  mix.partner.resize(files);
  random.permutation(mix.partner);
  return mix;
}

/// λ from Beta(alpha, alpha), not folded; with probability cutmix_probability CutMix along the windows
/// instead: max(1, ⌊windows·(1-λ)⌋ windows from a random place are the partner's, and labels are mixed by how
/// many remain. Source: Yun et al. 2019, "CutMix", arXiv:1905.04899. Draws from `stream`: λ, the permutation,
/// whether to cut, where.
inline FileMix mixup_cutmix(std::size_t files, std::size_t windows, double alpha, double cutmix_probability,
                            const RandomStream& stream) {
  FileMix mix;
  if (alpha <= 0 || files < 2 || windows == 0) return mix;
  Random random(stream);
  const double lambda = random.beta(alpha, alpha);
  mix.partner.resize(files);
  random.permutation(mix.partner);
  if (random.uniform() >= cutmix_probability) {
    mix.lambda = mix.label_lambda = static_cast<float>(lambda);
    return mix;
  }
  const auto length = std::clamp<std::size_t>(
      static_cast<std::size_t>(static_cast<double>(windows) * (1 - lambda)), 1, windows);
  mix.cut_begin = random.below(windows - length + 1), mix.cut_end = mix.cut_begin + length;
  mix.label_lambda = static_cast<float>(1 - static_cast<double>(length) / static_cast<double>(windows));
  return mix;
}

/// Files begin … end - 1 of x [files, windows, columns], mixed, to y of the same layout. `lambda` is one of
/// the mix's two; with cut windows and `cut`, those are taken over whole and the others kept.
inline void apply_mix(const FileMix& mix, std::span<const float> x, std::size_t windows, std::size_t columns,
                      float lambda, bool cut, std::size_t begin, std::size_t end, std::span<float> y) {
  const std::size_t size = windows * columns;
  for (std::size_t f = begin; f < end; ++f) {
    const float* own = x.data() + f * size;
    const float* other = x.data() + (mix.empty() ? f : mix.partner[f]) * size;
    float* to = y.data() + f * size;
    if (mix.empty() || (cut && mix.cut_end > mix.cut_begin)) {
      std::copy_n(own, size, to);
      std::copy(other + mix.cut_begin * columns, other + mix.cut_end * columns, to + mix.cut_begin * columns);
    } else {
      for (std::size_t i = 0; i < size; ++i) to[i] = lambda * own[i] + (1 - lambda) * other[i];
    }
  }
}

}  // namespace pantanal::train
