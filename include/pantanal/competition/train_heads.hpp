// train_heads: from a competition's labels and Perch's outputs to a HeadsBundle.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/heads.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/competition/probes_oof.hpp"
#include "pantanal/competition/settings_check.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/competition/train_heads_settings.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/ml/isotonic_regression.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "pantanal/ml/splits.hpp"
#include "pantanal/pipeline/calibrated_thresholds.hpp"
#include "pantanal/pipeline/oof_base_prior.hpp"
#include "pantanal/pipeline/per_class_thresholds.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/out_of_fold.hpp"
#include "pantanal/train/prototypes.hpp"
#include "pantanal/train/train_proto_ssm.hpp"
#include "pantanal/train/train_residual_ssm.hpp"

namespace pantanal::competition {

namespace detail {

inline std::vector<float> as_floats(const pipeline::MultiHot& y) {
  return {y.values.begin(), y.values.end()};
}

/// One training from start to end; its members are what the steps hand on.
class HeadsTrainer {
 public:
  HeadsTrainer(const CompetitionTables& tables, const PerchOutputs& perch, const TrainHeadsOptions& options)
      : tables_(tables), perch_(perch), options_(options), config_(options.configuration) {}

  Result<TrainedHeads> run(pipeline::PerchMapping mapping, std::uint32_t perch_labels_crc) {
    bundle_.mapping = std::move(mapping);
    bundle_.perch_labels_crc = perch_labels_crc;
    PANTANAL_TRY_STATUS(prepare());
    PANTANAL_TRY_STATUS(base_and_prior());
    if (options_.with_studies) PANTANAL_TRY_STATUS(study_probes());
    if (options_.with_studies) PANTANAL_TRY_STATUS(study_proto_ssm());
    bundle_.configuration = config_;
    PANTANAL_TRY_STATUS(train_proto_ssm());
    PANTANAL_TRY_STATUS(train_probes());
    if (!oof_proto_.values.empty()) PANTANAL_TRY_STATUS(find_ensemble_weight());
    if (!oof_proto_.values.empty()) PANTANAL_TRY_STATUS(find_thresholds());
    PANTANAL_TRY_STATUS(train_residual_ssm());
    return TrainedHeads{std::move(bundle_), std::move(log_)};
  }

 private:
  /// Labels of the rows, classes, files and their ids.
  Status prepare() {
    bundle_.classes = tables_.classes;
    bundle_.texture = tables_.texture;
    bundle_.active = pipeline::active_classes(tables_.labels.y_sc);
    bundle_.ensemble_weight = config_.ensemble_weight;
    bundle_.thresholds.assign(bundle_.classes.size(), 0.5f);
    PANTANAL_TRY(classes_, bundle_.fusion_classes());
    PANTANAL_TRY_STATUS(pipeline::detail::check_size("Perch outputs", perch_.scores, perch_.meta.size(),
                                                     bundle_.classes.size()));
    PANTANAL_TRY(const std::vector<std::size_t> rows, label_rows(perch_.meta, tables_.labels));
    y_ = take_rows(tables_.labels.y_sc, rows);
    labels_ = as_floats(y_);
    PANTANAL_TRY(files_, pipeline::reshape_to_files(perch_.meta));
    bundle_.sites = pipeline::build_site_mapping(perch_.meta);
    PANTANAL_TRY(ids_, file_ids(perch_.meta, bundle_.sites, config_.proto_ssm.n_sites));
    PANTANAL_TRY(bundle_.priors, tables_.fit_priors());
    PANTANAL_TRY(groups_, pipeline::build_taxonomy_groups(tables_.taxonomy, tables_.classes));
    fill_families();
    log_.counts = {{"files", files_.size()},
                   {"windows", y_.rows},
                   {"labelled_windows", tables_.labels.windows.size()},
                   {"classes", tables_.classes.size()},
                   {"active_classes", pipeline::active_classes(y_).size()},
                   {"sites_mapped", static_cast<std::size_t>(pipeline::n_sites_mapped(bundle_.sites))},
                   {"taxonomic_groups", groups_.names.size()},
                   {"genus_proxies", bundle_.mapping.proxies.size()}};
    return {};
  }

