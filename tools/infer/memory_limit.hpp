// --max-memory: what a run will take, reckoned before the model is loaded.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::infer {

/// Bytes: a number with K, M or G (thousands), Ki, Mi or Gi (of 1024) or nothing behind it, and perhaps a B.
/// Nothing if `text` is no such size, or not positive.
std::optional<std::size_t> parse_size(std::string_view text);

/// What a run takes at its peak: a session's memory, what the program has by itself, and windows read ahead.
struct RunSize {
  std::size_t threads = 1, batch = 1;
  perch::Precision precision = perch::Precision::fp32;
  perch::LabelScreen screen = perch::LabelScreen::automatic;
};

/// Bytes, rounded up rather than down.
std::size_t run_memory(const perch::ModelOutline& model, const RunSize& run);

/// Whether a run of the model at `path` stays within `limit` bytes, going by the model's header: as it is, or
/// without a screen of its label head, whichever is returned. Errors: those of reading that; unsupported,
/// naming what is needed without and what would fit: a smaller batch, fewer threads.
Result<perch::LabelScreen> check_memory(const std::filesystem::path& path, RunSize run, std::size_t limit);

}  // namespace pantanal::infer
