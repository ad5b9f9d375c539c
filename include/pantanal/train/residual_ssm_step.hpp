// One training step of ResidualSSM, and its loss on files it does not learn from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pantanal/autograd/residual_ssm.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/train/adamw.hpp"
#include "pantanal/train/losses.hpp"
#include "pantanal/train/proto_ssm_step.hpp"
#include "pantanal/train/workspace.hpp"

namespace pantanal::train {

/// Files to train on or to validate with, F of T windows each.
struct ResidualSsmData {
  std::span<const float> emb;                               ///< [F, T, d_input]
  std::span<const float> first_pass_scores;                 ///< [F, T, d_scores], logits
  std::span<const float> residuals;                         ///< [F, T, K]: what the correction is fitted to
  std::span<const std::int64_t> site_ids = {}, hours = {};  ///< [F], both or neither
  std::size_t files = 0, steps = 0;
};

/// Whether `data` fits the model: sizes, ids (unless they are clamped), no NaN. `where` names it in the
/// error.
inline Status validate(const ResidualSsmData& data, const heads::ResidualSsmConfig& c,
                       const std::string& where) {
  if (data.files == 0) return Error{ErrorCode::invalid_argument, where, "no files", "at least one file"};
  PANTANAL_TRY_STATUS(heads::detail::check_steps(where, data.files, data.steps, c.n_windows));
  const std::size_t rows = data.files * data.steps;
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".emb", data.emb, rows, c.d_input));
  PANTANAL_TRY_STATUS(
      heads::detail::check_input(where + ".first_pass_scores", data.first_pass_scores, rows, c.d_scores));
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".residuals", data.residuals, rows, c.n_classes));
  return detail::check_ids(where, data.site_ids, data.hours, data.files, c.n_sites);
}

/// The model, its mean squared error and optimiser. Inputs are copied side by side; residuals must outlive
/// it.
class ResidualSsmStep {
 public:
  struct Options {
    float dropout = 0.1f;
    double weight_decay = 1e-3, clip_norm = 1.0;
    std::uint64_t seed = 0;
    std::size_t threads = 1;
    InstructionSet isa = best_instruction_set();
  };

  ResidualSsmStep(const heads::ResidualSsmConfig& config, const ResidualSsmData& data, const Options& options)
      : options_(options),
        table_(&kernels::table(options.isa)),
        inputs_(side_by_side(data, config)),
        residuals_(data.residuals),
        model_(*table_, config, options.dropout),
        optimizer_(model_.parameters(), {.weight_decay = options.weight_decay}, *table_),
        workspace_(*table_, options.threads),
        sums_(data.files),
        batch_{inputs_, data.site_ids, data.hours, {data.files, data.steps}} {
    plan(batch_.sequences);
    dcorrection_.resize(batch_.sequences.rows() * model_.correction().stride);
  }

  autograd::ResidualSsm& model() { return model_; }
  AdamW& optimizer() { return optimizer_; }

  /// The loss, and the gradients it leaves in model().parameters(); no step is taken.
  double gradients(std::uint32_t epoch) {
    parallel_team(options_.threads, [&](const Team& team) { backpropagate(team, epoch); });
    return mean(sums_, residuals_.size());
  }

  /// The same, and a step along them; the loss is that before the step.
  double step(std::uint32_t epoch, const StepSize& size) {
    optimizer_.begin_step();
    parallel_team(options_.threads, [&](const Team& team) {
      backpropagate(team, epoch);
      const double squares = optimizer_.squared_norm(team);
      optimizer_.step(team, size, clip_scale(squares, options_.clip_norm));
    });
    return mean(sums_, residuals_.size());
  }

  /// The mean squared error on other files, without dropout.
  double evaluate(const ResidualSsmData& data) {
    const std::vector<float> inputs = side_by_side(data, model_.config());
    const autograd::ResidualSsm::Batch batch{inputs, data.site_ids, data.hours, {data.files, data.steps}};
    std::vector<double> sums(data.files);
    plan(batch.sequences);
    parallel_team(options_.threads, [&](const Team& team) {
      model_.pack(team);
      workspace_.run_passes(team, batch.sequences, {.training = false}, [&](const autograd::Pass& pass) {
        model_.forward(pass, batch);
        for (std::size_t f = pass.files.begin; f < pass.files.end; ++f)
          sums[f] = file_loss(f, data.steps, data.residuals, {});
      });
    });
    return mean(sums, data.residuals.size());
  }

 private:
  static std::vector<float> side_by_side(const ResidualSsmData& data, const heads::ResidualSsmConfig& c) {
    const std::size_t rows = data.files * data.steps, width = c.d_input + c.d_scores;
    std::vector<float> inputs(rows * width);
    for (std::size_t r = 0; r < rows; ++r) {
      std::copy_n(data.emb.data() + r * c.d_input, c.d_input, inputs.data() + r * width);
      std::copy_n(data.first_pass_scores.data() + r * c.d_scores, c.d_scores,
                  inputs.data() + r * width + c.d_input);
    }
    return inputs;
  }

  static double mean(std::span<const double> sums, std::size_t count) {
    double sum = 0;
    for (const double file : sums) sum += file;
    return sum / static_cast<double>(count);
  }

  void plan(nn::Sequences batch) {
    model_.plan({std::max(batch.count, sums_.size()), batch.steps});
    workspace_.plan(model_.scratch_size(Workspace::most_per_pass(batch)));
  }

  /// File f's sum of squares; its gradient, unless `gradient` is empty, laid out as the correction.
  double file_loss(std::size_t f, std::size_t steps, std::span<const float> residuals,
                   std::span<float> gradient) {
    const std::size_t classes = model_.config().n_classes, stride = model_.correction().stride;
    double sum = 0;
    for (std::size_t r = f * steps; r < (f + 1) * steps; ++r)
      sum += sum_loss(classes, gradient.empty() ? gradient : gradient.subspan(r * stride, classes),
                      1 / static_cast<double>(residuals.size()), false, [&](std::size_t k) {
                        return squared_error(model_.correction().row(r)[k], residuals[r * classes + k]);
                      });
    return sum;
  }

  /// This member's share of a forward, the loss and all gradients.
  void backpropagate(const Team& team, std::uint32_t epoch) {
    model_.pack(team);
    workspace_.run_passes(
        team, batch_.sequences, {.training = true, .seed = options_.seed, .epoch = epoch},
        [&](const autograd::Pass& pass) {
          model_.forward(pass, batch_);
          for (std::size_t f = pass.files.begin; f < pass.files.end; ++f)
            sums_[f] = file_loss(f, pass.steps, residuals_, dcorrection_);
          model_.backward(pass, batch_, dcorrection_.data() + pass.first_row() * model_.correction().stride);
        });
    team.wait();
    model_.weight_gradient(team, batch_, dcorrection_.data());
  }

  Options options_;
  const kernels::KernelTable* table_;
  std::vector<float> inputs_;
  std::span<const float> residuals_;
  autograd::ResidualSsm model_;
  AdamW optimizer_;
  Workspace workspace_;
  std::vector<double> sums_;  ///< per file
  std::vector<float> dcorrection_;
  autograd::ResidualSsm::Batch batch_;
};

}  // namespace pantanal::train
