// Training Perch from scratch, or the last blocks of a converted model.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/train/macro_auc.hpp"
#include "pantanal/train/perch_state.hpp"
#include "pantanal/train/perch_step.hpp"
#include "pantanal/train/spectrogram_augmentation.hpp"
#include "pantanal/train/training_loop.hpp"

namespace pantanal::train {

/// Minibatches: ⌈windows/batch⌉ steps per epoch, the schedule going over all steps.
struct PerchTraining {
  TrainingOptions training = {.n_epochs = 30,
                              .lr = 2e-3,
                              .weight_decay = 1e-4,
                              .dropout = 0,
                              .pct_start = 0.2,
                              .patience = 0,
                              .swa_start_frac = 1};
  std::size_t batch = 16;
  double pos_weight_cap = 1;                    ///< of positive_weights(); 1: classes weigh the same
  SpectrogramAugmentation augmentation = {};    ///< only where the whole model is trained
  std::optional<std::size_t> last_blocks = {};  ///< train only these, the head and the label head
};

struct TrainedPerch {
  perch::Model model;
  TrainedModel training;
};

/// The part of `architecture` that `options` train. Errors: as many blocks as there are, or more.
inline Result<autograd::PerchPart> trained_part(const perch::Architecture& architecture,
                                                const PerchTraining& options) {
  if (!options.last_blocks) return autograd::PerchPart{};
  const std::size_t blocks = architecture.blocks.size();
  if (*options.last_blocks >= blocks)
    return Error{ErrorCode::invalid_argument, "train_perch.last_blocks", std::to_string(*options.last_blocks),
                 "fewer than the model's " + std::to_string(blocks) + " blocks, or none to train it all"};
  return autograd::PerchPart{false, blocks - *options.last_blocks};
}

namespace detail {

/// An epoch's minibatches: windows in random order, varied. Window i of epoch e draws from the stream (seed,
/// purpose::spectrograms, e·windows + i), the order from (seed, purpose::batches, e).
class PerchEpoch {
 public:
  PerchEpoch(PerchStep& step, const PerchData& data, const PerchTraining& options)
      : step_(&step), data_(data), options_(&options), order_(data.windows) {
    const perch::Architecture& a = step.network().architecture();
    size_ = {a.frontend.frames(), a.frontend.mel_bands,
             double{a.frontend.scale} * std::log(double{a.frontend.floor})};
    augmented_ = step.network().part().stem;
    inputs_.resize(options.batch * step.network().input_floats());
    labels_.resize(options.batch * step.network().classes());
  }

  std::size_t steps() const { return (data_.windows + options_->batch - 1) / options_->batch; }

  /// All its steps; the mean loss over its windows.
  double run(std::uint32_t epoch, const StepSizes& sizes) {
    Random({.seed = options_->training.seed, .purpose = autograd::purpose::batches, .step = epoch})
        .permutation(order_);
    double sum = 0;
    for (std::size_t b = 0; b < steps(); ++b) {
      const std::size_t first = b * options_->batch, count = std::min(options_->batch, data_.windows - first);
      const PerchData batch{std::span(inputs_).first(count * step_->network().input_floats()),
                            std::span(labels_).first(count * step_->network().classes()), count};
      const double loss = step_->step(batch, sizes(epoch * steps() + b),
                                      [&](std::size_t i) { prepare(epoch, first + i, i); });
      sum += loss * static_cast<double>(count);
    }
    return sum / static_cast<double>(data_.windows);
  }

 private:
  std::span<const float> input(std::size_t window) const {
    const std::size_t size = step_->network().input_floats();
    return data_.inputs.subspan(window * size, size);
  }
  std::span<const float> labels(std::size_t window) const {
    const std::size_t classes = step_->network().classes();
    return data_.labels.subspan(window * classes, classes);
  }

  /// Window `place` of the epoch's order, to place i of the batch.
  void prepare(std::uint32_t epoch, std::size_t place, std::size_t i) {
    const std::size_t window = order_[place], size = step_->network().input_floats(),
                      classes = step_->network().classes();
    const std::span<float> to = std::span(inputs_).subspan(i * size, size),
                           y = std::span(labels_).subspan(i * classes, classes);
    std::ranges::copy(labels(window), y.begin());
    if (!augmented_) {
      std::ranges::copy(input(window), to.begin());
      return;
    }
    Random random({.seed = options_->training.seed,
                   .purpose = autograd::purpose::spectrograms,
                   .step = static_cast<std::uint32_t>(epoch * data_.windows + place)});
    const std::size_t other = random.below(data_.windows);
    if (!augment_spectrogram(input(window), input(other), size_, options_->augmentation, random, to)) return;
    for (std::size_t k = 0; k < classes; ++k) y[k] = std::max(y[k], labels(other)[k]);
  }

