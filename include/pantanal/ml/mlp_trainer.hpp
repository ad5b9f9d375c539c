// MlpTrainer: scikit-learn's stochastic training loop, epoch by epoch, with early stopping; it may go on
// where another ended.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/distinct_rows.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/mlp_backward.hpp"
#include "pantanal/ml/mlp_network.hpp"
#include "pantanal/ml/mlp_optimizer.hpp"
#include "pantanal/ml/mlp_options.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/splits.hpp"

namespace pantanal::ml {

/// What training leaves behind besides the parameters.
struct MlpHistory {
  std::vector<double> loss_curve, validation_scores;           ///< per epoch; scores only with early stopping
  double best_loss = std::numeric_limits<double>::infinity();  ///< without early stopping
  double best_validation_score = -std::numeric_limits<double>::infinity();
  std::size_t samples_seen = 0;
  std::size_t iterations = 0;     ///< epochs of the last training
  bool reached_max_iter = false;  ///< scikit-learn warns of it
};

/// What a later training of the same network goes on from.
template <Real T>
struct MlpProgress {
  MlpHistory history;
  std::size_t unimproved = 0;                ///< epochs, the last ones
  std::optional<MlpOptimizer<T>> optimizer;  ///< with its moments
};

/// Trains `network` on X, targets [samples, outputs] of 0 and 1 and optional sample weights. All references
/// must outlive it.
template <Real T>
class MlpTrainer {
 public:
  MlpTrainer(MlpNetwork<T>& network, const MlpOptions& options, MatrixView<T> x,
             const Matrix<std::uint8_t>& targets, std::span<const T> sample_weight, MlpProgress<T>& progress)
      : network_(network),
        options_(options),
        x_(x),
        targets_(targets),
        sample_weight_(sample_weight),
        progress_(progress),
        history_(progress.history) {}

  /// Trains until it no longer improves or max_iter epochs have passed, with a new optimizer; `once`: one
  /// epoch with the optimizer that there is, if any.
  Status fit(RandomState& random, bool once = false) {
    PANTANAL_TRY_STATUS(choose_samples(random));
    if (options_.repeat_by_weight) PANTANAL_TRY_STATUS(repeat_training_samples());
    const std::vector<std::uint32_t> first = first_equal_rows(x_, targets_);
    representative_ = first;
    slot_.assign(x_.rows, unused);
    const std::size_t batch = options_.batch_size ? std::min(options_.batch_size, train_.size())
                                                  : std::min<std::size_t>(200, train_.size());
    MlpBackward<T> backward(network_, std::max(batch, std::min(validation_block, validation_.size())));
    if (!once || !progress_.optimizer)
      progress_.optimizer.emplace(network_.table(), options_, network_.parameters().size());
    MlpOptimizer<T>& optimizer = *progress_.optimizer;
    history_.reached_max_iter = false;
    std::vector<std::size_t> order(train_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (history_.iterations = 0; history_.iterations < options_.max_iter;) {
      if (options_.shuffle) reorder(order, random);
      history_.loss_curve.push_back(train_epoch(backward, optimizer, order, batch));
      history_.samples_seen += train_.size();
      ++history_.iterations;
      judge(backward);
      optimizer.end_epoch(history_.samples_seen);
      if (progress_.unimproved > options_.n_iter_no_change) {
        if (optimizer.stop()) break;
        progress_.unimproved = 0;
      }
      if (once) break;
      history_.reached_max_iter = history_.iterations == options_.max_iter;
    }
    // Where a warm start finds nothing better than before, scikit-learn keeps its last parameters.
    std::copy(best_.begin(), best_.end(), network_.parameters().data());
    if (!all_finite(std::span<const T>(network_.parameters().span())))
      return Error{ErrorCode::invalid_argument, "MLPClassifier",
                   "parameters that are not finite after training",
                   "smaller or scaled X, or a smaller learning rate"};
    return {};
  }

 private:
  static constexpr std::uint32_t unused = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t validation_block = 240;

  /// Which samples train and which validate; one output is split by class.
  Status choose_samples(RandomState& random) {
    train_.resize(x_.rows);
    std::iota(train_.begin(), train_.end(), std::size_t{0});
    if (!options_.early_stopping) return {};
    const SplitSize size{.share = options_.validation_fraction};
    std::vector<std::int64_t> labels(targets_.values.begin(), targets_.values.end());
    PANTANAL_TRY(Split split, targets_.columns == 1 ? stratified_shuffle_split(labels, size, {}, random)
                                                    : shuffle_split(x_.rows, size, {}, random));
    if (split.test.size() < 2)
      return Error{ErrorCode::invalid_argument, "validation_fraction",
                   std::to_string(split.test.size()) + " validation samples",
                   "at least 2: a larger fraction or more samples"};
    train_ = std::move(split.train);
    validation_ = std::move(split.test);
    return {};
  }

  /// Each training sample as often as its weight says.
  Status repeat_training_samples() {
    constexpr double most = 1e8;
    std::vector<std::size_t> repeated;
    double total = 0;
    for (const std::size_t sample : train_) {
      const auto times = sample_weight_.empty() ? 1.0 : static_cast<double>(sample_weight_[sample]);
      total += times;
      if (!(times >= 0 && times == std::floor(times) && total <= most))
        return Error{ErrorCode::invalid_argument, "sample_weight", std::to_string(times),
                     "whole numbers of together at most 1e8, for repeat_by_weight"};
      repeated.insert(repeated.end(), static_cast<std::size_t>(times), sample);
    }
    if (repeated.empty())
      return Error{ErrorCode::invalid_argument, "sample_weight", "0 for every training sample",
                   "a sample to train on"};
    train_ = std::move(repeated);
    return {};
  }

  /// scikit-learn's shuffle(order): the last order under a fresh permutation.
  static void reorder(std::vector<std::size_t>& order, RandomState& random) {
    std::vector<std::size_t> shuffled = random.permutation(order.size());
    for (std::size_t& i : shuffled) i = order[i];
    order = std::move(shuffled);
  }

  double train_epoch(MlpBackward<T>& backward, MlpOptimizer<T>& optimizer,
                     const std::vector<std::size_t>& order, std::size_t batch_size) {
    double loss = 0;
    std::vector<std::size_t> samples;
    for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
      const std::size_t count = std::min(batch_size, order.size() - begin);
      samples.clear();
      for (std::size_t k = 0; k < count; ++k) samples.push_back(train_[order[begin + k]]);
      gather(backward.activations(), samples, !options_.repeat_by_weight);
      loss += backward.step(network_, optimizer, batch_, static_cast<T>(options_.alpha)) *
              static_cast<double>(count);
    }
    return loss / static_cast<double>(order.size());
  }

