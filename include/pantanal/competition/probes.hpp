// Probes: per class a small classifier on a window's principal components, scores and neighbours.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/ml/lgbm_classifier.hpp"
#include "pantanal/ml/logistic_regression.hpp"
#include "pantanal/ml/mlp_classifier.hpp"
#include "pantanal/ml/pca.hpp"
#include "pantanal/ml/standard_scaler.hpp"
#include "pantanal/pipeline/class_features.hpp"
#include "pantanal/pipeline/ensemble.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::competition {

/// One class' classifier.
struct Probe {
  std::size_t class_index = 0;
  std::variant<ml::MlpClassifier<float>, ml::LogisticRegression, ml::LgbmClassifier> model;
};

/// The probes and what brings embeddings down to their features.
struct ProbeSet {
  ml::StandardScaler scaler;
  ml::Pca<float> pca;
  std::vector<Probe> probes;  ///< by class
  double alpha = 0.45;        ///< a probe's share of its class' score
};

/// What probes see of N windows, whole files: embeddings [N, D]; raw, prior and base scores [N, C].
struct ProbeInputs {
  const pipeline::Scores& emb;
  const pipeline::Scores& raw;
  const pipeline::Scores& prior;
  const pipeline::Scores& base;
};

struct ProbeOptions {
  ProbeSettings probe = {};
  MlpSettings mlp = {};
  LgbmSettings lgbm = {};
  std::size_t threads = 1;  ///< results do not depend on it
  std::function<bool()> should_stop =
      {};  ///< asked before each probe, by any thread; true ends the fit in an error
};

