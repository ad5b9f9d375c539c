// The demo's files beside its models: the recording, and the list of what was planted in it.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "soundscape.hpp"

namespace pantanal::demo {

/// 16-bit mono WAV at 32 kHz.
Status write_wav(std::span<const float> samples, const std::filesystem::path& path);

/// One line per call: start and end in seconds, peak level, species; separated by tabs, a header before.
Status write_planted(std::span<const Call> calls, const std::filesystem::path& path);
/// Errors: a file that cannot be read, a line of another form, a species that all_species() lacks.
Result<std::vector<Call>> read_planted(const std::filesystem::path& path);

/// `state` as load_state_dict reads it.
Status save_state(const nn::StateDict& state, const std::filesystem::path& path);

}  // namespace pantanal::demo
