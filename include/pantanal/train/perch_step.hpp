// One training step of Perch, or of its last blocks, and its scores for windows it does not learn from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/autograd/perch_network.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/train/adamw.hpp"
#include "pantanal/train/losses.hpp"

namespace pantanal::train {

/// Windows to train on or to validate with. What an input is depends on the part that is trained:
/// PerchInputs makes them.
struct PerchData {
  std::span<const float> inputs;  ///< [N, frames, mel_bands], or [N, H, W, C] behind frozen blocks
  std::span<const float> labels;  ///< [N, K], 0 to 1
  std::size_t windows = 0;
};

/// Whether `data` has windows, all of these sizes and finite, and labels from 0 to 1. `where` names it in the
/// error.
inline Status validate(const PerchData& data, std::size_t input_floats, std::size_t classes,
                       const std::string& where) {
  if (data.windows == 0)
    return Error{ErrorCode::invalid_argument, where, "no windows", "at least one window"};
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".inputs", data.inputs, data.windows, input_floats));
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".labels", data.labels, data.windows, classes));
  for (std::size_t i = 0; i < data.labels.size(); ++i)
    if (!(data.labels[i] >= 0 && data.labels[i] <= 1))
      return Error{
          ErrorCode::invalid_argument,
          where + ".labels, window " + std::to_string(i / classes) + ", class " + std::to_string(i % classes),
          std::to_string(data.labels[i]), "0 to 1"};
  return {};
}

/// The network, its loss (the mean over windows and classes of BCE with logits) and its optimiser. The same
/// bytes for any number of threads.
class PerchStep {
 public:
  struct Options {
    double weight_decay = 1e-4, clip_norm = 1.0;
    std::size_t batch = 16;  ///< the most windows of a step
    std::size_t threads = 1;
    InstructionSet isa = best_instruction_set();
  };

  /// As autograd::PerchNetwork.
  PerchStep(const perch::Architecture& architecture, const autograd::PerchPart& part, const Options& options)
      : options_(options),
        table_(&kernels::table(options.isa)),
        network_(*table_, architecture, part),
        optimizer_(network_.parameters(), {.weight_decay = options.weight_decay}, *table_),
        sums_(options.batch),
        logits_(options.batch * network_.classes()),
        dlogits_(logits_.size()),
        pos_weight_(network_.classes(), 1.0f) {
    network_.plan(std::max(options.batch, options.threads));
    for (std::size_t t = 0; t < options.threads; ++t) scratch_.emplace_back(network_.scratch_size());
  }

  autograd::PerchNetwork& network() { return network_; }
  AdamW& optimizer() { return optimizer_; }
  /// One per class; 1 unless set.
  std::vector<float>& pos_weight() { return pos_weight_; }

  /// The loss, and the gradients it leaves in network().parameters(). Of at most `batch` windows; `prepare`
  /// is called for each by whoever computes it, before it is read.
  template <class Prepare>
  double gradients(const PerchData& batch, Prepare&& prepare) {
    parallel_team(options_.threads, [&](const Team& team) { backpropagate(team, batch, prepare); });
    return mean_loss(batch);
  }
  double gradients(const PerchData& batch) {
    return gradients(batch, [](std::size_t) {});
  }

  /// The same, and a step along them; the loss is that before the step.
  template <class Prepare>
  double step(const PerchData& batch, const StepSize& size, Prepare&& prepare) {
    optimizer_.begin_step();
    parallel_team(options_.threads, [&](const Team& team) {
      backpropagate(team, batch, prepare);
      const double squares = optimizer_.squared_norm(team);
      optimizer_.step(team, size, clip_scale(squares, options_.clip_norm));
    });
    return mean_loss(batch);
  }

  /// Logits [N, K] of any number of windows. Returns the loss.
  double predict(const PerchData& data, std::span<float> logits) {
    std::vector<double> sums(data.windows);
    const std::size_t classes = network_.classes();
    parallel_team(options_.threads, [&](const Team& team) {
      network_.pack(team);
      const Range mine = team.share(data.windows);
      for (std::size_t i = mine.begin; i < mine.end; ++i) {
        // On the tape, each member has a window of its own.
        network_.forward(pass(team, team.rank()), data.inputs.data() + i * network_.input_floats(),
                         logits.data() + i * classes);
        sums[i] = window_loss(logits.data() + i * classes, data.labels.data() + i * classes, {}, 0);
      }
    });
    double sum = 0;
    for (const double window : sums) sum += window;
    return sum / static_cast<double>(data.windows * classes);
  }

 private:
  autograd::Pass pass(const Team& team, std::size_t window) {
    return {.table = table_,
            .files = {window, window + 1},
            .steps = 1,
            .scratch = nn::Scratch(scratch_[team.rank()].data())};
  }

  double window_loss(const float* logits, const float* labels, std::span<float> gradient,
                     double scale) const {
    return sum_loss(network_.classes(), gradient, scale, false,
                    [&](std::size_t k) { return bce_with_logits(logits[k], labels[k], pos_weight_[k]); });
  }

  double mean_loss(const PerchData& batch) const {
    double sum = 0;
    for (std::size_t i = 0; i < batch.windows; ++i) sum += sums_[i];
    return sum / static_cast<double>(batch.windows * network_.classes());
  }

  /// This member's share of a forward, the loss and all gradients, a window at a time.
  template <class Prepare>
  void backpropagate(const Team& team, const PerchData& batch, Prepare& prepare) {
    network_.pack(team);
    const std::size_t classes = network_.classes();
    const double scale = 1 / static_cast<double>(batch.windows * classes);
    const Range mine = team.share(batch.windows);
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      prepare(i);
      float* logits = logits_.data() + i * classes;
      const std::span<float> dlogits(dlogits_.data() + i * classes, classes);
      network_.forward(pass(team, i), batch.inputs.data() + i * network_.input_floats(), logits);
      sums_[i] = window_loss(logits, batch.labels.data() + i * classes, dlogits, scale);
      network_.backward(pass(team, i), dlogits.data());
    }
    team.wait();
    network_.weight_gradient(team, dlogits_.data(), batch.windows);
  }

  Options options_;
  const kernels::KernelTable* table_;
  autograd::PerchNetwork network_;
  AdamW optimizer_;
  std::vector<double> sums_;  ///< per window of the batch
  std::vector<float> logits_, dlogits_, pos_weight_;
  std::vector<AlignedBuffer<float>> scratch_;  ///< per thread
};

}  // namespace pantanal::train
