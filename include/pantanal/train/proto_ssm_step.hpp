// One training step of ProtoSSM, and its loss on files it does not learn from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pantanal/autograd/proto_ssm.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/train/adamw.hpp"
#include "pantanal/train/mixup.hpp"
#include "pantanal/train/proto_ssm_loss.hpp"
#include "pantanal/train/workspace.hpp"

namespace pantanal::train {

/// Files to train on or to validate with, F of T windows each.
struct ProtoSsmData {
  std::span<const float> emb;     ///< [F, T, d_input]
  std::span<const float> logits;  ///< [F, T, K]: Perch's, fused and distilled; may be empty
  std::span<const float> labels;  ///< [F, T, K], 0 to 1
  std::span<const std::int64_t> site_ids = {}, hours = {};  ///< [F], both or neither
  std::span<const float> families = {};                     ///< [F, n_families], 0 to 1, or empty
  std::size_t files = 0, steps = 0;
};

namespace detail {

inline Status check_range(const std::string& where, std::span<const std::int64_t> ids, std::size_t most) {
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= static_cast<std::int64_t>(most))
      return Error{ErrorCode::invalid_argument, where + "[" + std::to_string(i) + "]", std::to_string(ids[i]),
                   "0 to " + std::to_string(most - 1)};
  return {};
}

inline Status check_unit(const std::string& where, std::span<const float> values) {
  for (const float x : values)
    if (!(x >= 0 && x <= 1))
      return Error{ErrorCode::invalid_argument, where, std::to_string(x), "labels from 0 to 1"};
  return {};
}

inline Status check_ids(const std::string& where, std::span<const std::int64_t> site_ids,
                        std::span<const std::int64_t> hours, std::size_t files, std::size_t n_sites) {
  if (site_ids.empty() && hours.empty()) return {};
  if (site_ids.size() != files || hours.size() != files)
    return Error{ErrorCode::invalid_argument, where + ".site_ids, hours",
                 std::to_string(site_ids.size()) + " and " + std::to_string(hours.size()) + " ids",
                 std::to_string(files) + " of each, or none"};
  PANTANAL_TRY_STATUS(check_range(where + ".site_ids", site_ids, n_sites));
  return check_range(where + ".hours", hours, heads::WindowEncoder::hours);
}

}  // namespace detail

/// Whether `data` fits the model: sizes, ids, labels, no NaN. `where` names it in the error.
inline Status validate(const ProtoSsmData& data, const heads::ProtoSsmConfig& c, const std::string& where) {
  if (data.files == 0) return Error{ErrorCode::invalid_argument, where, "no files", "at least one file"};
  PANTANAL_TRY_STATUS(heads::detail::check_steps(where, data.files, data.steps, c.n_windows));
  const std::size_t rows = data.files * data.steps;
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".emb", data.emb, rows, c.d_input));
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".logits", data.logits, rows, c.n_classes, true));
  PANTANAL_TRY_STATUS(heads::detail::check_input(where + ".labels", data.labels, rows, c.n_classes));
  PANTANAL_TRY_STATUS(detail::check_unit(where + ".labels", data.labels));
  PANTANAL_TRY_STATUS(detail::check_ids(where, data.site_ids, data.hours, data.files, c.n_sites));
  if (data.families.empty()) return {};
  if (c.n_families == 0)
    return Error{ErrorCode::invalid_argument, where + ".families",
                 std::to_string(data.families.size()) + " floats", "none, for a model without family head"};
  PANTANAL_TRY_STATUS(
      heads::detail::check_input(where + ".families", data.families, data.files, c.n_families));
  return detail::check_unit(where + ".families", data.families);
}

/// The model, its loss and optimiser, on one set of files whose data must be valid and outlive it.
class ProtoSsmStep {
 public:
  struct Options {
    ProtoSsmLossOptions loss = {};
    float dropout = 0.12f;
    double weight_decay = 1e-3, clip_norm = 1.0;
    std::uint64_t seed = 0;
    std::size_t threads = 1;
    InstructionSet isa = best_instruction_set();
  };

  ProtoSsmStep(const heads::ProtoSsmConfig& config, const ProtoSsmData& data, const Options& options)
      : data_(data),
        options_(options),
        table_(&kernels::table(options.isa)),
        labels_(smoothed(data.labels, options.loss.label_smoothing)),
        loss_(options.loss, labels_, config.n_classes),
        model_(*table_, config, options.dropout, !data.families.empty()),
        optimizer_(model_.parameters(), {.weight_decay = options.weight_decay}, *table_),
        workspace_(*table_, options.threads),
        sums_(data.files) {
    plan({data.files, data.steps});
    dspecies_.resize(data.files * data.steps * model_.species().stride);
    dfamilies_.resize(data.families.empty() ? 0 : data.files * model_.families().stride);
  }

  autograd::ProtoSsm& model() { return model_; }
  AdamW& optimizer() { return optimizer_; }
  const ProtoSsmLoss& loss() const { return loss_; }

  /// The loss of all files mixed by `mix`, and the gradients it leaves in model().parameters(); no step is
  /// taken.
  double gradients(std::uint32_t epoch, const FileMix& mix = {}) {
    mix_data(mix);
    parallel_team(options_.threads, [&](const Team& team) { backpropagate(team, epoch); });
    return loss_.total(sums_, families());
  }

