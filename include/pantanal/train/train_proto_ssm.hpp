// Training a ProtoSSM on a set of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/train/macro_auc.hpp"
#include "pantanal/train/proto_ssm_step.hpp"
#include "pantanal/train/training_loop.hpp"

namespace pantanal::train {

enum class Mixing { mixup_files, mixup_cutmix };

/// The defaults are the published run's.
struct ProtoSsmTraining {
  TrainingOptions training = {};
  ProtoSsmLossOptions loss = {};
  Mixing mixing = Mixing::mixup_files;
  double mixup_alpha = 0.4;          ///< 0: nothing is mixed
  std::size_t mixup_from_epoch = 6;  ///< counted from 0
  double cutmix_probability = 0.3;   ///< mixup_cutmix
};

namespace detail {

/// BCE with the training set's pos_weight against the labels as they are, and the macro AUC.
inline Validation validate_proto_ssm(ProtoSsmStep& step, const ProtoSsmData& data,
                                     std::span<const float> pos_weight, std::vector<float>& species) {
  const std::size_t classes = pos_weight.size();
  species.resize(data.labels.size());
  step.predict(data, species);
  const double sum = sum_loss(species.size(), {}, 1, false, [&](std::size_t i) {
    return bce_with_logits(species[i], data.labels[i], pos_weight[i % classes]);
  });
  return {sum / static_cast<double>(species.size()), macro_auc_skip_empty(data.labels, species, classes)};
}

inline FileMix draw_mix(const ProtoSsmTraining& o, const ProtoSsmData& data, std::uint32_t epoch) {
  if (epoch < o.mixup_from_epoch) return {};
  const RandomStream stream{.seed = o.training.seed, .purpose = autograd::purpose::mixup, .step = epoch};
  if (o.mixing == Mixing::mixup_cutmix)
    return mixup_cutmix(data.files, data.steps, o.mixup_alpha, o.cutmix_probability, stream);
  return mixup_files(data.files, o.mixup_alpha, stream);
}

inline nlohmann::json fingerprint(const ProtoSsmTraining& o, const ProtoSsmData& data) {
  return {{"species", o.loss.species == SpeciesLoss::focal ? "focal" : "species_focal"},
          {"focal_gamma", o.loss.focal_gamma},
          {"distill_weight", o.loss.distill_weight},
          {"family_weight", o.loss.family_weight},
          {"label_smoothing", o.loss.label_smoothing},
          {"pos_weight_cap", o.loss.pos_weight_cap},
          {"mixing", o.mixing == Mixing::mixup_files ? "mixup_files" : "mixup_cutmix"},
          {"mixup_alpha", o.mixup_alpha},
          {"mixup_from_epoch", o.mixup_from_epoch},
          {"cutmix_probability", o.cutmix_probability},
          {"files", data.files},
          {"steps", data.steps}};
}

}  // namespace detail

/// Trains the model that starts as `state` on all files of `data` at once, one step per epoch, with dropout
/// and, from mixup_from_epoch on, mixed files. With `validation` (else null) its loss decides what is best,
/// otherwise the training loss does. A class without positives gets the greatest pos_weight and learns to be
/// silent; one file is trained on, and nothing is mixed. The same bytes for the same seed and any number of
/// threads. Errors: options, state or data that do not fit, NaN in the data, a loss that overflows.
inline Result<TrainedModel> train_proto_ssm(const nn::StateDict& state, const heads::ProtoSsmConfig& config,
                                            const ProtoSsmData& data, const ProtoSsmData* validation,
                                            const ProtoSsmTraining& options) {
  const std::string where = "train_proto_ssm";
  PANTANAL_TRY_STATUS(heads::validate(config));
  if (config.form != nn::SsmForm::notebook)
    return Error{ErrorCode::unsupported, where, "the mamba form", "the notebook's form"};
  PANTANAL_TRY_STATUS(validate(options.training, where));
  PANTANAL_TRY_STATUS(validate(data, config, where + ": training set"));
  if (validation) PANTANAL_TRY_STATUS(validate(*validation, config, where + ": validation set"));
  if (validation && validation->steps != data.steps)
    return Error{ErrorCode::invalid_argument, where + ": validation set",
                 std::to_string(validation->steps) + " windows per file",
                 std::to_string(data.steps) + ", as the training set has"};
  ProtoSsmStep step(config, data,
                    {.loss = options.loss,
                     .dropout = options.training.dropout,
                     .weight_decay = options.training.weight_decay,
                     .clip_norm = options.training.clip_norm,
                     .seed = options.training.seed,
                     .threads = thread_count(options.training),
                     .isa = options.training.isa});
  PANTANAL_TRY_STATUS(step.model().parameters().load(state, where));
  std::vector<float> species, smoothed(data.labels.begin(), data.labels.end());
  smooth_labels(smoothed, options.loss.label_smoothing);
  const std::vector<float> pos_weight =
      positive_weights(smoothed, config.n_classes, options.loss.pos_weight_cap);
  TrainingTask task{.where = where, .parameters = &step.model().parameters(), .optimizer = &step.optimizer()};
  task.step = [&](std::uint32_t epoch, const StepSize& size) {
    return step.step(epoch, detail::draw_mix(options, data, epoch), size);
  };
  if (validation)
    task.validate = [&] { return detail::validate_proto_ssm(step, *validation, pos_weight, species); };
  task.tape_bytes = step.model().tape_bytes();
  task.fingerprint = detail::fingerprint(options, data);
  return TrainingLoop(std::move(task), options.training).run();
}

}  // namespace pantanal::train