  /// Puts the distinct rows among `samples` into the first layer and counts them in batch_.
  void gather(MlpActivations<T>& activations, std::span<const std::size_t> samples, bool weighted) {
    batch_.targets.clear();
    batch_.weights.clear();
    batch_.total_weight = 0;
    used_.clear();
    for (const std::size_t sample : samples) {
      const std::uint32_t row = representative_[sample];
      const T weight = weighted && !sample_weight_.empty() ? sample_weight_[sample] : T{1};
      batch_.total_weight += weight;
      if (slot_[row] != unused) {
        batch_.weights[slot_[row]] += weight;
        continue;
      }
      slot_[row] = static_cast<std::uint32_t>(used_.size());
      used_.push_back(row);
      batch_.targets.push_back(targets_.row(row));
      batch_.weights.push_back(weight);
    }
    for (const std::uint32_t row : used_) slot_[row] = unused;
    constexpr std::size_t ahead = 4,
                          line = cache_line / sizeof(T);  // rows come in no order that a CPU foresees
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (i + ahead < used_.size())
        for (std::size_t c = 0; c < x_.columns; c += line) __builtin_prefetch(x_.row(used_[i + ahead]) + c);
      std::copy_n(x_.row(used_[i]), x_.columns, activations.layers[0].data() + i * activations.strides[0]);
    }
  }

  /// Keeps the best parameters and counts epochs without improvement.
  void judge(MlpBackward<T>& backward) {
    std::size_t& unimproved = progress_.unimproved;
    if (options_.early_stopping) {
      const double score = validation_score(backward.activations());
      history_.validation_scores.push_back(score);
      unimproved = score < history_.best_validation_score + options_.tol ? unimproved + 1 : 0;
      if (!(score > history_.best_validation_score)) return;
      history_.best_validation_score = score;
      best_.assign(network_.parameters().data(), network_.parameters().data() + network_.parameters().size());
    } else {
      const double loss = history_.loss_curve.back();
      unimproved = loss > history_.best_loss - options_.tol ? unimproved + 1 : 0;
      history_.best_loss = std::min(history_.best_loss, loss);
    }
  }

  /// Share of the validation samples whose every output is right, or their negative mean log-loss.
  double validation_score(MlpActivations<T>& activations) {
    double sum = 0, total = 0;
    for (std::size_t begin = 0; begin < validation_.size(); begin += validation_block) {
      gather(activations,
             std::span(validation_).subspan(begin, std::min(validation_block, validation_.size() - begin)),
             true);
      network_.forward(activations, batch_.weights.size());
      for (std::size_t r = 0; r < batch_.weights.size(); ++r) {
        const T* p = activations.layers.back().data() + r * activations.strides.back();
        const double weight = static_cast<double>(batch_.weights[r]);
        total += weight;
        if (options_.validation_score == MlpValidation::log_loss)
          sum += weight * log_likelihood(p, batch_.targets[r]);
        else
          sum += predicted_right(p, batch_.targets[r]) ? weight : 0.0;
      }
    }
    return sum / total;
  }

  /// Of one sample: the sum over its outputs, or of its class' for a softmax.
  double log_likelihood(const T* p, const std::uint8_t* target) const {
    constexpr T eps = std::numeric_limits<T>::epsilon();
    double sum = 0;
    for (std::size_t j = 0; j < targets_.columns; ++j) {
      const T clipped = std::clamp(p[j], eps, T{1} - eps);
      if (target[j] != 0)
        sum += std::log(static_cast<double>(clipped));
      else if (network_.output() == MlpOutput::logistic)
        sum += std::log(static_cast<double>(T{1} - clipped));
    }
    return sum;
  }

  bool predicted_right(const T* p, const std::uint8_t* target) const {
    const std::size_t outputs = targets_.columns;
    if (network_.output() == MlpOutput::softmax) return target[std::max_element(p, p + outputs) - p] != 0;
    for (std::size_t j = 0; j < outputs; ++j)
      if ((p[j] > T{0.5}) != (target[j] != 0)) return false;
    return true;
  }

  MlpNetwork<T>& network_;
  const MlpOptions& options_;
  MatrixView<T> x_;
  const Matrix<std::uint8_t>& targets_;
  std::span<const T> sample_weight_;
  MlpProgress<T>& progress_;
  MlpHistory& history_;

  std::vector<std::size_t> train_, validation_;
  std::vector<std::uint32_t> representative_, slot_, used_;
  MlpBatch<T> batch_;
  std::vector<T> best_;  ///< parameters of the best validation score
};

}  // namespace pantanal::ml
