// Averages of a model's weights over its training, and when to stop.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "pantanal/core/parallel.hpp"

namespace pantanal::train {

/// The mean of all states added, their sum kept in float32 and in order, as adding state_dicts does. Source:
/// Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
/// arXiv:1803.05407.
class WeightSum {
 public:
  std::size_t count() const { return count_; }
  std::span<const float> sum() const { return sum_; }

  void add(std::span<const float> values, std::size_t threads = 1) {
    if (count_++ == 0) return sum_.assign(values.begin(), values.end());
    parallel_team(threads, [&](const Team& team) {
      const Range mine = team.share(values.size(), 1024);
      for (std::size_t i = mine.begin; i < mine.end; ++i) sum_[i] += values[i];
    });
  }

  /// sum/count to `values`; there must be one.
  void mean(std::span<float> values) const {
    const auto count = static_cast<float>(count_);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = sum_[i] / count;
  }

  void restore(std::span<const float> sum, std::size_t count) {
    sum_.assign(sum.begin(), sum.end()), count_ = count;
  }

 private:
  std::vector<float> sum_;
  std::size_t count_ = 0;
};

/// average = (1 - weight)·average + weight·values, starting with the first values. With no weight it is that
/// of the n-th values 1/n: the running mean, PyTorch's AveragedModel. With weight 1 - decay it is the
/// exponential moving average.
class MovingAverage {
 public:
  explicit MovingAverage(double weight = 0) : weight_(weight) {}

  std::size_t count() const { return count_; }
  std::span<const float> average() const { return average_; }

  void add(std::span<const float> values) {
    if (count_++ == 0) return average_.assign(values.begin(), values.end());
    const auto weight = static_cast<float>(weight_ > 0 ? weight_ : 1 / static_cast<double>(count_));
    for (std::size_t i = 0; i < values.size(); ++i) average_[i] += (values[i] - average_[i]) * weight;
  }

  void restore(std::span<const float> average, std::size_t count) {
    average_.assign(average.begin(), average.end()), count_ = count;
  }

 private:
  double weight_;
  std::vector<float> average_;
  std::size_t count_ = 0;
};

/// Remembers the best loss and how many losses since were no better.
struct EarlyStopping {
  std::size_t patience = 0;  ///< stop after so many; 0: never
  double best = std::numeric_limits<double>::infinity();
  std::size_t wait = 0;

  /// Whether `loss` is the best so far.
  bool improves(double loss) {
    if (loss < best) {
      best = loss, wait = 0;
      return true;
    }
    ++wait;
    return false;
  }
  bool should_stop() const { return patience > 0 && wait >= patience; }
};

}  // namespace pantanal::train