  /// [files, groups]: 1 where the file has a positive of the group.
  void fill_families() {
    const std::size_t n = groups_.names.size(), steps = pipeline::n_windows_per_file;
    families_.assign(files_.size() * n, 0.0f);
    for (std::size_t i = 0; i < y_.rows; ++i)
      for (std::size_t c = 0; c < y_.columns; ++c)
        if (y_(i, c)) families_[i / steps * n + groups_.class_to_group[c]] = 1.0f;
  }

  double auc(const pipeline::Scores& scores) const {
    return ml::macro_auc_or_zero(labels_, scores.values, y_.columns);
  }

  Status base_and_prior() {
    StopWatch watch;
    std::vector<std::string> groups;
    for (const auto& window : perch_.meta) groups.push_back(window.filename);
    PANTANAL_TRY(const std::vector<std::size_t> folds,
                 ml::group_k_fold_of(groups, std::min(config_.oof_n_splits, files_.size())));
    fold_id_.assign(folds.begin(), folds.end());
    PANTANAL_TRY(oof_, pipeline::build_oof_base_prior(perch_.scores, perch_.meta, fold_id_, tables_.labels,
                                                      classes_, config_.fusion));
    PANTANAL_TRY(full_, pipeline::fuse_scores_with_tables(perch_.scores, places_of(perch_.meta),
                                                          bundle_.priors, classes_, config_.fusion));
    log_.scores["oof_auc_base"] = auc(oof_.scores);
    return done("base scores out of fold: macro AUC ", log_.scores["oof_auc_base"], "base", watch);
  }

  ProbeOptions probe_options(const ProbeSettings& probe) const {
    return {.probe = probe,
            .mlp = config_.mlp,
            .lgbm = config_.lgbm,
            .threads = options_.threads,
            .should_stop = options_.should_stop};
  }

  Result<OofProbes> oof_probes(const ProbeSettings& probe) const {
    return run_oof_embedding_probe(perch_, y_, fold_id_, tables_.labels, classes_, config_.fusion,
                                   probe_options(probe));
  }

  /// The probe check, and the grid, whose best takes the settings' place.
  Status study_probes() {
    StopWatch watch;
    if (config_.study.run_probe_check) {
      ProbeSettings check = config_.probe;
      check.pca_dim = 64, check.min_pos = 8, check.C = 0.25, check.alpha = 0.5;
      PANTANAL_TRY(const OofProbes oof, oof_probes(check));
      log_.scores["oof_auc_probe_check"] = auc(oof.scores);
    }
    double best = -1;
    ProbeSettings chosen = config_.probe;
    for (const ProbeGridPoint& point : config_.study.probe_grid) {
      if (!config_.study.run_probe_grid) break;
      ProbeSettings probe = config_.probe;
      probe.pca_dim = point.pca_dim, probe.min_pos = point.min_pos, probe.C = point.C,
      probe.alpha = point.alpha;
      PANTANAL_TRY(const OofProbes oof, oof_probes(probe));
      const double score = auc(oof.scores);
      log_.probe_grid.emplace_back(point, score);
      if (score > best) best = score, chosen = probe;
    }
    config_.probe = chosen;
    log_.seconds["probe_studies"] = watch.lap();
    return {};
  }

  train::ProtoSsmData proto_data(bool with_families) const {
    return {.emb = perch_.emb.values,
            .logits = perch_.scores.values,
            .labels = labels_,
            .site_ids = ids_.site_ids,
            .hours = ids_.hours,
            .families = with_families ? std::span<const float>(families_) : std::span<const float>(),
            .files = files_.size(),
            .steps = pipeline::n_windows_per_file};
  }

