#include "memory_limit.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>

#include "pantanal/perch/memory.hpp"

namespace pantanal::infer {
namespace {

std::string size_text(const RunSize& run) {
  const std::string threads = std::to_string(run.threads) + (run.threads == 1 ? " thread" : " threads");
  return run.has_fixed_batch ? threads : threads + " and batches of " + std::to_string(run.batch);
}

/// As it is asked for on the command line.
std::string options_text(const RunSize& run) {
  const std::string threads = "--threads " + std::to_string(run.threads);
  return run.has_fixed_batch ? threads : threads + " --batch " + std::to_string(run.batch);
}

/// A run within `limit`: the largest batch of as many threads, else of fewer; nothing if none does.
std::optional<RunSize> find_fitting(const perch::ModelOutline& model, RunSize run, std::size_t limit) {
  const std::size_t most = run.batch, least = run.has_fixed_batch ? most : 1;
  for (; run.threads > 0; --run.threads)
    for (run.batch = most; run.batch >= least && run.batch > 0; --run.batch)
      if (run_memory(model, run) <= limit) return run;
  return std::nullopt;
}

}  // namespace

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::optional<std::size_t> parse_size(std::string_view text) {
  double value = 0;
  const auto [stop, code] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc()) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(stop - text.data()));
  if (unit.ends_with('B')) unit.remove_suffix(1);
  if (!unit.empty()) {
    const std::size_t power = std::string_view("KMG").find(unit[0]);
    const bool binary = unit.size() == 2 && unit[1] == 'i';
    if (power == std::string_view::npos || (unit.size() != 1 && !binary)) return std::nullopt;
    value *= std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  return value >= 1 && value < 0x1p62 ? std::optional(static_cast<std::size_t>(value)) : std::nullopt;
}

std::size_t run_memory(const perch::ModelOutline& model, const RunSize& run) {
  constexpr std::size_t thread = 300'000;  // what a stack and its allocator come to
  perch::Architecture a = model.architecture;
  if (run.labels) a.label.classes = std::min(a.label.classes, *run.labels);
  const std::size_t outputs = 4 * (a.head.channels + a.label.classes), window = 4 * a.frontend.samples;
  const perch::SessionMemory session =
      perch::session_memory(a, model.dtype, {.precision = run.precision, .screen = run.screen});
  return program_memory + 3 * model.metadata_bytes + session.total(run.threads, run.batch) +
         run.threads * thread + run.batch * (2 * window + outputs) + 2 * window + run.beside;
}

Result<perch::LabelScreen> check_memory(const std::filesystem::path& path, RunSize run, std::size_t limit) {
  PANTANAL_TRY(const perch::ModelOutline model, perch::read_outline(path));
  if (run_memory(model, run) <= limit) return run.screen;
  run.screen = perch::LabelScreen::never;
  const std::size_t needed = run_memory(model, run);
  if (needed <= limit) return run.screen;
  std::string advice;
  if (const auto fitting = find_fitting(model, run, limit)) {
    advice = options_text(*fitting) + " would take " + megabytes(run_memory(model, *fitting));
  } else {
    RunSize least = run;
    least.threads = 1;
    if (!run.has_fixed_batch) least.batch = 1;
    advice = "even " + options_text(least) + " would take " + megabytes(run_memory(model, least)) +
             "; a model converted with --dtype bf16 or int8 or with fewer --classes takes less";
  }
  return Error{ErrorCode::unsupported, "--max-memory",
               path.string() + " with " + size_text(run) + ", about " + megabytes(needed),
               "at most " + megabytes(limit) + "; " + advice};
}

}  // namespace pantanal::infer
