// PerchOutputs: what Perch makes of soundscapes, as the competition's classes see it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/soundscape.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/keep_classes.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/pipeline/perch_mapping.hpp"
#include "pantanal/pipeline/window_meta.hpp"

namespace pantanal::competition {

/// Windows of whole files, twelve each, one file after the other.
struct PerchOutputs {
  std::vector<pipeline::WindowMeta> meta;
  pipeline::Scores scores;  ///< the notebook's scores_full_raw, [N, C]
  pipeline::Scores emb;     ///< emb_full, [N, D]

  std::size_t files() const { return meta.size() / pipeline::n_windows_per_file; }

  /// Appends the windows of other files.
  void append(const PerchOutputs& more) {
    const auto join = [](pipeline::Scores& to, const pipeline::Scores& from) {
      to.columns = from.columns;
      to.rows += from.rows;
      to.values.insert(to.values.end(), from.values.begin(), from.values.end());
    };
    meta.insert(meta.end(), more.meta.begin(), more.meta.end());
    join(scores, more.scores);
    join(emb, more.emb);
  }
};

/// Whether `session` computes what a competition asks for: labels, embeddings, windows of five seconds at 32
/// kHz.
inline Status check_competition_model(const perch::Session& session) {
  const perch::Architecture& a = session.model().architecture;
  if (a.label.classes == 0)
    return Error{ErrorCode::unsupported, "Perch model", "no label head", "a model with labels"};
  if (a.frontend.samples != samples_per_window || a.frontend.sample_rate != soundscape_rate)
    return Error{ErrorCode::unsupported, "Perch model",
                 "windows of " + std::to_string(a.frontend.samples) + " samples at " +
                     std::to_string(a.frontend.sample_rate) + " Hz",
                 std::to_string(samples_per_window) + " at " + std::to_string(soundscape_rate)};
  return {};
}

/// A Perch model, and the mapping of its labels to a competition's classes.
struct MappedPerch {
  std::shared_ptr<const perch::Model> model;
  pipeline::PerchMapping mapping;
};

/// `model` with only the labels that `mapping` reads, renumbered in the mapping returned: the same scores,
/// and of Perch v2's 14,795 labels, most of a window's arithmetic, a few hundred. Errors: a mapping that is
/// not of `model`; a model that is not valid.
inline Result<MappedPerch> keep_mapped_labels(std::shared_ptr<const perch::Model> model,
                                              pipeline::PerchMapping mapping) {
  constexpr std::size_t none = pipeline::PerchMapping::no_label;
  if (model->labels.size() != mapping.n_labels)
    return Error{ErrorCode::mismatch, "Perch model", std::to_string(model->labels.size()) + " labels",
                 std::to_string(mapping.n_labels) + ", as its mapping has"};
  std::map<std::size_t, std::size_t> number;  // of a label among those kept
  for (const std::size_t label : mapping.bc_indices)
    if (label != none) number.emplace(label, 0);
  for (const auto& proxy : mapping.proxies)
    for (const std::size_t label : proxy.bc_indices) number.emplace(label, 0);
  if (number.empty() || number.size() == mapping.n_labels)
    return MappedPerch{std::move(model), std::move(mapping)};
  std::vector<std::size_t> rows;
  for (auto& [label, index] : number) index = rows.size(), rows.push_back(label);
  PANTANAL_TRY(perch::Model kept, perch::keep_classes(*model, rows));
  for (std::size_t& label : mapping.bc_indices)
    if (label != none) label = number[label];
  for (auto& proxy : mapping.proxies)
    for (std::size_t& label : proxy.bc_indices) label = number[label];
  mapping.n_labels = rows.size();
  return MappedPerch{std::make_shared<const perch::Model>(std::move(kept)), std::move(mapping)};
}

/// One soundscape's embeddings and label logits, [12, D] and [12, K]. `session` must have passed
/// check_competition_model. Errors: those of Session::run; a window whose results are not finite; `cancelled`
/// said so.
inline Result<std::pair<pipeline::Scores, pipeline::Scores>> run_perch(
    perch::Session& session, std::span<const float> samples, const std::string& name,
    const std::function<bool()>& cancelled = {}) {
  constexpr std::size_t n = pipeline::n_windows_per_file;
  const perch::OutputSizes sizes = session.output_sizes();
  pipeline::Scores emb(n, sizes.embedding), logits(n, sizes.label);
  std::vector<std::uint8_t> finite(n);
  PANTANAL_TRY_STATUS(session.run(
      samples, n, {.embedding = emb.values, .label = logits.values, .finite = finite}, cancelled));
  for (std::size_t i = 0; i < n; ++i)
    if (!finite[i])
      return Error{ErrorCode::unsupported, name + ": window " + std::to_string(i),
                   "a window for which the model gives no finite numbers", "audio of usual amplitude"};
  return std::pair(std::move(emb), std::move(logits));
}

/// The twelve rows of one soundscape. Errors: those of run_perch and map_perch_logits.
inline Result<PerchOutputs> perch_outputs(perch::Session& session, std::span<const float> samples,
                                          const std::filesystem::path& path,
                                          const pipeline::PerchMapping& mapping, pipeline::ProxyReduce reduce,
                                          const std::function<bool()>& cancelled = {}) {
  PANTANAL_TRY(auto results, run_perch(session, samples, path.string(), cancelled));
  PANTANAL_TRY(pipeline::Scores scores, pipeline::map_perch_logits(results.second, mapping, reduce));
  return PerchOutputs{pipeline::soundscape_windows(path), std::move(scores), std::move(results.first)};
}

}  // namespace pantanal::competition
