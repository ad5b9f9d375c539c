// decode_recording: a recording's windows, one after the other, to whoever takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "pantanal/audio/normalize.hpp"
#include "pantanal/audio/windows.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::infer {

struct DecodeOptions {
  audio::WindowOptions windows;
  audio::Normalize normalize = audio::Normalize::none;
};

/// Takes a window: its start in seconds, the part of the recording decoded up to its end (0 if unknown), its
/// samples. False: no more is wanted.
using TakeWindow = std::function<bool(double start_s, double part, std::span<const float> samples)>;

/// Errors: those of WindowStream, after the windows before the damage. Done, too, where no more is wanted.
Status decode_recording(const std::filesystem::path& path, const DecodeOptions& options,
                        const TakeWindow& take);

}  // namespace pantanal::infer
