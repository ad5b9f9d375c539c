// AdamW, PyTorch's, and the global norm that its gradients are clipped by.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/train/schedules.hpp"

namespace pantanal::train {

/// Adam with decoupled weight decay: value -= lr·weight_decay·value + lr·m̂/(√v̂ + eps), the bias correction of
/// m being that of the current beta1 (which OneCycleLr cycles), as in PyTorch. Parameters whose gradient is
/// zero by construction are decayed, those without gradient are left alone. Sources: Kingma and Ba 2015,
/// arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101.
class AdamW {
 public:
  struct Options {
    double beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2;
  };

  /// `parameters` must outlive the optimiser, and what its gradients are must be settled.
  AdamW(autograd::ParameterSet& parameters, const Options& options, const kernels::KernelTable& table)
      : parameters_(&parameters),
        options_(options),
        table_(&table),
        first_(parameters.values().size()),
        second_(parameters.values().size()) {
    // Fixed pieces, so that sums of squares do not depend on who computes them.
    for (const autograd::ParameterRange& range : parameters.ranges())
      for (std::size_t at = 0; at < range.size && range.kind != autograd::GradientKind::none;
           at += piece_size)
        pieces_.push_back({range.begin + at, std::min(piece_size, range.size - at), range.kind});
    squares_.resize(pieces_.size());
  }

  std::size_t steps() const { return steps_; }
  /// First and second moments, laid out as the parameters; for checkpoints.
  std::span<float> first_moments() { return first_.span(); }
  std::span<float> second_moments() { return second_.span(); }
  void set_steps(std::size_t steps) { steps_ = steps; }

  /// Every member calls it: the square of the norm of all gradients. The same bits for any team.
  double squared_norm(const Team& team) {
    const Range mine = team.share(pieces_.size());
    for (std::size_t i = mine.begin; i < mine.end; ++i)
      squares_[i] =
          pieces_[i].kind == autograd::GradientKind::computed
              ? table_->sum_squares(parameters_->gradients().data() + pieces_[i].begin, pieces_[i].size)
              : 0.0;
    team.wait();
    double sum = 0;
    for (const double square : squares_) sum += square;
    return sum;
  }

  /// Every member calls it after the one of rank 0 has called begin_step(): the members' shares of a step.
  void step(const Team& team, const StepSize& size, double gradient_scale = 1) {
    const double n = static_cast<double>(steps_);
    const Range mine = team.share(pieces_.size());
    kernels::AdamWArgs args;
    args.gradient_scale = static_cast<float>(gradient_scale);
    args.beta1 = static_cast<float>(size.beta1), args.beta2 = static_cast<float>(options_.beta2);
    args.eps = static_cast<float>(options_.eps);
    args.decay = static_cast<float>(1 - size.lr * options_.weight_decay);
    args.step_size = static_cast<float>(size.lr / (1 - std::pow(size.beta1, n)));
    args.root = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, n)));
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      const autograd::ParameterRange& piece = pieces_[i];
      args.value = parameters_->values().data() + piece.begin, args.size = piece.size;
      if (piece.kind == autograd::GradientKind::zero) {
        for (std::size_t j = 0; j < piece.size; ++j) args.value[j] *= args.decay;
        continue;
      }
      args.first = first_.data() + piece.begin, args.second = second_.data() + piece.begin;
      args.gradient = parameters_->gradients().data() + piece.begin;
      table_->adamw(args);
    }
  }

  void begin_step() { ++steps_; }

 private:
  static constexpr std::size_t piece_size = 16384;

  autograd::ParameterSet* parameters_;
  Options options_;
  const kernels::KernelTable* table_;
  std::size_t steps_ = 0;
  AlignedBuffer<float> first_, second_;
  std::vector<autograd::ParameterRange> pieces_;
  std::vector<double> squares_;
};

/// What gradients are multiplied by so that their norm is at most max_norm: PyTorch's clip_grad_norm_.
inline double clip_scale(double squared_norm, double max_norm) {
  return std::min(1.0, max_norm / (std::sqrt(squared_norm) + 1e-6));
}

}  // namespace pantanal::train