  /// The same, and a step along them; the loss is that before the step.
  double step(std::uint32_t epoch, const FileMix& mix, const StepSize& size) {
    mix_data(mix);
    optimizer_.begin_step();
    parallel_team(options_.threads, [&](const Team& team) {
      backpropagate(team, epoch);
      const double squares = optimizer_.squared_norm(team);
      optimizer_.step(team, size, clip_scale(squares, options_.clip_norm));
    });
    return loss_.total(sums_, families());
  }

  /// species logits [F, T, K] of other files with as many windows each, without dropout.
  void predict(const ProtoSsmData& data, std::span<float> species) {
    plan({data.files, data.steps});
    const autograd::ProtoSsm::Batch batch = batch_of(data);
    const std::size_t classes = model_.config().n_classes;
    parallel_team(options_.threads, [&](const Team& team) {
      model_.pack(team);
      workspace_.run_passes(team, batch.sequences, {.training = false}, [&](const autograd::Pass& pass) {
        model_.forward(pass, batch);
        for (std::size_t r = pass.first_row(); r < pass.first_row() + pass.rows(); ++r)
          std::copy_n(model_.species().row(r), classes, species.data() + r * classes);
      });
    });
  }

 private:
  static std::vector<float> smoothed(std::span<const float> labels, float amount) {
    std::vector<float> copy(labels.begin(), labels.end());
    if (amount > 0) smooth_labels(copy, amount);
    return copy;
  }

  std::size_t families() const { return data_.families.empty() ? 0 : model_.config().n_families; }

  void plan(nn::Sequences batch) {
    model_.plan({std::max(batch.count, data_.files), batch.steps});
    workspace_.plan(model_.scratch_size(Workspace::most_per_pass(batch)));
  }

  static autograd::ProtoSsm::Batch batch_of(const ProtoSsmData& data) {
    return {data.emb, data.logits, data.site_ids, data.hours, {data.files, data.steps}};
  }

  /// The batch as it is, or mixed into memory of its own.
  void mix_data(const FileMix& mix) {
    batch_ = batch_of(data_), targets_ = labels_, family_targets_ = data_.families;
    if (mix.empty()) return;
    const std::size_t steps = data_.steps, files = data_.files;
    const auto apply = [&](std::span<const float> x, std::size_t rows, float lambda, bool cut,
                           std::vector<float>& y) {
      y.resize(x.size());
      if (x.empty()) return std::span<const float>();
      const std::size_t columns = x.size() / (files * rows);
      parallel_team(options_.threads, [&](const Team& team) {
        const Range mine = team.share(files);
        apply_mix(mix, x, rows, columns, lambda, cut, mine.begin, mine.end, y);
      });
      return std::span<const float>(y);
    };
    batch_.emb = apply(data_.emb, steps, mix.lambda, true, mixed_emb_);
    batch_.logits = apply(data_.logits, steps, mix.lambda, true, mixed_logits_);
    targets_ = apply(labels_, steps, mix.label_lambda, false, mixed_labels_);
    family_targets_ = apply(data_.families, 1, mix.label_lambda, false, mixed_families_);
  }

  /// This member's share of a forward, the loss and all gradients.
  void backpropagate(const Team& team, std::uint32_t epoch) {
    model_.pack(team);
    workspace_.run_passes(
        team, batch_.sequences, {.training = true, .seed = options_.seed, .epoch = epoch},
        [&](const autograd::Pass& pass) {
          model_.forward(pass, batch_);
          for (std::size_t f = pass.files.begin; f < pass.files.end; ++f) sums_[f] = file_loss(f);
          model_.backward(
              pass, batch_, dspecies_.data() + pass.first_row() * model_.species().stride,
              dfamilies_.empty() ? nullptr : dfamilies_.data() + pass.files.begin * model_.families().stride);
        });
    team.wait();
    model_.weight_gradient(team, batch_, dfamilies_.data());
  }

  ProtoSsmLoss::Sums file_loss(std::size_t f) {
    const std::size_t classes = model_.config().n_classes, row = f * data_.steps,
                      stride = model_.species().stride;
    ProtoSsmLoss::Sums sums =
        loss_.species(data_.steps, model_.species().row(row), stride, targets_.data() + row * classes,
                      batch_.logits.empty() ? nullptr : batch_.logits.data() + row * classes,
                      dspecies_.data() + row * stride);
    if (families() > 0)
      sums.family =
          loss_.family({model_.families().row(f), families()}, family_targets_.data() + f * families(),
                       data_.files, {dfamilies_.data() + f * model_.families().stride, families()});
    return sums;
  }

  ProtoSsmData data_;
  Options options_;
  const kernels::KernelTable* table_;
  std::vector<float> labels_;  ///< smoothed
  ProtoSsmLoss loss_;
  autograd::ProtoSsm model_;
  AdamW optimizer_;
  Workspace workspace_;
  std::vector<ProtoSsmLoss::Sums> sums_;  ///< per file
  std::vector<float> dspecies_, dfamilies_;
  autograd::ProtoSsm::Batch batch_;
  std::span<const float> targets_, family_targets_;
  std::vector<float> mixed_emb_, mixed_logits_, mixed_labels_, mixed_families_;
};

}  // namespace pantanal::train
