// run_oof_embedding_probe: probes scored on files that neither they nor the priors have seen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/competition/probes.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/fuse_scores.hpp"
#include "pantanal/pipeline/oof_base_prior.hpp"
#include "pantanal/pipeline/window_labels.hpp"

namespace pantanal::competition {

namespace detail {

template <class M>
M take_rows(const M& from, std::span<const std::size_t> rows) {
  M taken(rows.size(), from.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) std::ranges::copy(from.row(rows[i]), taken.row(i).begin());
  return taken;
}

inline std::vector<pipeline::SiteHour> places_of(std::span<const pipeline::WindowMeta> meta) {
  std::vector<pipeline::SiteHour> places;
  for (const pipeline::WindowMeta& window : meta) places.push_back(window.place);
  return places;
}

/// Some windows, fused with some tables.
struct FusedPart {
  pipeline::Scores emb, raw;
  pipeline::FusedScores fused;
  ProbeInputs inputs() const { return {emb, raw, fused.prior, fused.scores}; }
};

inline Result<FusedPart> fuse_part(const PerchOutputs& perch, std::span<const std::size_t> rows,
                                   const pipeline::PriorTables& tables,
                                   const pipeline::FusionClasses& classes,
                                   const pipeline::FusionWeights& weights) {
  FusedPart part{take_rows(perch.emb, rows), take_rows(perch.scores, rows), {}};
  std::vector<pipeline::SiteHour> places;
  for (const std::size_t row : rows) places.push_back(perch.meta[row].place);
  PANTANAL_TRY(part.fused, pipeline::fuse_scores_with_tables(part.raw, places, tables, classes, weights));
  return part;
}

}  // namespace detail

struct OofProbes {
  pipeline::Scores scores;                  ///< the notebook's oof_final, [N, C]
  std::vector<std::size_t> modeled_counts;  ///< [C]: folds in which the class had a probe
};

/// For each fold of `fold_id` [N] (files whole): prior tables, scaler, PCA and probes from the other folds'
/// windows (the tables from all labelled windows but the fold's files'), base and probes blended on the
/// fold's own. `y` [N, C]. Errors: those of the steps.
inline Result<OofProbes> run_oof_embedding_probe(const PerchOutputs& perch, const pipeline::MultiHot& y,
                                                 std::span<const int> fold_id,
                                                 const pipeline::WindowLabels& labels,
                                                 const pipeline::FusionClasses& classes,
                                                 const pipeline::FusionWeights& weights,
                                                 const ProbeOptions& options) {
  OofProbes oof{pipeline::Scores(y.rows, y.columns), std::vector<std::size_t>(y.columns)};
  for (const int fold : std::set<int>(fold_id.begin(), fold_id.end())) {
    std::vector<std::size_t> in, out;
    std::set<std::string_view> held_out;
    for (std::size_t i = 0; i < fold_id.size(); ++i) {
      (fold_id[i] == fold ? out : in).push_back(i);
      if (fold_id[i] == fold) held_out.insert(perch.meta[i].filename);
    }
    PANTANAL_TRY(const pipeline::PriorTables tables, pipeline::detail::fit_without(held_out, labels));
    PANTANAL_TRY(const detail::FusedPart seen, detail::fuse_part(perch, in, tables, classes, weights));
    PANTANAL_TRY(const detail::FusedPart unseen, detail::fuse_part(perch, out, tables, classes, weights));
    PANTANAL_TRY(const ProbeSet probes, fit_probes(seen.inputs(), detail::take_rows(y, in), options));
    PANTANAL_TRY(const pipeline::Scores scores, probe_scores(probes, unseen.inputs(), options.threads));
    for (std::size_t i = 0; i < out.size(); ++i)
      std::ranges::copy(scores.row(i), oof.scores.row(out[i]).begin());
    for (const Probe& probe : probes.probes) ++oof.modeled_counts[probe.class_index];
  }
  return oof;
}

}  // namespace pantanal::competition
