// ResidualSsm with its backward: heads::ResidualSsm as it is trained.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pantanal/autograd/bidirectional_ssm.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/autograd/window_encoder.hpp"
#include "pantanal/heads/residual_ssm.hpp"

namespace pantanal::autograd {

/// The model of heads::ResidualSsm, run as autograd::ProtoSsm is.
class ResidualSsm {
 public:
  /// A batch of files: inputs [F, T, d_input + d_scores], the embedding and the first pass's scores side by
  /// side; ids [F] or empty, all of them in range.
  struct Batch {
    std::span<const float> inputs;
    std::span<const std::int64_t> site_ids, hours;
    nn::Sequences sequences;
  };

  ResidualSsm(const kernels::KernelTable& table, const heads::ResidualSsmConfig& c, float dropout)
      : config_(c),
        parameters_(heads::required_tensors(c)),
        encoder_(table, parameters_, c.encoder(), dropout, purpose::dropout),
        output_head_(table, parameters_, "output_head", c.d_model) {
    auto stream = purpose::dropout + 1;
    layers_.reserve(c.n_ssm_layers);
    for (std::size_t i = 0; i < c.n_ssm_layers; ++i)
      layers_.emplace_back(table, parameters_, c.suffix(i), c.ssm(), dropout, stream++);
  }
  ResidualSsm(const ResidualSsm&) = delete;  // layers point into the parameters
  ResidualSsm& operator=(const ResidualSsm&) = delete;

  const heads::ResidualSsmConfig& config() const { return config_; }
  ParameterSet& parameters() { return parameters_; }
  std::size_t tape_bytes() const { return tape_.bytes(); }

  /// Takes memory for batches of up to `most`; does nothing if there is enough.
  void plan(nn::Sequences most) {
    if (most.count <= planned_.count && most.steps == planned_.steps) return;
    planned_ = most;
    tape_.clear();
    encoder_.plan(tape_, most);
    for (BidirectionalSsm& layer : layers_) layer.plan(tape_, most);
    hidden_.clear(), dhidden_.clear();
    for (std::size_t i = 0; i <= layers_.size(); ++i) {
      hidden_.push_back(tape_.take(most.rows(), config_.d_model));
      dhidden_.push_back(tape_.take(most.rows(), config_.d_model));
    }
    output_ = tape_.take(most.rows(), config_.n_classes);
  }

  std::size_t scratch_size(nn::Sequences pass) const { return layers_[0].scratch_size(pass); }

  /// Every member calls it, after the parameters have changed.
  void pack(const Team& team) {
    encoder_.pack(team), output_head_.pack(team);
    for (BidirectionalSsm& layer : layers_) layer.pack(team);
    team.wait();
  }

  /// Where forward() leaves the correction, [F·T, K], rows padded.
  const Slot& correction() const { return output_; }

  void forward(const Pass& pass, const Batch& batch) const {
    const std::size_t width = config_.d_input + config_.d_scores;
    encoder_.forward(pass, batch.inputs.data() + pass.first_row() * width, batch.site_ids, batch.hours,
                     pass.in(hidden_[0]));
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i].forward(pass, pass.in(hidden_[i]), pass.in(hidden_[i + 1]));
    output_head_.forward(pass, pass.in(hidden_.back()), hidden_.back().stride, pass.in(output_));
  }

  /// dcorrection laid out as correction(), the pass's first row first.
  void backward(const Pass& pass, const Batch& batch, const float* dcorrection) const {
    output_head_.backward(pass, dcorrection, output_.stride, pass.in(dhidden_.back()),
                          dhidden_.back().stride);
    for (std::size_t i = layers_.size(); i > 0; --i)
      layers_[i - 1].backward(pass, pass.in(hidden_[i - 1]), pass.in(dhidden_[i]), pass.in(dhidden_[i - 1]));
    encoder_.backward(pass, pass.in(dhidden_[0]), !batch.site_ids.empty());
  }

  /// Every member calls it, after all passes; dcorrection the whole batch's.
  void weight_gradient(const Team& team, const Batch& batch, const float* dcorrection) {
    encoder_.weight_gradient(team, batch.sequences, batch.inputs.data(), dhidden_[0].data, batch.site_ids,
                             batch.hours);
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i].weight_gradient(team, batch.sequences, hidden_[i].data, dhidden_[i + 1].data);
    output_head_.weight_gradient(team, hidden_.back().data, hidden_.back().stride, dcorrection,
                                 output_.stride, batch.sequences.rows());
    team.wait();
  }

 private:
  heads::ResidualSsmConfig config_;
  ParameterSet parameters_;
  Tape tape_;
  nn::Sequences planned_;
  WindowEncoder encoder_;
  std::vector<BidirectionalSsm> layers_;
  Linear output_head_;
  std::vector<Slot> hidden_, dhidden_;  ///< what enters each layer, and what leaves the last
  Slot output_;
};

}  // namespace pantanal::autograd
