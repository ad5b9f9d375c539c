// Training a ResidualSSM on what a first pass got wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/train/residual_ssm_step.hpp"
#include "pantanal/train/train_proto_ssm.hpp"
#include "pantanal/train/training_loop.hpp"

namespace pantanal::train {

/// The defaults are the published run's.
struct ResidualSsmTraining {
  TrainingOptions training = {.n_epochs = 40, .dropout = 0.1f, .patience = 12, .swa_start_frac = 1.0};
  double validation_fraction = 0.15;  ///< of the files, at least one
  std::uint32_t split_seed = 123;
};

/// 0 … n-1 in the order of torch.randperm(n, generator=torch.Generator().manual_seed(seed)): from the front,
/// each place takes one of those left, by a word of MT19937 modulo their number.
inline std::vector<std::size_t> torch_randperm(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  for (std::size_t i = 0; i + 1 < n; ++i) std::swap(order[i], order[i + random() % (n - i)]);
  return order;
}

/// label - σ(first pass), element by element.
inline std::vector<float> first_pass_residuals(std::span<const float> labels, std::span<const float> logits) {
  std::vector<float> residuals(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    residuals[i] = static_cast<float>(double{labels[i]} - Logistic(logits[i]).p);
  return residuals;
}

namespace detail {

/// Some of a set's files, copied.
struct ResidualSsmSubset {
  ResidualSsmSubset(const ResidualSsmData& from, std::span<const std::size_t> files, bool clamped,
                    std::size_t n_sites) {
    const auto take = [&](auto values, auto& to) {
      const std::size_t size = values.size() / from.files;
      for (const std::size_t f : files) {
        const auto part = values.subspan(f * size, size);
        to.insert(to.end(), part.begin(), part.end());
      }
    };
    take(from.emb, emb), take(from.first_pass_scores, scores), take(from.residuals, residuals);
    take(from.site_ids, site_ids), take(from.hours, hours);
    if (clamped) {
      for (auto& id : site_ids) id = std::clamp<std::int64_t>(id, 0, static_cast<std::int64_t>(n_sites) - 1);
      for (auto& hour : hours) hour = std::clamp<std::int64_t>(hour, 0, heads::WindowEncoder::hours - 1);
    }
    count = files.size(), steps = from.steps;
  }
  ResidualSsmData data() const { return {emb, scores, residuals, site_ids, hours, count, steps}; }

  std::vector<float> emb, scores, residuals;
  std::vector<std::int64_t> site_ids, hours;
  std::size_t count = 0, steps = 0;
};

}  // namespace detail

/// Trains the model that starts as `state` on the files of `data` but those it validates on: the first
/// max(1, ⌊files·validation_fraction⌋) of torch_randperm. The best validation loss decides. Errors: as
/// train_proto_ssm's; fewer files than one for each part.
inline Result<TrainedModel> train_residual_ssm(const nn::StateDict& state,
                                               const heads::ResidualSsmConfig& config,
                                               const ResidualSsmData& data,
                                               const ResidualSsmTraining& options) {
  const std::string where = "train_residual_ssm";
  PANTANAL_TRY_STATUS(heads::validate(config));
  if (config.form != nn::SsmForm::notebook)
    return Error{ErrorCode::unsupported, where, "the mamba form", "the notebook's form"};
  PANTANAL_TRY_STATUS(validate(options.training, where));
  const auto held = std::max<std::size_t>(
      1, static_cast<std::size_t>(static_cast<double>(data.files) * options.validation_fraction));
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1) || data.files <= held)
    return Error{ErrorCode::invalid_argument, where,
                 std::to_string(data.files) + " files, " + std::to_string(held) + " to validate on",
                 "at least one more to train on"};
  ResidualSsmData checked = data;
  if (config.clamp_ids) checked.site_ids = checked.hours = {};
  PANTANAL_TRY_STATUS(validate(checked, config, where + ": data"));
  const std::vector<std::size_t> order = torch_randperm(data.files, options.split_seed);
  const detail::ResidualSsmSubset validation(data, std::span(order).first(held), config.clamp_ids,
                                             config.n_sites),
      training(data, std::span(order).subspan(held), config.clamp_ids, config.n_sites);
  ResidualSsmStep step(config, training.data(),
                       {.dropout = options.training.dropout,
                        .weight_decay = options.training.weight_decay,
                        .clip_norm = options.training.clip_norm,
                        .seed = options.training.seed,
                        .threads = thread_count(options.training),
                        .isa = options.training.isa});
  PANTANAL_TRY_STATUS(step.model().parameters().load(state, where));
  TrainingTask task{.where = where, .parameters = &step.model().parameters(), .optimizer = &step.optimizer()};
  task.step = [&](std::uint32_t epoch, const StepSize& size) { return step.step(epoch, size); };
  task.validate = [&] { return Validation{step.evaluate(validation.data()), 0}; };
  task.tape_bytes = step.model().tape_bytes();
  task.fingerprint = {{"validation_fraction", options.validation_fraction},
                      {"split_seed", options.split_seed},
                      {"files", data.files},
                      {"steps", data.steps}};
  return TrainingLoop(std::move(task), options.training).run();
}

}  // namespace pantanal::train
