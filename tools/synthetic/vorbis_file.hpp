// Writes Ogg Vorbis, the same bytes for the same samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "pantanal/core/result.hpp"

namespace pantanal::synthetic {

/// Mono `samples` at `rate` Hz; `serial` is the Ogg stream's number.
Status write_vorbis(const std::filesystem::path& path, std::span<const float> samples, std::size_t rate,
                    int serial);

}  // namespace pantanal::synthetic