  PerchStep* step_;
  PerchData data_;
  const PerchTraining* options_;
  std::vector<std::size_t> order_;
  SpectrogramSize size_;
  bool augmented_ = false;
  std::vector<float> inputs_, labels_;  ///< of a batch
};

inline Status validate(const PerchTraining& o, const std::string& where) {
  PANTANAL_TRY_STATUS(train::validate(o.training, where));
  const auto wrong = [&](const char* name, auto value, const char* expected) {
    return Error{ErrorCode::invalid_argument, where + "." + name, std::to_string(value), expected};
  };
  if (o.training.dropout != 0) return wrong("dropout", o.training.dropout, "0: Perch has none");
  if (o.batch == 0 || o.batch > 4096) return wrong("batch", o.batch, "1 to 4096");
  if (!(o.pos_weight_cap >= 1)) return wrong("pos_weight_cap", o.pos_weight_cap, "a number from 1");
  const SpectrogramAugmentation& a = o.augmentation;
  if (!(a.mix_probability >= 0 && a.mix_probability <= 1))
    return wrong("augmentation.mix_probability", a.mix_probability, "0 to 1");
  if (!(a.level >= 0 && a.level < 10)) return wrong("augmentation.level", a.level, "0 to 10");
  return {};
}

inline nlohmann::json fingerprint(const PerchTraining& o, const PerchData& data) {
  const SpectrogramAugmentation& a = o.augmentation;
  return {{"batch", o.batch},
          {"pos_weight_cap", o.pos_weight_cap},
          {"last_blocks", o.last_blocks ? nlohmann::json(*o.last_blocks) : nlohmann::json()},
          {"mix_probability", a.mix_probability},
          {"level", a.level},
          {"shift_frames", a.shift_frames},
          {"mask_frames", a.mask_frames},
          {"mask_bands", a.mask_bands},
          {"windows", data.windows}};
}

}  // namespace detail

/// Trains `start`, a valid model with a label head, or its last blocks, with BCE over minibatches; the inputs
/// are those of trained_part(), which PerchInputs makes. With `validation` (else null) its loss decides which
/// epoch is kept, otherwise the training loss does. A model that is trained from scratch starts as
/// calibrated_perch() of initial_perch(). The same bytes for the same seed and any number of threads. Errors:
/// options, model or data that do not fit, NaN in the data, a loss that is not finite, the checkpoint's.
inline Result<TrainedPerch> train_perch(const perch::Model& start, const PerchData& data,
                                        const PerchData* validation, const PerchTraining& options) {
  const std::string where = "train_perch";
  PANTANAL_TRY_STATUS(perch::validate(start, where));
  if (start.architecture.label.classes == 0)
    return Error{ErrorCode::invalid_argument, where, "a model without a label head", "one that has classes"};
  PANTANAL_TRY_STATUS(detail::validate(options, where));
  PANTANAL_TRY(const autograd::PerchPart part, trained_part(start.architecture, options));
  PerchStep step(start.architecture, part,
                 {.weight_decay = options.training.weight_decay,
                  .clip_norm = options.training.clip_norm,
                  .batch = options.batch,
                  .threads = thread_count(options.training),
                  .isa = options.training.isa});
  autograd::PerchNetwork& network = step.network();
  const std::size_t classes = network.classes();
  PANTANAL_TRY_STATUS(validate(data, network.input_floats(), classes, where + ": training set"));
  if (validation)
    PANTANAL_TRY_STATUS(validate(*validation, network.input_floats(), classes, where + ": validation set"));
  PANTANAL_TRY_STATUS(network.parameters().load(perch_state(start, part), where));
  step.pos_weight() = positive_weights(data.labels, classes, static_cast<float>(options.pos_weight_cap));
  if (options.pos_weight_cap == 1) std::ranges::fill(step.pos_weight(), 1.0f);
  detail::PerchEpoch epoch(step, data, options);
  TrainingTask task{.where = where, .parameters = &network.parameters(), .optimizer = &step.optimizer()};
  task.steps = [&](std::uint32_t e, const StepSizes& sizes) { return epoch.run(e, sizes); };
  task.steps_per_epoch = epoch.steps();
  std::vector<float> logits(validation ? validation->labels.size() : 0);
  if (validation)
    task.validate = [&] {
      const double loss = step.predict(*validation, logits);
      return Validation{loss, macro_auc_skip_empty(validation->labels, logits, classes)};
    };
  task.tape_bytes = network.tape_bytes();
  task.fingerprint = detail::fingerprint(options, data);
  PANTANAL_TRY(TrainedModel trained, TrainingLoop(std::move(task), options.training).run());
  perch::Model model = perch_model(start, trained.state);
  return TrainedPerch{std::move(model), std::move(trained)};
}

}  // namespace pantanal::train
