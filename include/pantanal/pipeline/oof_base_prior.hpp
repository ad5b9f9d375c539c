// build_oof_base_prior: base scores and priors of labelled files from tables that have not seen them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/fuse_scores.hpp"
#include "pantanal/pipeline/window_labels.hpp"

namespace pantanal::pipeline {

namespace detail {

/// The tables of all labelled windows whose file is not among `held_out`.
inline Result<PriorTables> fit_without(const std::set<std::string_view>& held_out,
                                       const WindowLabels& labels) {
  std::vector<SiteHour> places;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < labels.windows.size(); ++i) {
    const WindowMeta& meta = labels.windows[i].meta;
    if (held_out.contains(meta.filename)) continue;
    places.push_back(meta.place);
    rows.push_back(i);
  }
  MultiHot y(rows.size(), labels.y_sc.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) std::ranges::copy(labels.y_sc.row(rows[i]), y.row(i).begin());
  return fit_prior_tables(places, y);
}

}  // namespace detail

/// For each fold, `scores_raw` [N, C] of its windows fused with the tables of all labelled windows, partly
/// labelled files included, but those of the fold's files. `meta` and `fold_id` [N] belong to the rows; a
/// file's windows must be in one fold. Errors: sizes that differ, a file in two folds, a fold that holds
/// every labelled file, and those of fuse_scores_with_tables.
inline Result<FusedScores> build_oof_base_prior(const Scores& scores_raw, std::span<const WindowMeta> meta,
                                                std::span<const int> fold_id, const WindowLabels& labels,
                                                const FusionClasses& classes,
                                                const FusionWeights& weights = {}) {
  constexpr const char* where = "build_oof_base_prior";
  PANTANAL_TRY_STATUS(detail::check_size(where, scores_raw, meta.size(), classes.n_classes));
  if (fold_id.size() != meta.size())
    return Error{ErrorCode::mismatch, where, std::to_string(fold_id.size()) + " fold ids",
                 std::to_string(meta.size())};
  std::map<std::string_view, int> fold_of;
  for (std::size_t i = 0; i < meta.size(); ++i)
    if (fold_of.emplace(meta[i].filename, fold_id[i]).first->second != fold_id[i])
      return Error{ErrorCode::invalid_argument, where, meta[i].filename + " in two folds",
                   "each file in one"};

  FusedScores oof{Scores(scores_raw.rows, scores_raw.columns), Scores(scores_raw.rows, scores_raw.columns)};
  for (const int fold : std::set<int>(fold_id.begin(), fold_id.end())) {
    std::vector<std::size_t> rows;
    std::vector<SiteHour> places;
    std::set<std::string_view> held_out;
    for (std::size_t i = 0; i < meta.size(); ++i) {
      if (fold_id[i] != fold) continue;
      rows.push_back(i);
      places.push_back(meta[i].place);
      held_out.insert(meta[i].filename);
    }
    PANTANAL_TRY(const PriorTables tables, detail::fit_without(held_out, labels));
    Scores part(rows.size(), scores_raw.columns);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::ranges::copy(scores_raw.row(rows[i]), part.row(i).begin());
    PANTANAL_TRY(const FusedScores fused,
                 fuse_scores_with_tables(std::move(part), places, tables, classes, weights));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(fused.scores.row(i), oof.scores.row(rows[i]).begin());
      std::ranges::copy(fused.prior.row(i), oof.prior.row(rows[i]).begin());
    }
  }
  return oof;
}

}  // namespace pantanal::pipeline
