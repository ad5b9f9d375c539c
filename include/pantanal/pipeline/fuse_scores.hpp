// fuse_scores_with_tables: Perch's scores and the priors of site and hour become the base scores.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/fusion_classes.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/prior_tables.hpp"
#include "pantanal/pipeline/window_meta.hpp"
#include "pantanal/pipeline/window_smoothing.hpp"

namespace pantanal::pipeline {

/// How much the priors weigh; the printed run's values.
struct FusionWeights {
  double lambda_event = 0.45, lambda_texture = 1.1, lambda_proxy_texture = 0.9;
  double smooth_texture = 0.35, smooth_event = 0.15;
};

/// What an unmapped class scores that was never heard.
inline constexpr float unmapped_inactive_score = -8;

struct FusedScores {
  Scores scores, prior;  ///< each [N, C]
};

namespace detail {

/// scores += lambda·prior, or = lambda·prior, in the columns `cols`.
inline void add_prior(Scores& scores, const Scores& prior, std::span<const std::size_t> cols, double lambda,
                      bool replace) {
  const auto weight = static_cast<float>(lambda);
  for (std::size_t i = 0; i < scores.rows; ++i)
    for (const std::size_t c : cols) {
      const float added = weight * prior(i, c);
      scores(i, c) = replace ? added : scores(i, c) + added;
    }
}

}  // namespace detail

/// Base scores of `base_scores` [files·12, C], recorded at `places`: the prior is added to mapped and proxied
/// active classes, takes the place of an active class' score that has neither, and −8 that of every unmapped
/// inactive class, a proxied one too. Mapped inactive classes keep their score. Then the active classes are
/// smoothed along the windows, textures by means and events by maxima. The priors are returned as well.
/// Errors: sizes that differ, windows that are no whole files, NaN or infinity.
inline Result<FusedScores> fuse_scores_with_tables(Scores base_scores, std::span<const SiteHour> places,
                                                   const PriorTables& tables, const FusionClasses& classes,
                                                   const FusionWeights& weights = {}) {
  constexpr const char* where = "fuse_scores_with_tables";
  PANTANAL_TRY_STATUS(detail::check_size(where, base_scores, places.size(), classes.n_classes));
  PANTANAL_TRY_STATUS(detail::check_files(where, base_scores, n_windows_per_file));
  if (tables.global_p.size() != classes.n_classes)
    return Error{ErrorCode::mismatch, where,
                 "priors of " + std::to_string(tables.global_p.size()) + " classes",
                 std::to_string(classes.n_classes)};
  PANTANAL_TRY(Scores prior, prior_logits_from_tables(places, tables));
  Scores scores = std::move(base_scores);
  detail::add_prior(scores, prior, classes.mapped_active_event, weights.lambda_event, false);
  detail::add_prior(scores, prior, classes.mapped_active_texture, weights.lambda_texture, false);
  detail::add_prior(scores, prior, classes.proxied_active_texture, weights.lambda_proxy_texture, false);
  detail::add_prior(scores, prior, classes.prior_only_active_event, weights.lambda_event, true);
  detail::add_prior(scores, prior, classes.prior_only_active_texture, weights.lambda_texture, true);
  for (std::size_t i = 0; i < scores.rows; ++i)
    for (const std::size_t c : classes.unmapped_inactive) scores(i, c) = unmapped_inactive_score;
  PANTANAL_TRY(scores,
               smooth_cols_fixed12(std::move(scores), classes.active_texture, weights.smooth_texture));
  PANTANAL_TRY(scores, smooth_events_fixed12(std::move(scores), classes.active_event, weights.smooth_event));
  PANTANAL_TRY(scores, detail::finite_result(where, std::move(scores)));
  return FusedScores{std::move(scores), std::move(prior)};
}

}  // namespace pantanal::pipeline
