#include "submission_memory.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "pantanal/competition/soundscape.hpp"
#include "soundscape_feed.hpp"

namespace pantanal::competition {
namespace {

constexpr std::size_t heads_loading = 3;

}  // namespace

Status check_heads_memory(const std::filesystem::path& heads, std::size_t limit) {
  std::error_code code;
  const auto bytes = std::filesystem::file_size(heads, code);
  const std::size_t needed = infer::program_memory + (code ? 0 : heads_loading * bytes);
  if (needed <= limit) return {};
  return Error{ErrorCode::unsupported, "--max-memory",
               heads.string() + ", which takes about " + infer::megabytes(needed) + " to load",
               "at most " + infer::megabytes(limit)};
}

infer::RunSize submission_size(const HeadsBundle& heads, std::size_t heads_bytes, std::size_t soundscapes,
                               infer::RunSize run) {
  std::set<std::size_t> labels;
  for (const std::size_t label : heads.mapping.bc_indices)
    if (label != pipeline::PerchMapping::no_label) labels.insert(label);
  for (const auto& proxy : heads.mapping.proxies)
    labels.insert(proxy.bc_indices.begin(), proxy.bc_indices.end());
  if (!labels.empty()) run.labels = labels.size();

  constexpr std::size_t recordings = SoundscapeFeed::ahead + 2;  // one being decoded, one being computed
  constexpr std::size_t most_digits = 24;                        // of a probability, in a text that has grown
  const std::size_t rows =
      soundscapes * pipeline::n_windows_per_file * (heads.classes.size() * most_digits + 200);
  run.has_fixed_batch = true;
  // Loaded, the heads stand beside what they were read from; later, beside their sessions and recordings.
  run.beside = rows + std::max(heads_loading * heads_bytes,
                               2 * heads_bytes + recordings * soundscape_samples * sizeof(float));
  return run;
}

}  // namespace pantanal::competition
