// ResidualSsm with its backward: heads::ResidualSsm as it is trained.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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
        layer_(table, parameters_, "", c.ssm(), dropout, purpose::dropout + 1),
        output_head_(table, parameters_, "output_head", c.d_model) {}
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
    encoder_.plan(tape_, most), layer_.plan(tape_, most);
    for (Slot* slot : {&before_, &after_, &dbefore_, &dafter_})
      *slot = tape_.take(most.rows(), config_.d_model);
    output_ = tape_.take(most.rows(), config_.n_classes);
  }

  std::size_t scratch_size(nn::Sequences pass) const { return layer_.scratch_size(pass); }

  /// Every member calls it, after the parameters have changed.
  void pack(const Team& team) {
    encoder_.pack(team), layer_.pack(team), output_head_.pack(team);
    team.wait();
  }

  /// Where forward() leaves the correction, [F·T, K], rows padded.
  const Slot& correction() const { return output_; }

  void forward(const Pass& pass, const Batch& batch) const {
    const std::size_t width = config_.d_input + config_.d_scores;
    encoder_.forward(pass, batch.inputs.data() + pass.first_row() * width, batch.site_ids, batch.hours,
                     pass.in(before_));
    layer_.forward(pass, pass.in(before_), pass.in(after_));
    output_head_.forward(pass, pass.in(after_), after_.stride, pass.in(output_));
  }

  /// dcorrection laid out as correction(), the pass's first row first.
  void backward(const Pass& pass, const Batch& batch, const float* dcorrection) const {
    output_head_.backward(pass, dcorrection, output_.stride, pass.in(dafter_), dafter_.stride);
    layer_.backward(pass, pass.in(before_), pass.in(dafter_), pass.in(dbefore_));
    encoder_.backward(pass, pass.in(dbefore_), !batch.site_ids.empty());
  }

  /// Every member calls it, after all passes; dcorrection the whole batch's.
  void weight_gradient(const Team& team, const Batch& batch, const float* dcorrection) {
    encoder_.weight_gradient(team, batch.sequences, batch.inputs.data(), dbefore_.data, batch.site_ids,
                             batch.hours);
    layer_.weight_gradient(team, batch.sequences, before_.data, dafter_.data);
    output_head_.weight_gradient(team, after_.data, after_.stride, dcorrection, output_.stride,
                                 batch.sequences.rows());
    team.wait();
  }

 private:
  heads::ResidualSsmConfig config_;
  ParameterSet parameters_;
  Tape tape_;
  nn::Sequences planned_;
  WindowEncoder encoder_;
  BidirectionalSsm layer_;
  Linear output_head_;
  Slot before_, after_, dbefore_, dafter_, output_;
};

}  // namespace pantanal::autograd
