// The loop over epochs: schedule, averages, early stopping, history, progress, checkpoints.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/train/adamw.hpp"
#include "pantanal/train/averaging.hpp"
#include "pantanal/train/checkpoint.hpp"
#include "pantanal/train/schedules.hpp"
#include "pantanal/train/training.hpp"

namespace pantanal::train {

/// What an epoch's model does on the validation set.
struct Validation {
  double loss = 0, auc = 0;
};

/// What the optimiser is told at step i of the whole training.
using StepSizes = std::function<StepSize(std::size_t)>;

/// What the loop trains, by `step` or, where an epoch has several, by `steps`.
struct TrainingTask {
  std::string where;  ///< starts the place of errors
  autograd::ParameterSet* parameters = nullptr;
  AdamW* optimizer = nullptr;
  std::function<double(std::uint32_t epoch, const StepSize&)> step = {};  ///< one step; its loss
  /// An epoch's steps_per_epoch steps, from step epoch·steps_per_epoch on; the mean of their losses.
  std::function<double(std::uint32_t epoch, const StepSizes&)> steps = {};
  std::size_t steps_per_epoch = 1;
  std::function<Validation()> validate = {};  ///< none: the training loss stands in for the validation's
  std::size_t tape_bytes = 0;
  nlohmann::json fingerprint = {};  ///< what else must agree with a checkpoint
};

/// Runs the epochs of a task whose parameters are set. The final state is the exponential average if there is
/// one; else, with 3 or more, the mean of the epochs from swa_start_frac on; else the state after the step
/// whose loss was best. Errors: those of the schedule and of the checkpoint, and a loss that is not finite.
class TrainingLoop {
 public:
  TrainingLoop(TrainingTask task, const TrainingOptions& options)
      : task_(std::move(task)), options_(options), ema_(1 - options.ema_decay) {
    stop_.patience = options.patience;
  }