namespace detail {

inline ml::MatrixView<float> view(const pipeline::Scores& m) { return {m.values.data(), m.rows, m.columns}; }

inline std::vector<float> column(const pipeline::Scores& m, std::size_t c) {
  std::vector<float> values(m.rows);
  for (std::size_t i = 0; i < m.rows; ++i) values[i] = m(i, c);
  return values;
}

inline pipeline::Scores to_scores(ml::Matrix<float> m) {
  pipeline::Scores scores;
  scores.rows = m.rows, scores.columns = m.columns, scores.values = std::move(m.values);
  return scores;
}

inline Result<pipeline::Scores> project(const ProbeSet& set, const pipeline::Scores& emb) {
  PANTANAL_TRY(const ml::Matrix<float> scaled, set.scaler.transform<float>(view(emb)));
  PANTANAL_TRY(ml::Matrix<float> projected, set.pca.transform(scaled.view()));
  return to_scores(std::move(projected));
}

/// X [N, d + 14] of one class.
inline Result<pipeline::Scores> probe_features(const pipeline::Scores& projected, const ProbeInputs& in,
                                               std::size_t c) {
  return pipeline::build_class_features(projected, column(in.raw, c), column(in.prior, c),
                                        column(in.base, c));
}

inline ml::MlpOptions mlp_options(const MlpSettings& s) {
  ml::MlpOptions o;
  o.hidden_layer_sizes = s.hidden_layer_sizes;
  o.learning_rate_init = s.learning_rate_init;
  o.alpha = s.alpha;
  o.max_iter = s.max_iter;
  o.early_stopping = s.early_stopping;
  o.validation_fraction = s.validation_fraction;
  o.n_iter_no_change = s.n_iter_no_change;
  o.validation_score = s.validation_score == ValidationScore::log_loss ? ml::MlpValidation::log_loss
                                                                       : ml::MlpValidation::accuracy;
  o.random_state = s.random_state;
  return o;
}

/// The probe's positives repeated n_neg // n_pos times more, before or after the early stopping's split, or
/// weighted by as much. A class with a single window on one side cannot be split and trains without.
inline Status fit_mlp_probe(pipeline::Scores x, std::vector<std::int64_t> y, const ProbeOptions& options,
                            Probe& probe) {
  std::vector<std::size_t> positives;
  for (std::size_t i = 0; i < y.size(); ++i)
    if (y[i] == 1) positives.push_back(i);
  const std::size_t negatives = y.size() - positives.size(),
                    repeat = negatives > positives.size() ? negatives / positives.size() : 0;
  std::vector<float> weights;
  if (options.probe.balance != Balance::copies) {
    weights.assign(y.size(), 1.0f);
    for (const std::size_t i : positives) weights[i] = static_cast<float>(repeat + 1);
  } else {
    std::size_t row = x.rows;
    x.values.resize((x.rows + repeat * positives.size()) * x.columns);
    for (std::size_t r = 0; r < repeat; ++r)
      for (const std::size_t i : positives) {
        std::copy_n(x.values.data() + i * x.columns, x.columns, x.values.data() + row++ * x.columns);
        y.push_back(1);
      }
    x.rows = y.size();
  }
  ml::MlpOptions settings = mlp_options(options.mlp);
  settings.repeat_by_weight = options.probe.balance == Balance::copies_after_split;
  if (options.probe.balance != Balance::copies && std::min(positives.size(), negatives) < 2)
    settings.early_stopping = false;
  ml::MlpClassifier<float> model(std::move(settings));
  PANTANAL_TRY_STATUS(model.fit(view(x), y, weights));
  probe.model = std::move(model);
  return {};
}

inline Status fit_logreg_probe(const pipeline::Scores& x, const std::vector<std::int64_t>& y,
                               const ProbeOptions& options, Probe& probe) {
  ml::LogisticRegression model({.C = options.probe.C, .balanced = true, .max_iter = 400});
  const std::vector<double> wide(x.values.begin(), x.values.end());
  PANTANAL_TRY_STATUS(model.fit({wide.data(), x.rows, x.columns}, y));
  probe.model = std::move(model);
  return {};
}

/// The notebook's: positives weigh as much as there are negatives for each.
inline Status fit_lgbm_probe(const pipeline::Scores& x, const std::vector<std::int64_t>& y,
                             const ProbeOptions& options, Probe& probe) {
  const auto positives = static_cast<double>(std::count(y.begin(), y.end(), 1));
  const LgbmSettings& s = options.lgbm;
  ml::LgbmOptions o;
  o.n_estimators = s.n_estimators;
  o.num_leaves = s.num_leaves;
  o.max_depth = s.max_depth;
  o.learning_rate = s.learning_rate;
  o.min_child_samples = s.min_child_samples;
  o.subsample = s.subsample;
  o.subsample_freq = s.subsample_freq;
  o.colsample_bytree = s.colsample_bytree;
  o.reg_alpha = s.reg_alpha;
  o.reg_lambda = s.reg_lambda;
  o.scale_pos_weight = std::max(1.0, (static_cast<double>(y.size()) - positives) / positives);
  o.random_state = s.random_state;
  ml::LgbmClassifier model(o);
  PANTANAL_TRY_STATUS(model.fit(view(x), y));
  probe.model = std::move(model);
  return {};
}

inline Status fit_probe(std::size_t c, const pipeline::Scores& projected, const ProbeInputs& in,
                        const pipeline::MultiHot& y, const ProbeOptions& options, Probe& probe) {
  PANTANAL_TRY(pipeline::Scores x, probe_features(projected, in, c));
  probe.class_index = c;
  std::vector<std::int64_t> labels(y.rows);
  for (std::size_t i = 0; i < y.rows; ++i) labels[i] = y(i, c);
  if (options.probe.backend == ProbeBackend::logreg) return fit_logreg_probe(x, labels, options, probe);
  if (options.probe.backend == ProbeBackend::lgbm) return fit_lgbm_probe(x, labels, options, probe);
  return fit_mlp_probe(std::move(x), std::move(labels), options, probe);
}

/// Classes with at least min_pos positives and a negative.
inline std::vector<std::size_t> probed_classes(const pipeline::MultiHot& y, std::size_t min_pos) {
  std::vector<std::size_t> classes;
  for (std::size_t c = 0; c < y.columns; ++c) {
    std::size_t positives = 0;
    for (std::size_t i = 0; i < y.rows; ++i) positives += y(i, c);
    if (positives >= std::max<std::size_t>(1, min_pos) && positives < y.rows) classes.push_back(c);
  }
  return classes;
}

/// The logits of one probe, [N].
inline Status probe_logits(const Probe& probe, const pipeline::Scores& projected, const ProbeInputs& in,
                           std::vector<float>& logits) {
  PANTANAL_TRY(const pipeline::Scores x, probe_features(projected, in, probe.class_index));
  if (const auto* const mlp = std::get_if<ml::MlpClassifier<float>>(&probe.model)) {
    PANTANAL_TRY(const ml::Matrix<float> p, mlp->predict_proba(view(x)));
    for (std::size_t i = 0; i < p.rows; ++i) logits.push_back(pipeline::probability_to_logit(p(i, 1)));
    return {};
  }
  if (const auto* const lgbm = std::get_if<ml::LgbmClassifier>(&probe.model)) {
    PANTANAL_TRY(const ml::Matrix<double> p, lgbm->predict_proba(view(x)));
    for (std::size_t i = 0; i < p.rows; ++i)
      logits.push_back(pipeline::probability_to_logit(static_cast<float>(p(i, 1))));
    return {};
  }
  const std::vector<double> wide(x.values.begin(), x.values.end());
  PANTANAL_TRY(
      const std::vector<double> scores,
      std::get<ml::LogisticRegression>(probe.model).decision_function({wide.data(), x.rows, x.columns}));
  logits.assign(scores.begin(), scores.end());
  return {};
}

/// values[i] by f(i, values[i]), which returns a Status, on a team; one error ends it all.
template <class T, class F>
Result<std::vector<T>> compute_all(std::size_t count, std::size_t threads, F&& f) {
  std::vector<T> values(count);
  std::vector<Status> statuses(count);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  parallel_team(std::min(threads, count), [&](const Team&) {
    for (std::size_t i = next++; i < count && !failed; i = next++) {
      statuses[i] = f(i, values[i]);
      if (!statuses[i]) failed = true;
    }
  });
  for (Status& status : statuses) PANTANAL_TRY_STATUS(std::move(status));
  return values;
}

}  // namespace detail

