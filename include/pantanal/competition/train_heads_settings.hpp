// A configuration's settings as the trainers' options.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/train/train_proto_ssm.hpp"
#include "pantanal/train/train_residual_ssm.hpp"

namespace pantanal::competition {

struct TrainHeadsOptions {
  Configuration configuration = {};
  bool with_studies = false;  ///< train mode: out-of-fold studies, ensemble weight, thresholds
  std::size_t threads = 1;    ///< results do not depend on it
  /// When the notebook's clock started, for residual_ssm.skip_after_s.
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::function<bool()> should_stop = {};                     ///< true ends the training in an error
  std::function<void(const std::string&)> progress = {};      ///< a line for people
  std::function<void(const train::EpochReport&)> epoch = {};  ///< after each epoch of any training
};

inline train::ProtoSsmTraining proto_ssm_training(const Configuration& c, const TrainHeadsOptions& options) {
  const ProtoSsmTrainSettings& s = c.proto_ssm_train;
  train::ProtoSsmTraining t;
  t.training = {.n_epochs = s.n_epochs,
                .lr = s.lr,
                .weight_decay = s.weight_decay,
                .clip_norm = s.clip_norm,
                .dropout = c.proto_ssm.dropout,
                .schedule = s.scheduler == Scheduler::one_cycle ? train::Schedule::one_cycle
                                                                : train::Schedule::cosine_restarts,
                .pct_start = s.pct_start,
                .restart_period = s.restart_period,
                .patience = s.patience,
                .swa_start_frac = s.swa_start_frac,
                .ema_decay = s.ema_decay,
                .seed = s.seed,
                .threads = options.threads,
                .progress = options.epoch,
                .should_stop = options.should_stop};
  t.loss = {
      .species = s.loss == LossMethod::focal ? train::SpeciesLoss::focal : train::SpeciesLoss::species_focal,
      .focal_gamma = s.focal_gamma,
      .distill_weight = s.distill_weight,
      .family_weight = s.family_weight,
      .label_smoothing = static_cast<float>(s.label_smoothing),
      .pos_weight_cap = static_cast<float>(s.pos_weight_cap)};
  t.mixing = s.mixing == MixingMethod::mixup_files ? train::Mixing::mixup_files : train::Mixing::mixup_cutmix;
  t.mixup_alpha = s.mixup_alpha;
  t.mixup_from_epoch = s.mixup_from_epoch;
  t.cutmix_probability = s.cutmix_probability;
  return t;
}

inline train::ResidualSsmTraining residual_ssm_training(const Configuration& c,
                                                        const TrainHeadsOptions& options) {
  const ResidualSsmSettings& r = c.residual_ssm;
  train::ResidualSsmTraining t;
  t.training.n_epochs = r.n_epochs;
  t.training.lr = r.lr;
  t.training.dropout = r.dropout;
  t.training.patience = r.patience;
  t.training.seed = c.proto_ssm_train.seed;
  t.training.threads = options.threads;
  t.training.progress = options.epoch;
  t.training.should_stop = options.should_stop;
  return t;
}

}  // namespace pantanal::competition
