// What the trainers of both heads share: how to train, what a training reports, and what it leaves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "pantanal/core/cpu.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::train {

enum class Schedule { one_cycle, cosine_restarts };

/// An epoch that has just ended.
struct EpochReport {
  std::size_t epoch = 0, n_epochs = 0;  ///< epoch counts from 1
  double train_loss = 0, val_loss = 0, val_auc = 0;
  double lr = 0;  ///< of the next epoch, as PyTorch reports it after scheduler.step()
  std::size_t wait = 0, swa_count = 0;
  double seconds = 0, eta_seconds = 0;  ///< of this epoch; to the last one at this pace
};

/// Full batch: one optimiser step per epoch.
struct TrainingOptions {
  std::size_t n_epochs = 80;
  double lr = 8e-4, weight_decay = 1e-3, clip_norm = 1.0;
  float dropout = 0.12f;
  Schedule schedule = Schedule::one_cycle;
  double pct_start = 0.1;           ///< one_cycle
  std::size_t restart_period = 20;  ///< cosine_restarts
  std::size_t patience = 20;        ///< epochs without a better loss before it stops; 0: never
  double swa_start_frac = 0.65;     ///< weights are averaged from epoch ⌊n_epochs·this⌋ on; 1: never
  double ema_decay = 0;             ///< 0: none; else the exponential average is the final model
  std::uint64_t seed = 0;
  std::size_t threads = 0;  ///< 0: as many as the hardware has; no effect on the result
  InstructionSet isa = best_instruction_set();
  std::function<void(const EpochReport&)> progress = {};  ///< called after each epoch
  std::function<bool()> should_stop =
      {};  ///< asked after each epoch; true ends the training as if it were the last
  std::filesystem::path checkpoint = {};  ///< written every checkpoint_period epochs and when it is stopped
  std::size_t checkpoint_period = 10;
  bool resume = false;  ///< go on from the checkpoint, if it exists
};

/// One entry per epoch.
struct History {
  std::vector<double> train_loss, val_loss, val_auc, lr;
};

struct TrainedModel {
  nn::StateDict state;
  History history;
  double best_val_loss = 0;
  std::size_t swa_count = 0;     ///< epochs averaged; with 3 or more, `state` is their mean
  bool stopped_early = false;    ///< out of patience
  bool interrupted = false;      ///< by should_stop
  std::size_t memory_bytes = 0;  ///< of parameters, gradients, moments, averages and activations
};

/// The threads that options ask for.
inline std::size_t thread_count(const TrainingOptions& options) {
  return options.threads == 0 ? std::min<std::size_t>(hardware_threads(), 1024) : options.threads;
}

/// Whether the options make sense; `where` starts the error's place.
inline Status validate(const TrainingOptions& o, const std::string& where) {
  const auto wrong = [&](const char* name, auto value, const char* expected) {
    return Error{ErrorCode::invalid_argument, where + "." + name, std::to_string(value), expected};
  };
  if (o.n_epochs == 0) return wrong("n_epochs", o.n_epochs, "at least 1");
  if (!(o.lr > 0)) return wrong("lr", o.lr, "a positive number");
  if (!(o.weight_decay >= 0)) return wrong("weight_decay", o.weight_decay, "a number from 0");
  if (!(o.clip_norm > 0)) return wrong("clip_norm", o.clip_norm, "a positive number");
  if (!(o.dropout >= 0 && o.dropout < 1)) return wrong("dropout", o.dropout, "from 0 to below 1");
  if (!(o.swa_start_frac >= 0)) return wrong("swa_start_frac", o.swa_start_frac, "a number from 0");
  if (!(o.ema_decay >= 0 && o.ema_decay < 1)) return wrong("ema_decay", o.ema_decay, "from 0 to below 1");
  if (o.threads > 1024) return wrong("threads", o.threads, "at most 1024");
  if (!is_supported(o.isa))
    return Error{ErrorCode::unsupported, where, std::string("instruction set ") + to_string(o.isa),
                 "one that this CPU has"};
  return {};
}

}  // namespace pantanal::train