  heads::ProtoSsmConfig model_config() const {
    return proto_config(config_, perch_.emb.columns, tables_.classes.size(), groups_.names.size());
  }

  /// The fourth part of each file's name, which is the site where the name is as it should be; else the name.
  std::vector<std::string> file_groups() const {
    std::vector<std::string> groups;
    for (const std::string& file : files_) {
      std::size_t at = 0;
      for (int part = 0; part < 3 && at != file.npos; ++part)
        if ((at = file.find('_', at)) != file.npos) ++at;
      groups.push_back(at == file.npos ? file : file.substr(at, file.find('_', at) - at));
    }
    return groups;
  }

  Status study_proto_ssm() {
    StopWatch watch;
    const std::vector<std::string> groups = file_groups();
    if (std::set<std::string>(groups.begin(), groups.end()).size() < 2) {
      log_.notes.push_back(
          "all files are of one site: no out-of-fold ProtoSSM, so no ensemble weight, no thresholds");
      return {};
    }
    train::OutOfFoldOptions options;
    options.training = proto_ssm_training(config_, options_);
    options.n_splits = config_.proto_ssm_train.oof_n_splits;
    options.shifts = config_.tta_shifts;
    PANTANAL_TRY(train::OutOfFold oof,
                 train::run_proto_ssm_oof(model_config(), proto_data(true), groups, options));
    PANTANAL_TRY_STATUS(check_stop(oof.interrupted));
    oof_proto_ = pipeline::Scores(y_.rows, y_.columns);
    oof_proto_.values = std::move(oof.logits);
    log_.scores["oof_auc_proto"] = auc(oof_proto_);
    return done("ProtoSSM out of fold: macro AUC ", log_.scores["oof_auc_proto"], "oof_proto_ssm", watch);
  }

  Status train_proto_ssm() {
    StopWatch watch;
    bundle_.proto_config = model_config();
    PANTANAL_TRY_STATUS(heads::validate(bundle_.proto_config));
    const train::ProtoSsmTraining training = proto_ssm_training(config_, options_);
    const train::ProtoSsmData data = proto_data(config_.proto_ssm_train.families_in_final_fit);
    PANTANAL_TRY_STATUS(train::validate(data, bundle_.proto_config, "ProtoSSM's training set"));
    const nn::StateDict start = train::start_prototypes(
        train::initial_state(heads::required_tensors(bundle_.proto_config), training.training.seed),
        bundle_.proto_config, data, training.training.dropout, training.training.seed);
    PANTANAL_TRY(train::TrainedModel model,
                 train::train_proto_ssm(start, bundle_.proto_config, data, nullptr, training));
    PANTANAL_TRY_STATUS(check_stop(model.interrupted));
    bundle_.proto = std::move(model.state);
    log_.counts["proto_ssm_parameters"] = heads::parameter_count(bundle_.proto_config);
    log_.counts["proto_ssm_epochs"] = model.history.train_loss.size();
    log_.scores["proto_ssm_train_loss"] = model.history.train_loss.back();
    return done("ProtoSSM trained: loss ", log_.scores["proto_ssm_train_loss"], "proto_ssm", watch);
  }

  Status train_probes() {
    StopWatch watch;
    PANTANAL_TRY(bundle_.probes, fit_probes({perch_.emb, perch_.scores, oof_.prior, oof_.scores}, y_,
                                            probe_options(config_.probe)));
    log_.counts["probes"] = bundle_.probes.probes.size();
    double explained = 0;
    for (const float ratio : bundle_.probes.pca.explained_variance_ratio()) explained += double{ratio};
    log_.scores["pca_explained_variance"] = explained;
    return done("probes trained: ", static_cast<double>(bundle_.probes.probes.size()), "probes", watch);
  }

