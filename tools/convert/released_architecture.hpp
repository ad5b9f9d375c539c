// What a Perch v2 SavedModel's variables cannot tell: the architecture as published, and the front end's
// constants. Source: van Merriënboer et al. 2025, arXiv:2508.04665, and its reference code,
// https://github.com/google-research/perch (chirp/models/efficientnet.py, frontend.py, layers.py;
// chirp/signal.py).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pantanal/perch/architecture.hpp"

namespace pantanal::convert {

/// Perch v2 as released: EfficientNet-B3 in 26 blocks, swish throughout, 14795 classes of 4 prototypes.
perch::Architecture released_architecture();

/// Which channel or class counts of `architecture` are not the released ones (three of them and how many
/// more), as one line for people; nothing if all are.
std::optional<std::string> difference_from_release(const perch::Architecture& architecture);

/// Symmetric Hann window divided by its sum, [frame_length]; computed in double.
std::vector<float> hann_window(const perch::Frontend& frontend);

/// Triangles on the HTK mel scale, 60 Hz to 16 kHz, linear in mel, the DC bin zeroed: [bins, mel_bands];
/// computed in double. The matrix in the published ONNX file differs by at most 1.7e-5.
std::vector<float> mel_filterbank(const perch::Frontend& frontend);

}  // namespace pantanal::convert
