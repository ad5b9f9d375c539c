// Configuration: every switch and size of the competition pipeline, and the presets that are shipped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/fuse_scores.hpp"
#include "pantanal/pipeline/perch_mapping.hpp"
#include "pantanal/pipeline/postprocess.hpp"

namespace pantanal::competition {

enum class ProbeBackend { mlp, logreg, lgbm };
enum class PcaMethod { exact, randomized };
enum class Scheduler { one_cycle, cosine_restarts };
enum class MixingMethod { mixup_files, mixup_cutmix };
enum class LossMethod { focal, species_focal };

/// How an MLP probe's rare positives are brought up to the number of negatives.
enum class Balance {
  copies,   ///< as the notebook does: repeated before the early stopping's split, so that copies are on both
            ///< sides
  weights,  ///< sample weights: the split sees every window once
  copies_after_split  ///< repeated on the training side of the split only; validation is weighted instead
};

/// What the early stopping of MLP probes goes by.
enum class ValidationScore {
  accuracy,  ///< scikit-learn's, and so the notebook's
  log_loss   ///< a handful of positives moves it before any of them changes sides
};

/// Which rows the probes' half of the ensemble weight's search is predicted on.
enum class EnsembleProbes {
  own_rows,    ///< as the notebook does: by the final probes, on the rows that they were fitted to
  out_of_fold  ///< by probes that have not seen the row's file
};

/// What per-class thresholds are found on in train mode.
enum class ThresholdScores {
  logits,  ///< as the notebook does: out-of-fold ProtoSSM logits, compared with thresholds of 0.25 to 0.7
  probabilities,  ///< the sigmoid of the out-of-fold ensemble over the classes' temperatures
  isotonic        ///< those, file by file, through an isotonic regression
};

struct ProtoSsmSettings {
  std::size_t d_model = 320, d_state = 32, d_conv = 4, n_ssm_layers = 4;
  float dropout = 0.12f;
  std::size_t n_sites = 20, meta_dim = 24;
  bool use_cross_attn = true;
  std::size_t cross_attn_heads = 8;
  std::size_t n_prototypes = 1;  ///< per class
};

struct ProtoSsmTrainSettings {
  std::size_t n_epochs = 80;
  double lr = 8e-4, weight_decay = 1e-3, clip_norm = 1.0;
  std::size_t patience = 20;
  double pos_weight_cap = 25, distill_weight = 0.15, label_smoothing = 0.03;
  double family_weight = 0.1;
  bool families_in_final_fit = false;  ///< the notebook passes them in the out-of-fold studies only
  std::size_t oof_n_splits = 5;
  MixingMethod mixing = MixingMethod::mixup_files;
  double mixup_alpha = 0.4;
  std::size_t mixup_from_epoch = 6;
  double cutmix_probability = 0.3;
  LossMethod loss = LossMethod::focal;
  double focal_gamma = 2.5;
  double swa_start_frac = 0.65, ema_decay = 0;
  Scheduler scheduler = Scheduler::one_cycle;
  double pct_start = 0.1;
  std::size_t restart_period = 20;
  std::uint64_t seed = 0;
};

struct ProbeSettings {
  ProbeBackend backend = ProbeBackend::mlp;
  std::size_t pca_dim = 128;
  PcaMethod pca_solver = PcaMethod::exact;
  std::uint32_t pca_random_state = 0;
  std::size_t min_pos = 5;  ///< positive windows that a class needs
  double alpha = 0.45;      ///< the probe's share of a probed class' score
  double C = 0.75;          ///< logreg
  Balance balance = Balance::copies;
};

/// MLPClassifier's arguments, and validation_score, which it has not.
struct MlpSettings {
  std::vector<std::size_t> hidden_layer_sizes = {256, 128};
  double learning_rate_init = 5e-4, alpha = 0.005;
  std::size_t max_iter = 500;
  bool early_stopping = true;
  double validation_fraction = 0.15;
  std::size_t n_iter_no_change = 20;
  ValidationScore validation_score = ValidationScore::accuracy;
  std::uint32_t random_state = 42;
};

/// LGBMClassifier's arguments, for builds that have LightGBM. The notebook reads `lgbm_params`, which it does
/// not define: these are LightGBM's defaults, with a seed.
struct LgbmSettings {
  std::size_t n_estimators = 100, num_leaves = 31;
  int max_depth = -1;  ///< -1: without limit
  double learning_rate = 0.1;
  std::size_t min_child_samples = 20;
  double subsample = 1;
  std::size_t subsample_freq = 0;
  double colsample_bytree = 1, reg_alpha = 0, reg_lambda = 0;
  std::uint32_t random_state = 42;
};

struct ResidualSsmSettings {
  bool enabled = true;
  std::size_t d_model = 128, d_state = 16, d_conv = 4, n_ssm_layers = 1, meta_dim = 8;
  float dropout = 0.1f;
  double correction_weight = 0.35;
  std::size_t n_epochs = 40;
  double lr = 8e-4;
  std::size_t patience = 12;
  double skip_after_s = 240;  ///< not trained if training has taken longer by then; 0: always trained
};

/// A line of the probes' grid.
struct ProbeGridPoint {
  std::size_t pca_dim = 64, min_pos = 8;
  double C = 0.25, alpha = 0.4;
};

struct StudySettings {
  bool run_proxy_reduce_grid = false;  ///< needs Perch's logits, so no cache is read
  bool run_probe_check = false;        ///< out-of-fold probes once, for their score
  bool run_probe_grid = false;         ///< the best of probe_grid takes the place of the probes' settings
  std::vector<ProbeGridPoint> probe_grid = {{32, 8, 0.25, 0.4},  {64, 8, 0.25, 0.4}, {64, 8, 0.25, 0.5},
                                            {64, 12, 0.25, 0.4}, {96, 8, 0.25, 0.4}, {64, 8, 0.50, 0.4}};
  EnsembleProbes ensemble_probes = EnsembleProbes::own_rows;
  ThresholdScores threshold_scores = ThresholdScores::logits;
  std::vector<float> threshold_grid = {0.25f, 0.30f, 0.35f, 0.40f, 0.45f, 0.50f, 0.55f, 0.60f, 0.65f, 0.70f};
};

/// The defaults are the published run's: the preset v5-run.
struct Configuration {
  pipeline::ProxyReduce proxy_reduce = pipeline::ProxyReduce::max;
  pipeline::PerchMappingOptions mapping;
  std::size_t oof_n_splits = 5;  ///< folds of files, for base scores and probes
  std::size_t dryrun_n_files = 20;
  pipeline::FusionWeights fusion;
  ProtoSsmSettings proto_ssm;
  ProtoSsmTrainSettings proto_ssm_train;
  ProbeSettings probe;
  MlpSettings mlp;
  LgbmSettings lgbm;
  ResidualSsmSettings residual_ssm;
  double ensemble_weight = 0.5;  ///< ProtoSSM's share, where no study finds one
  float temperature_event = 1.10f, temperature_texture = 0.95f;
  std::vector<int> tta_shifts = {0, 1, -1, 2, -2};
  pipeline::PostprocessOptions postprocess;
  StudySettings study;
};

inline constexpr std::array<std::string_view, 4> preset_names = {"v5-run", "v5-cfg", "v5-card",
                                                                 "recommended"};

namespace detail {

inline Configuration v5_run() {
  Configuration c;
  return c;
}

/// What the notebook's upgrade cell sets.
inline Configuration v5_cfg() {
  Configuration c;
  c.proto_ssm.d_model = 256;
  c.proto_ssm.n_ssm_layers = 3;
  c.proto_ssm_train.n_epochs = 50;
  c.residual_ssm.n_epochs = 25;
  c.tta_shifts = {0, 1, -1};
  c.postprocess.file_level_top_k = 0;
  c.postprocess.rank_aware_power = 0;
  c.postprocess.delta_shift_alpha = 0.10f;
  return c;
}

/// What the notebook's headline claims, its table and its list of what is new.
inline Configuration v5_card() {
  Configuration c;
  c.proxy_reduce = pipeline::ProxyReduce::mean;
  c.proto_ssm.n_prototypes = 2;
  c.proto_ssm_train.scheduler = Scheduler::cosine_restarts;
  c.proto_ssm_train.mixing = MixingMethod::mixup_cutmix;
  c.proto_ssm_train.loss = LossMethod::species_focal;
  c.residual_ssm.n_ssm_layers = 2;
  c.residual_ssm.n_epochs = 25;
  return c;
}

/// v5-run without what is flawed in it.
inline Configuration recommended() {
  Configuration c;
  c.proto_ssm_train.families_in_final_fit = true;
  c.mlp.early_stopping = false;
  c.residual_ssm.skip_after_s = 0;
  c.study.ensemble_probes = EnsembleProbes::out_of_fold;
  c.study.threshold_scores = ThresholdScores::probabilities;
  return c;
}

}  // namespace detail

/// One of preset_names; nothing for another name.
inline std::optional<Configuration> preset(std::string_view name) {
  if (name == "v5-run") return detail::v5_run();
  if (name == "v5-cfg") return detail::v5_cfg();
  if (name == "v5-card") return detail::v5_card();
  if (name == "recommended") return detail::recommended();
  return std::nullopt;
}

namespace detail {

/// A number of a configuration, and the range that it makes sense in.
struct KeyRange {
  const char* key;
  double value, least, most;
};

inline std::vector<KeyRange> training_ranges(const Configuration& c) {
  const ProtoSsmTrainSettings& t = c.proto_ssm_train;
  std::vector<KeyRange> ranges = {
      {"proto_ssm_train.pos_weight_cap", t.pos_weight_cap, 1, 1e6},
      {"proto_ssm_train.distill_weight", t.distill_weight, 0, 1e3},
      {"proto_ssm_train.family_weight", t.family_weight, 0, 1e3},
      {"proto_ssm_train.label_smoothing", t.label_smoothing, 0, 1},
      {"proto_ssm_train.focal_gamma", t.focal_gamma, 0, 100},
      {"proto_ssm_train.cutmix_probability", t.cutmix_probability, 0, 1},
      {"proto_ssm_train.swa_start_frac", t.swa_start_frac, 0, 1},
      {"residual_ssm.correction_weight", c.residual_ssm.correction_weight, -100, 100},
      {"residual_ssm.skip_after_s", c.residual_ssm.skip_after_s, 0, 1e9},
      {"probe.alpha", c.probe.alpha, 0, 1},
      {"probe.C", c.probe.C, 1e-9, 1e9},
  };
  if (c.mlp.early_stopping)
    ranges.push_back({"mlp.validation_fraction", c.mlp.validation_fraction, 0.01, 0.9});
  return ranges;
}

inline std::vector<KeyRange> scoring_ranges(const Configuration& c) {
  std::vector<KeyRange> ranges = {
      {"fusion.lambda_event", c.fusion.lambda_event, -100, 100},
      {"fusion.lambda_texture", c.fusion.lambda_texture, -100, 100},
      {"fusion.lambda_proxy_texture", c.fusion.lambda_proxy_texture, -100, 100},
      {"fusion.smooth_texture", c.fusion.smooth_texture, 0, 1},
      {"fusion.smooth_event", c.fusion.smooth_event, 0, 1},
      {"ensemble_weight", c.ensemble_weight, 0, 1},
      {"postprocess.temperature_event", c.temperature_event, 1e-3, 1e3},
      {"postprocess.temperature_texture", c.temperature_texture, 1e-3, 1e3},
      {"postprocess.rank_aware_power", c.postprocess.rank_aware_power, 0, 100},
      {"postprocess.delta_shift_alpha", c.postprocess.delta_shift_alpha, -1e9, 1},
  };
  constexpr int last = pipeline::n_windows_per_file - 1;
  for (const int shift : c.tta_shifts) ranges.push_back({"tta_shifts", double(shift), -last, last});
  for (const float t : c.study.threshold_grid) ranges.push_back({"study.threshold_grid", double{t}, 0, 1});
  for (const ProbeGridPoint& point : c.study.probe_grid) {
    ranges.push_back({"study.probe_grid: C", point.C, 1e-9, 1e9});
    ranges.push_back({"study.probe_grid: alpha", point.alpha, 0, 1});
  }
  return ranges;
}

inline Status check_ranges(const std::vector<KeyRange>& ranges) {
  const auto text = [](double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6g", value);
    return std::string(digits);
  };
  for (const KeyRange& range : ranges)
    if (!(range.value >= range.least && range.value <= range.most))
      return Error{ErrorCode::invalid_argument, std::string("configuration.") + range.key, text(range.value),
                   "a number from " + text(range.least) + " to " + text(range.most)};
  return {};
}

}  // namespace detail

/// Whether the values that no later step checks make sense; the error names the key.
inline Status validate(const Configuration& c) {
  PANTANAL_TRY_STATUS(detail::check_ranges(detail::training_ranges(c)));
  PANTANAL_TRY_STATUS(detail::check_ranges(detail::scoring_ranges(c)));
  const auto refuse = [](const char* key, std::size_t value, const char* expected) {
    return Error{ErrorCode::invalid_argument, std::string("configuration.") + key, std::to_string(value),
                 expected};
  };
  if (c.oof_n_splits < 2) return refuse("oof_n_splits", c.oof_n_splits, "at least 2");
  if (c.dryrun_n_files < 1) return refuse("dryrun_n_files", c.dryrun_n_files, "at least 1");
  if (c.probe.pca_dim < 1) return refuse("probe.pca_dim", c.probe.pca_dim, "at least 1");
#ifndef PANTANAL_LIGHTGBM
  if (c.probe.backend == ProbeBackend::lgbm)
    return Error{ErrorCode::unsupported, "configuration.probe.backend", "lgbm, in a build without LightGBM",
                 "mlp or logreg, or a build configured with -DPANTANAL_LIGHTGBM=ON"};
#endif
  if (c.proto_ssm.n_sites < 1) return refuse("proto_ssm.n_sites", c.proto_ssm.n_sites, "at least 1");
  if (c.proto_ssm_train.oof_n_splits < 2)
    return refuse("proto_ssm_train.oof_n_splits", c.proto_ssm_train.oof_n_splits, "at least 2");
  if (c.tta_shifts.empty()) return refuse("tta_shifts", 0, "at least one shift, such as 0");
  if (c.study.threshold_grid.empty()) return refuse("study.threshold_grid", 0, "at least one threshold");
  for (const ProbeGridPoint& point : c.study.probe_grid)
    if (point.pca_dim < 1) return refuse("study.probe_grid", point.pca_dim, "pca_dim of at least 1");
  return {};
}

}  // namespace pantanal::competition