  Status find_ensemble_weight() {
    StopWatch watch;
    if (config_.study.ensemble_probes == EnsembleProbes::out_of_fold) {
      PANTANAL_TRY(OofProbes oof, oof_probes(config_.probe));
      oof_mlp_ = std::move(oof.scores);
    } else {
      PANTANAL_TRY(oof_mlp_,
                   probe_scores(bundle_.probes, {perch_.emb, perch_.scores, oof_.prior, oof_.scores},
                                options_.threads));
    }
    PANTANAL_TRY(const pipeline::WeightSearch search,
                 pipeline::optimize_ensemble_weight(
                     oof_proto_, oof_mlp_, [&](const pipeline::Scores& blend) { return auc(blend); }));
    bundle_.ensemble_weight = search.best_weight;
    log_.ensemble_search = search.results;
    log_.scores["oof_auc_mlp"] = auc(oof_mlp_);
    log_.scores["oof_auc_ensemble"] = search.best_score;
    log_.scores["ensemble_weight"] = search.best_weight;
    return done("ensemble weight of ProtoSSM: ", search.best_weight, "ensemble", watch);
  }

  Status find_thresholds() {
    const std::vector<float>& grid = config_.study.threshold_grid;
    if (config_.study.threshold_scores == ThresholdScores::logits) {
      PANTANAL_TRY(pipeline::ClassThresholds best,
                   pipeline::optimize_per_class_thresholds(oof_proto_, y_, grid));
      bundle_.thresholds = std::move(best.thresholds);
      return {};
    }
    PANTANAL_TRY(pipeline::Scores ensemble,
                 pipeline::blend_scores(oof_proto_, oof_mlp_, bundle_.ensemble_weight));
    PANTANAL_TRY(const pipeline::Scores probabilities,
                 pipeline::temperature_sigmoid(std::move(ensemble), bundle_.temperatures()));
    if (config_.study.threshold_scores == ThresholdScores::probabilities) {
      PANTANAL_TRY(pipeline::ClassThresholds best,
                   pipeline::optimize_per_class_thresholds(probabilities, y_, grid));
      bundle_.thresholds = std::move(best.thresholds);
      return {};
    }
    const auto calibrate = [](std::span<const float> p,
                              std::span<const std::uint8_t> y) -> Result<std::vector<float>> {
      ml::IsotonicRegression<float> isotonic({.out_of_bounds = ml::OutOfBounds::clip});
      const std::vector<float> truth(y.begin(), y.end());
      PANTANAL_TRY_STATUS(isotonic.fit(p, truth));
      return isotonic.predict(p);
    };
    PANTANAL_TRY(bundle_.thresholds,
                 pipeline::calibrate_and_optimize_thresholds(probabilities, y_, calibrate, grid));
    return {};
  }

  /// The final models' blend on the training windows, features from the final tables and no shifts.
  Result<pipeline::Scores> first_pass() {
    PANTANAL_TRY(heads::ProtoSsm session,
                 heads::ProtoSsm::create(bundle_.proto, bundle_.proto_config, {.threads = options_.threads}));
    pipeline::Scores proto(y_.rows, y_.columns);
    PANTANAL_TRY_STATUS(session.run({perch_.emb.values, perch_.scores.values, {ids_.site_ids, ids_.hours}},
                                    files_.size(), pipeline::n_windows_per_file,
                                    {.species_logits = proto.values}));
    PANTANAL_TRY(pipeline::Scores mlp,
                 probe_scores(bundle_.probes, {perch_.emb, perch_.scores, full_.prior, full_.scores},
                              options_.threads));
    return pipeline::blend_scores(proto, std::move(mlp), bundle_.ensemble_weight);
  }

  bool residual_is_skipped() {
    const ResidualSsmSettings& r = config_.residual_ssm;
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - options_.start).count();
    if (!r.enabled) {
      log_.notes.push_back("residual_ssm.enabled is false: no ResidualSSM");
    } else if (r.skip_after_s > 0 && elapsed > r.skip_after_s) {
      log_.notes.push_back("ResidualSSM skipped: more than residual_ssm.skip_after_s have passed");
    } else if (files_.size() < 2) {
      log_.notes.push_back("ResidualSSM skipped: it needs a file to train on and one to validate on");
    } else {
      return false;
    }
    if (options_.progress) options_.progress(log_.notes.back());
    return true;
  }