/// Scaler, PCA of min(pca_dim, N−1, D) components and a probe for each class that has min_pos positives in
/// `y` [N, C] and a negative. As in the notebook the features are those of out-of-fold priors and base scores
/// if `in` has them. Errors: sizes that differ, NaN or infinity, should_stop said so.
inline Result<ProbeSet> fit_probes(const ProbeInputs& in, const pipeline::MultiHot& y,
                                   const ProbeOptions& options) {
  ProbeSet set;
  set.alpha = options.probe.alpha;
  PANTANAL_TRY_STATUS(pipeline::detail::check_size("fit_probes: labels", y, in.emb.rows, in.raw.columns));
  if (in.emb.rows < 2)
    return Error{ErrorCode::invalid_argument, "fit_probes", std::to_string(in.emb.rows) + " windows", "more"};
  PANTANAL_TRY_STATUS(set.scaler.fit(detail::view(in.emb)));
  PANTANAL_TRY(const ml::Matrix<float> scaled, set.scaler.transform<float>(detail::view(in.emb)));
  ml::PcaOptions pca;
  pca.n_components = std::min({options.probe.pca_dim, in.emb.rows - 1, in.emb.columns});
  pca.threads = options.threads;
  pca.random_state = options.probe.pca_random_state;
  pca.svd_solver =
      options.probe.pca_solver == PcaMethod::randomized ? ml::PcaSolver::randomized : ml::PcaSolver::full;
  set.pca = ml::Pca<float>(pca);
  PANTANAL_TRY_STATUS(set.pca.fit(scaled.view()));
  PANTANAL_TRY(const pipeline::Scores projected, detail::project(set, in.emb));
  const std::vector<std::size_t> classes = detail::probed_classes(y, options.probe.min_pos);
  const auto fit = [&](std::size_t i, Probe& probe) -> Status {
    if (!options.should_stop || !options.should_stop())
      return detail::fit_probe(classes[i], projected, in, y, options, probe);
    return Error{ErrorCode::invalid_argument, "fit_probes", "a request to stop", "time to go on"};
  };
  PANTANAL_TRY(set.probes, detail::compute_all<Probe>(classes.size(), options.threads, fit));
  return set;
}

/// The notebook's mlp_scores [N, C]: base scores, those of probed classes (1−alpha)·base + alpha·probe logit.
/// Every row is computed from its own file alone, to the last bit.
inline Result<pipeline::Scores> probe_scores(const ProbeSet& set, const ProbeInputs& in,
                                             std::size_t threads) {
  PANTANAL_TRY(const pipeline::Scores projected, detail::project(set, in.emb));
  const auto predict = [&](std::size_t i, std::vector<float>& logits) {
    return detail::probe_logits(set.probes[i], projected, in, logits);
  };
  PANTANAL_TRY(const auto logits,
               detail::compute_all<std::vector<float>>(set.probes.size(), threads, predict));
  pipeline::Scores scores = in.base;
  const auto share = static_cast<float>(set.alpha), rest = static_cast<float>(1 - set.alpha);
  for (std::size_t k = 0; k < set.probes.size(); ++k)
    for (std::size_t i = 0; i < scores.rows; ++i) {
      float& score = scores(i, set.probes[k].class_index);
      score = rest * score + share * logits[k][i];
    }
  return pipeline::detail::finite_result("probe_scores", std::move(scores));
}

}  // namespace pantanal::competition
