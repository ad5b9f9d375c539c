// load_audio: a whole recording in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/mono.hpp"
#include "pantanal/audio/open.hpp"
#include "pantanal/audio/resample.hpp"
#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// The error of a file that opens well and gives nothing at `rate` Hz: it is empty, or less than half of one
/// sample long. `format` is the file's own.
inline Error no_samples(const Format& format, std::uint32_t rate) {
  const std::uint64_t frames = format.frames.value_or(0);
  if (frames == 0)
    return {ErrorCode::corrupt, format.name, format.encoding + " without a single sample", "a recording"};
  return {ErrorCode::corrupt, format.name,
          format.encoding + " of " + std::to_string(frames) + (frames == 1 ? " sample" : " samples") +
              " at " + std::to_string(format.sample_rate) + " Hz, less than half a sample at " +
              std::to_string(rate) + " Hz",
          "a recording"};
}

/// Everything in a recording, mono, at `rate` Hz: round(frames * rate / its rate) samples.
/// Errors: those of open_audio and resample; corrupt where the recording is damaged, cut short, empty or has
/// a sample that is no number; io if memory does not suffice. For recordings of any length see WindowStream.
inline Result<std::vector<float>> load_audio(const std::filesystem::path& path, std::uint32_t rate = 32000) {
  constexpr std::size_t block_samples = 1 << 16;
  PANTANAL_TRY(std::unique_ptr<Source> opened, open_audio(path));
  const Format file_format = opened->format();
  PANTANAL_TRY(std::unique_ptr<Source> source, resample(to_mono(std::move(opened)), rate));
  std::vector<float> samples;
  std::size_t count = 0;
  try {
    for (;;) {
      samples.resize(count + block_samples);
      PANTANAL_TRY(const std::size_t frames, source->read(std::span(samples).subspan(count)));
      count += frames;
      if (frames == 0) break;
    }
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::io, path.string(), "more samples than memory holds", "a shorter recording"};
  } catch (const std::length_error&) {
    return Error{ErrorCode::io, path.string(), "more samples than memory holds", "a shorter recording"};
  }
  if (count == 0) return no_samples(file_format, rate);
  samples.resize(count);
  return samples;
}

}  // namespace pantanal::audio