  Result<TrainedModel> run() {
    PANTANAL_TRY_STATUS(make_schedule());
    PANTANAL_TRY_STATUS(resume());
    // ⌊n·fraction⌋ as the reference computes it, in double.
    const double swa_start = std::floor(static_cast<double>(options_.n_epochs) * options_.swa_start_frac);
    while (epoch_ < options_.n_epochs && !ended()) {
      const auto start = std::chrono::steady_clock::now();
      PANTANAL_TRY_STATUS(train_epoch(static_cast<double>(epoch_) >= swa_start));
      ++epoch_;
      report(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      result_.interrupted = options_.should_stop && options_.should_stop();
      const bool last = epoch_ == options_.n_epochs || ended();
      if (last || epoch_ % std::max<std::size_t>(options_.checkpoint_period, 1) == 0)
        PANTANAL_TRY_STATUS(save());
    }
    return finish();
  }

 private:
  bool ended() const { return result_.interrupted || stop_.should_stop(); }

  Status make_schedule() {
    if (options_.schedule == Schedule::cosine_restarts) {
      PANTANAL_TRY(const auto restarts,
                   CosineAnnealingWarmRestarts::create(
                       {.lr = options_.lr, .t_0 = options_.restart_period * task_.steps_per_epoch}));
      schedule_ = [restarts](std::size_t step) { return restarts.at(step); };
      return {};
    }
    PANTANAL_TRY(const auto cycle,
                 OneCycleLr::create({.max_lr = options_.lr,
                                     .total_steps = options_.n_epochs * task_.steps_per_epoch,
                                     .pct_start = options_.pct_start}));
    schedule_ = [cycle](std::size_t step) { return cycle.at(step); };
    return {};
  }

  Status train_epoch(bool average) {
    const StepSize size = schedule_(epoch_ * task_.steps_per_epoch);
    const auto epoch = static_cast<std::uint32_t>(epoch_);
    const double loss = task_.steps ? task_.steps(epoch, schedule_) : task_.step(epoch, size);
    const auto values = std::as_const(*task_.parameters).values();
    if (!std::isfinite(loss) || !all_finite(values))
      return Error{ErrorCode::invalid_argument, task_.where + ", epoch " + std::to_string(epoch_ + 1),
                   "a loss or weights that are not finite", "a smaller learning rate or smaller inputs"};
    const std::size_t threads = thread_count(options_);
    if (average) swa_.add(values, threads);
    if (options_.ema_decay > 0) ema_.add(values);
    const Validation validation = task_.validate ? task_.validate() : Validation{loss, 0};
    if (stop_.improves(validation.loss)) keep(values, threads);
    History& h = result_.history;
    h.train_loss.push_back(loss), h.val_loss.push_back(validation.loss);
    h.val_auc.push_back(validation.auc), h.lr.push_back(size.lr);
    return {};
  }

  /// best_ = values.
  void keep(std::span<const float> values, std::size_t threads) {
    best_.resize(values.size());
    parallel_team(threads, [&](const Team& team) {
      const Range mine = team.share(values.size(), 1024);
      std::copy_n(values.data() + mine.begin, mine.size(), best_.data() + mine.begin);
    });
  }

  void report(double seconds) {
    seconds_ += seconds, ++timed_;
    if (!options_.progress) return;
    const History& h = result_.history;
    const double left = static_cast<double>(options_.n_epochs - epoch_);
    options_.progress({.epoch = epoch_,
                       .n_epochs = options_.n_epochs,
                       .train_loss = h.train_loss.back(),
                       .val_loss = h.val_loss.back(),
                       .val_auc = h.val_auc.back(),
                       .lr = schedule_(epoch_ * task_.steps_per_epoch).lr,
                       .wait = stop_.wait,
                       .swa_count = swa_.count(),
                       .seconds = seconds,
                       .eta_seconds = left * seconds_ / static_cast<double>(timed_)});
  }

  TrainedModel finish() {
    const auto values = task_.parameters->values();
    if (ema_.count() > 0)
      std::copy(ema_.average().begin(), ema_.average().end(), values.begin());
    else if (swa_.count() >= 3)
      swa_.mean(values);
    else
      std::copy(best_.begin(), best_.end(), values.begin());
    result_.state = task_.parameters->state_dict();
    result_.best_val_loss = stop_.best;
    result_.swa_count = swa_.count();
    result_.stopped_early = !result_.interrupted && stop_.should_stop() && epoch_ < options_.n_epochs;
    result_.memory_bytes = task_.tape_bytes + sizeof(float) * (4 * values.size() + swa_.sum().size() +
                                                               ema_.average().size() + best_.size());
    return std::move(result_);
  }

  /// What a training that goes on must have been started with.
  nlohmann::json fingerprint() const {
    return {{"n_epochs", options_.n_epochs},
            {"lr", options_.lr},
            {"weight_decay", options_.weight_decay},
            {"clip_norm", options_.clip_norm},
            {"dropout", options_.dropout},
            {"schedule", options_.schedule == Schedule::one_cycle ? "one_cycle" : "cosine_restarts"},
            {"pct_start", options_.pct_start},
            {"restart_period", options_.restart_period},
            {"patience", options_.patience},
            {"swa_start_frac", options_.swa_start_frac},
            {"ema_decay", options_.ema_decay},
            {"seed", options_.seed},
            {"parameters", task_.parameters->values().size()},
            {"task", task_.fingerprint}};
  }

  Status save() {
    if (options_.checkpoint.empty()) return {};
    const auto copy = [](std::span<const float> x) { return std::vector<float>(x.begin(), x.end()); };
    Checkpoint c;
    c.arrays = {{"values", copy(task_.parameters->values())},
                {"first", copy(task_.optimizer->first_moments())},
                {"second", copy(task_.optimizer->second_moments())},
                {"best", best_},
                {"swa", copy(swa_.sum())},
                {"ema", copy(ema_.average())}};
    const History& h = result_.history;
    c.numbers = {{"options", fingerprint()},
                 {"epoch", epoch_},
                 {"steps", task_.optimizer->steps()},
                 {"best_loss", stop_.best},
                 {"wait", stop_.wait},
                 {"swa_count", swa_.count()},
                 {"ema_count", ema_.count()},
                 {"train_loss", h.train_loss},
                 {"val_loss", h.val_loss},
                 {"val_auc", h.val_auc},
                 {"lr", h.lr}};
    return save_checkpoint(options_.checkpoint, c);
  }

  Status resume() {
    if (!options_.resume || options_.checkpoint.empty() || !std::filesystem::exists(options_.checkpoint))
      return {};
    PANTANAL_TRY(Checkpoint c, load_checkpoint(options_.checkpoint, fingerprint()));
    const std::size_t size = task_.parameters->values().size();
    const auto restore = [&](const char* name, std::span<float> to) {
      const std::vector<float>& from = c.arrays[name];
      if (from.size() == to.size()) std::copy(from.begin(), from.end(), to.begin());
      return from.size() == to.size();
    };
    const nlohmann::json& n = c.numbers;
    best_.resize(size);
    if (!restore("values", task_.parameters->values()) ||
        !restore("first", task_.optimizer->first_moments()) ||
        !restore("second", task_.optimizer->second_moments()) || !restore("best", best_) ||
        !n.contains("epoch") || !n["epoch"].is_number_unsigned())
      return Error{ErrorCode::corrupt, options_.checkpoint.string(), "arrays of other sizes",
                   std::to_string(size) + " floats each"};
    epoch_ = n["epoch"], stop_.best = n["best_loss"], stop_.wait = n["wait"];
    task_.optimizer->set_steps(n["steps"]);
    swa_.restore(c.arrays["swa"], n["swa_count"]), ema_.restore(c.arrays["ema"], n["ema_count"]);
    History& h = result_.history;
    h.train_loss = n["train_loss"].get<std::vector<double>>(),
    h.val_loss = n["val_loss"].get<std::vector<double>>();
    h.val_auc = n["val_auc"].get<std::vector<double>>(), h.lr = n["lr"].get<std::vector<double>>();
    return {};
  }

  TrainingTask task_;
  TrainingOptions options_;
  StepSizes schedule_;
  std::size_t epoch_ = 0, timed_ = 0;
  double seconds_ = 0;
  EarlyStopping stop_;
  WeightSum swa_;
  MovingAverage ema_;
  std::vector<float> best_;
  TrainedModel result_;
};

}  // namespace pantanal::train
