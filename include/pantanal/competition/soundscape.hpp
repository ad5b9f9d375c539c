// read_soundscape_60s: a soundscape as the samples that its twelve windows are made of; and where soundscapes
// are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/audio/load_audio.hpp"
#include "pantanal/audio/mono.hpp"
#include "pantanal/audio/open.hpp"
#include "pantanal/audio/recording_name.hpp"
#include "pantanal/audio/soundfile.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::competition {

inline constexpr std::uint32_t soundscape_rate = 32000;    ///< Hz
inline constexpr std::size_t samples_per_window = 160000;  ///< five seconds
inline constexpr std::size_t soundscape_samples = samples_per_window * pipeline::n_windows_per_file;

/// Takes samples_per_window samples. False: no more is wanted.
using TakeSoundscapeWindow = std::function<bool(std::span<const float>)>;

/// The windows of a recording's first 60 s, mono, raw, to `take`: twelve, or as many as there are, the last
/// one filled up with zeros. What follows after 60 s is not decoded. `soundfile_compat`: what
/// open_as_soundfile gives, not open_audio. Errors: theirs; another rate than 32 kHz (`unsupported`); damage,
/// or no sample at all (`corrupt`), perhaps after some windows.
inline Status read_soundscape_windows(const std::filesystem::path& path, const TakeSoundscapeWindow& take,
                                      bool soundfile_compat = false) {
  PANTANAL_TRY(std::unique_ptr<audio::Source> opened,
               soundfile_compat ? audio::open_as_soundfile(path) : audio::open_audio(path));
  const audio::Format format = opened->format();
  if (format.sample_rate != soundscape_rate)
    return Error{ErrorCode::unsupported, path.string(),
                 "a sample rate of " + std::to_string(format.sample_rate) + " Hz",
                 std::to_string(soundscape_rate) + " Hz"};
  const std::unique_ptr<audio::Source> source = audio::to_mono(std::move(opened));
  std::vector<float> samples(samples_per_window);
  for (std::size_t window = 0; window < pipeline::n_windows_per_file; ++window) {
    std::size_t count = 0;
    while (count < samples.size()) {
      PANTANAL_TRY(const std::size_t frames, source->read(std::span(samples).subspan(count)));
      if (frames == 0) break;
      count += frames;
    }
    if (count == 0 && window == 0) return audio::no_samples(format, soundscape_rate);
    if (count == 0) break;
    std::fill(samples.begin() + static_cast<std::ptrdiff_t>(count), samples.end(), 0.0f);
    if (!take(samples)) break;
  }
  return {};
}

/// 60 s of a recording, [12 · 160000]: its windows, one after the other, and zeros. Errors: those of
/// read_soundscape_windows.
inline Result<std::vector<float>> read_soundscape_60s(const std::filesystem::path& path,
                                                      bool soundfile_compat = false) {
  std::vector<float> samples;
  samples.reserve(soundscape_samples);
  const auto append = [&](std::span<const float> window) {
    samples.insert(samples.end(), window.begin(), window.end());
    return true;
  };
  PANTANAL_TRY_STATUS(read_soundscape_windows(path, append, soundfile_compat));
  samples.resize(soundscape_samples);
  return samples;
}

/// The .ogg files of a folder, by name, without hidden ones. None if there is no such folder. Error: a folder
/// that cannot be read.
inline Result<std::vector<std::filesystem::path>> list_soundscapes(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code code;
  if (!std::filesystem::exists(folder, code)) return paths;
  std::filesystem::directory_iterator entry(folder, code);
  for (; !code && entry != std::filesystem::directory_iterator(); entry.increment(code))
    if (entry->path().extension() == ".ogg" && entry->path().filename().native().front() != '.')
      paths.push_back(entry->path());
  if (code) return Error{ErrorCode::io, folder.string(), code.message(), "a folder that can be read"};
  std::ranges::sort(paths, {}, [](const std::filesystem::path& path) { return path.filename().native(); });
  return paths;
}

/// Recordings of a folder that list_soundscapes leaves out, by name: called .OGG, .wav and the like.
inline std::vector<std::string> other_recordings(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  std::filesystem::directory_iterator entry(folder, code);
  for (; !code && entry != std::filesystem::directory_iterator(); entry.increment(code))
    if (entry->path().extension() != ".ogg" && audio::has_recording_name(entry->path()))
      names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

/// The soundscapes to predict.
struct TestSet {
  std::vector<std::filesystem::path> paths;
  std::vector<std::string> left_out;  ///< other recordings among the test soundscapes
  bool is_dry_run = false;  ///< there are no test soundscapes: training soundscapes take their place
};

/// The test soundscapes of a competition's folder; without any, the first `dryrun_n_files` of the training
/// soundscapes. Error: neither has one (`not_found`).
inline Result<TestSet> find_test_set(const std::filesystem::path& data, std::size_t dryrun_n_files) {
  std::error_code code;
  if (!std::filesystem::is_directory(data, code))
    return Error{ErrorCode::not_found, data.string(), "no such folder", "a competition's"};
  TestSet set;
  PANTANAL_TRY(set.paths, list_soundscapes(data / "test_soundscapes"));
  set.left_out = other_recordings(data / "test_soundscapes");
  if (!set.paths.empty()) return set;
  PANTANAL_TRY(set.paths, list_soundscapes(data / "train_soundscapes"));
  set.is_dry_run = true;
  set.paths.resize(std::min(set.paths.size(), dryrun_n_files));
  if (!set.paths.empty()) return set;
  return Error{ErrorCode::not_found, data.string(), "no .ogg in test_soundscapes or train_soundscapes",
               "soundscapes to predict"};
}

}  // namespace pantanal::competition