  Status train_residual_ssm() {
    if (residual_is_skipped()) return {};
    StopWatch watch;
    PANTANAL_TRY(const pipeline::Scores scores, first_pass());
    const std::vector<float> residuals = train::first_pass_residuals(labels_, scores.values);
    ResidualHead head{residual_config(config_, perch_.emb.columns, tables_.classes.size()), {}};
    PANTANAL_TRY_STATUS(heads::validate(head.config));
    const train::ResidualSsmTraining training = residual_ssm_training(config_, options_);
    const train::ResidualSsmData data{.emb = perch_.emb.values,
                                      .first_pass_scores = scores.values,
                                      .residuals = residuals,
                                      .site_ids = ids_.site_ids,
                                      .hours = ids_.hours,
                                      .files = files_.size(),
                                      .steps = pipeline::n_windows_per_file};
    PANTANAL_TRY(train::TrainedModel model,
                 train::train_residual_ssm(
                     train::initial_state(heads::required_tensors(head.config), training.training.seed),
                     head.config, data, training));
    PANTANAL_TRY_STATUS(check_stop(model.interrupted));
    head.state = std::move(model.state);
    bundle_.residual = std::move(head);
    log_.counts["residual_ssm_parameters"] = heads::parameter_count(bundle_.residual->config);
    log_.scores["residual_ssm_val_mse"] = model.best_val_loss;
    return done("ResidualSSM trained: validation MSE ", model.best_val_loss, "residual_ssm", watch);
  }

  Status check_stop(bool interrupted) const {
    if (!interrupted && !(options_.should_stop && options_.should_stop())) return {};
    return Error{ErrorCode::invalid_argument, "train_heads", "a request to stop", "time to go on"};
  }

  Status done(const std::string& what, double value, const char* stage, StopWatch& watch) {
    log_.seconds[stage] = watch.lap();
    char text[64];
    std::snprintf(text, sizeof text, "%.6g (%.1f s)", value, log_.seconds[stage]);
    if (options_.progress) options_.progress(what + text);
    return check_stop(false);
  }

  const CompetitionTables& tables_;
  const PerchOutputs& perch_;
  const TrainHeadsOptions& options_;
  Configuration config_;
  HeadsBundle bundle_;
  TrainingLog log_;
  pipeline::FusionClasses classes_;
  pipeline::MultiHot y_;       ///< Y_FULL in the order of the windows
  std::vector<float> labels_;  ///< the same
  std::vector<std::string> files_;
  pipeline::FileIds ids_;
  pipeline::TaxonomyGroups groups_;
  std::vector<float> families_;
  std::vector<int> fold_id_;
  pipeline::FusedScores oof_, full_;  ///< fused out of fold, and with the final tables
  pipeline::Scores oof_proto_, oof_mlp_;
};

}  // namespace detail

/// Trains everything that predicts from `perch`, the outputs of fully labelled files: prior tables, probes,
/// ProtoSSM, ResidualSSM; with studies also the ensemble weight and the thresholds, else those of the
/// configuration and 0.5. `mapping` is how perch.scores came from labels whose labels_crc is given. The same
/// bundle for the same inputs and any number of threads, unless time decides (residual_ssm.skip_after_s).
/// Errors: tables, outputs and configuration that do not fit each other; fewer than two files; a stop.
inline Result<TrainedHeads> train_heads(const CompetitionTables& tables, const PerchOutputs& perch,
                                        pipeline::PerchMapping mapping, std::uint32_t perch_labels_crc,
                                        const TrainHeadsOptions& options) {
  PANTANAL_TRY_STATUS(check_settings(options.configuration));
  return detail::HeadsTrainer(tables, perch, options).run(std::move(mapping), perch_labels_crc);
}

}  // namespace pantanal::competition
