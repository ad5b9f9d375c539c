// Learning rates over a training's steps, as PyTorch's schedulers give them.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>

#include "pantanal/core/result.hpp"

namespace pantanal::train {

/// What an optimiser is told for one step. beta1 is 0.9 where the schedule leaves it alone.
struct StepSize {
  double lr = 0, beta1 = 0.9;
};

/// PyTorch's OneCycleLR with cosine annealing: the rate rises from max_lr/div_factor to max_lr over the first
/// pct_start·total_steps steps and falls to max_lr/(div_factor·final_div_factor); AdamW's beta1 moves the
/// other way, from max_momentum to base_momentum and back. Source: Smith and Topin 2018, arXiv:1708.07120.
class OneCycleLr {
 public:
  struct Options {
    double max_lr = 1e-3;
    std::size_t total_steps = 1;
    double pct_start = 0.1, div_factor = 25, final_div_factor = 1e4;
    double base_momentum = 0.85, max_momentum = 0.95;
  };

  /// Errors: no steps, a share outside [0, 1], and a rise that ends at the first step, by whose length
  /// PyTorch divides: 10 steps at pct_start 0.1.
  static Result<OneCycleLr> create(const Options& options) {
    if (options.total_steps == 0)
      return Error{ErrorCode::invalid_argument, "OneCycleLr.total_steps", "0", "at least 1"};
    if (!(options.pct_start >= 0 && options.pct_start <= 1))
      return Error{ErrorCode::invalid_argument, "OneCycleLr.pct_start", std::to_string(options.pct_start),
                   "0 to 1"};
    const OneCycleLr schedule(options);
    if (schedule.rise_end_ == 0 || schedule.rise_end_ == static_cast<double>(options.total_steps - 1))
      return Error{ErrorCode::invalid_argument, "OneCycleLr",
                   std::to_string(options.total_steps) + " steps with pct_start " +
                       std::to_string(options.pct_start) + ", a phase of no length",
                   "another number of steps or another share"};
    return schedule;
  }

  /// For the step that follows `step` others.
  StepSize at(std::size_t step) const {
    const Options& o = options_;
    const double s = static_cast<double>(step), initial = o.max_lr / o.div_factor;
    if (s <= rise_end_) {
      const double part = s / rise_end_;
      return {anneal(initial, o.max_lr, part), anneal(o.max_momentum, o.base_momentum, part)};
    }
    const double part = (s - rise_end_) / (static_cast<double>(o.total_steps - 1) - rise_end_);
    return {anneal(o.max_lr, initial / o.final_div_factor, part),
            anneal(o.base_momentum, o.max_momentum, part)};
  }

 private:
  explicit OneCycleLr(const Options& options)
      : options_(options), rise_end_(options.pct_start * static_cast<double>(options.total_steps) - 1) {}

  static double anneal(double from, double to, double part) {
    return to + (from - to) / 2 * (std::cos(std::numbers::pi * part) + 1);
  }

  Options options_;
  double rise_end_;  ///< negative where the rise is shorter than a step
};

/// PyTorch's CosineAnnealingWarmRestarts: from lr to eta_min along half a cosine within t_0 steps, then
/// again, each time t_mult times as long. Source: Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983.
class CosineAnnealingWarmRestarts {
 public:
  struct Options {
    double lr = 1e-3;
    std::size_t t_0 = 20, t_mult = 1;
    double eta_min = 1e-5;
  };

  /// Errors: t_0 or t_mult of 0.
  static Result<CosineAnnealingWarmRestarts> create(const Options& options) {
    if (options.t_0 == 0 || options.t_mult == 0)
      return Error{ErrorCode::invalid_argument, "CosineAnnealingWarmRestarts",
                   "t_0 " + std::to_string(options.t_0) + ", t_mult " + std::to_string(options.t_mult),
                   "both at least 1"};
    return CosineAnnealingWarmRestarts(options);
  }

  StepSize at(std::size_t step) const {
    std::size_t period = options_.t_0;
    if (options_.t_mult == 1) step %= period;
    for (; step >= period; period *= options_.t_mult) step -= period;
    const double part = static_cast<double>(step) / static_cast<double>(period);
    return {options_.eta_min +
            (options_.lr - options_.eta_min) * (1 + std::cos(std::numbers::pi * part)) / 2};
  }

 private:
  explicit CosineAnnealingWarmRestarts(const Options& options) : options_(options) {}
  Options options_;
};

}  // namespace pantanal::train
