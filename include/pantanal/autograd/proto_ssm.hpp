// ProtoSsm with its backward: heads::ProtoSsm as it is trained.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pantanal/autograd/bidirectional_ssm.hpp"
#include "pantanal/autograd/prototype_head.hpp"
#include "pantanal/autograd/temporal_cross_attention.hpp"
#include "pantanal/autograd/window_encoder.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"

namespace pantanal::autograd {

/// The model of heads::ProtoSsm. One step: pack() by a team; passes over all files of the batch, each
/// forward() then backward(), by anyone; weight_gradient() by a team. Without families to train on, the
/// family head has no gradient and no work.
class ProtoSsm {
 public:
  /// A batch of files: emb [F, T, d_input], logits [F, T, K] or empty, ids [F] or empty, all of them in
  /// range.
  struct Batch {
    std::span<const float> emb, logits;
    std::span<const std::int64_t> site_ids, hours;
    nn::Sequences sequences;
  };

  ProtoSsm(const kernels::KernelTable& table, const heads::ProtoSsmConfig& c, float dropout,
           bool with_families)
      : table_(&table),
        config_(c),
        parameters_(heads::required_tensors(c)),
        encoder_(table, parameters_, c.encoder(), dropout, purpose::dropout),
        head_(table, parameters_, c.d_model, c.n_classes, c.n_prototypes) {
    auto stream = purpose::dropout + 1;
    layers_.reserve(c.n_ssm_layers);
    for (std::size_t i = 0; i < c.n_ssm_layers; ++i)
      layers_.emplace_back(table, parameters_, "." + std::to_string(i), c.ssm(), dropout, stream++);
    if (c.use_cross_attn)
      attention_.emplace(table, parameters_, "cross_attn", c.d_model, c.cross_attn_heads, dropout, stream);
    if (with_families && c.n_families > 0) {
      family_head_.emplace(table, parameters_, "family_head", c.d_model);
    } else if (c.n_families > 0) {
      parameters_.set_kind("family_head.weight", GradientKind::none);
      parameters_.set_kind("family_head.bias", GradientKind::none);
    }
  }
  ProtoSsm(const ProtoSsm&) = delete;  // layers point into the parameters
  ProtoSsm& operator=(const ProtoSsm&) = delete;

  const heads::ProtoSsmConfig& config() const { return config_; }
  ParameterSet& parameters() { return parameters_; }
  bool has_families() const { return family_head_.has_value(); }
  std::size_t tape_bytes() const { return tape_.bytes(); }

  /// Takes memory for batches of up to `most`; does nothing if there is enough.
  void plan(nn::Sequences most) {
    if (most.count <= planned_.count && most.steps == planned_.steps) return;
    planned_ = most;
    tape_.clear();
    encoder_.plan(tape_, most), head_.plan(tape_, most);
    for (BidirectionalSsm& layer : layers_) layer.plan(tape_, most);
    if (attention_) attention_->plan(tape_, most);
    hidden_.clear(), dhidden_.clear();
    for (std::size_t i = 0; i <= layers_.size() + (attention_ ? 1 : 0); ++i) {
      hidden_.push_back(tape_.take(most.rows(), config_.d_model));
      dhidden_.push_back(tape_.take(most.rows(), config_.d_model));
    }
    if (family_head_) {
      for (Slot* slot : {&means_, &dmeans_}) *slot = tape_.take(most.count, config_.d_model);
      families_ = tape_.take(most.count, config_.n_families);
    }
  }

  /// Floats of scratch of a pass.
  std::size_t scratch_size(nn::Sequences pass) const {
    std::size_t size = 0;
    if (!layers_.empty()) size = layers_[0].scratch_size(pass);
    if (attention_) size = std::max(size, attention_->scratch_size(pass));
    return size;
  }

  /// Every member calls it, after the parameters have changed.
  void pack(const Team& team) {
    head_.prepare(team);
    encoder_.pack(team);
    for (BidirectionalSsm& layer : layers_) layer.pack(team);
    if (attention_) attention_->pack(team);
    if (family_head_) family_head_->pack(team);
    team.wait();
    head_.pack(team);
    team.wait();
  }

  /// Where forward() leaves its logits: species [F·T, K] and families [F, n_families], rows padded.
  const Slot& species() const { return head_.output(); }
  const Slot& families() const { return families_; }

  void forward(const Pass& pass, const Batch& batch) const {
    encoder_.forward(pass, batch.emb.data() + pass.first_row() * config_.d_input, batch.site_ids, batch.hours,
                     pass.in(hidden_[0]));
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i].forward(pass, pass.in(hidden_[i]), pass.in(hidden_[i + 1]));
    if (attention_)
      attention_->forward(pass, pass.in(hidden_[layers_.size()]), pass.in(hidden_[layers_.size() + 1]));
    head_.forward(pass, pass.in(hidden_.back()), logits_of(pass, batch));
    if (!family_head_) return;
    const std::size_t stride = hidden_.back().stride;
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      table_->mean_rows(pass.in(hidden_.back()) + i * pass.steps * stride, pass.steps, stride,
                        config_.d_model, static_cast<float>(pass.steps), means_.row(pass.files.begin + i));
    const Pass files = per_file(pass);
    family_head_->forward(files, files.in(means_), means_.stride, files.in(families_));
  }

  /// dspecies and dfamilies laid out as species() and families(), the pass's first row first; dfamilies null
  /// where there is no family head.
  void backward(const Pass& pass, const Batch& batch, const float* dspecies, const float* dfamilies) {
    float* dh = pass.in(dhidden_.back());
    head_.backward(pass, logits_of(pass, batch), dspecies, dh);
    if (family_head_) add_family_gradient(pass, dfamilies, dh);
    std::size_t at = dhidden_.size() - 1;
    if (attention_) {
      attention_->backward(pass, pass.in(hidden_[at - 1]), pass.in(dhidden_[at]), pass.in(dhidden_[at - 1]));
      --at;
    }
    for (; at > 0; --at)
      layers_[at - 1].backward(pass, pass.in(hidden_[at - 1]), pass.in(dhidden_[at]),
                               pass.in(dhidden_[at - 1]));
    encoder_.backward(pass, pass.in(dhidden_[0]), !batch.site_ids.empty());
  }

  /// Every member calls it, after all passes; dfamilies the whole batch's.
  void weight_gradient(const Team& team, const Batch& batch, const float* dfamilies) {
    const std::size_t rows = batch.sequences.rows();
    encoder_.weight_gradient(team, batch.sequences, batch.emb.data(), dhidden_[0].data, batch.site_ids,
                             batch.hours);
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i].weight_gradient(team, batch.sequences, hidden_[i].data, dhidden_[i + 1].data);
    if (attention_) attention_->weight_gradient(team, hidden_[layers_.size()].data, rows);
    if (family_head_)
      family_head_->weight_gradient(team, means_.data, means_.stride, dfamilies, families_.stride,
                                    batch.sequences.count);
    head_.weight_gradient(team, rows);
    team.wait();
    if (team.rank() == 0) head_.finish();
    team.wait();
  }

  /// The encoder's projection of `rows` windows, as the prototypes start from: h [rows, row_stride(d_model)].
  void project(const Pass& pass, const float* emb, float* h) const { encoder_.project(pass, emb, h); }

 private:
  static Pass per_file(Pass pass) {
    pass.steps = 1;
    return pass;
  }
  const float* logits_of(const Pass& pass, const Batch& batch) const {
    return batch.logits.empty() ? nullptr : batch.logits.data() + pass.first_row() * config_.n_classes;
  }

  void add_family_gradient(const Pass& pass, const float* dfamilies, float* dh) const {
    const Pass files = per_file(pass);
    const std::size_t stride = hidden_.back().stride;
    family_head_->backward(files, dfamilies, families_.stride, files.in(dmeans_), dmeans_.stride);
    for (std::size_t r = 0; r < pass.rows(); ++r) {
      const float* dmean = dmeans_.row(pass.files.begin + r / pass.steps);
      for (std::size_t c = 0; c < config_.d_model; ++c)
        dh[r * stride + c] += dmean[c] / static_cast<float>(pass.steps);
    }
  }

  const kernels::KernelTable* table_;
  heads::ProtoSsmConfig config_;
  ParameterSet parameters_;
  Tape tape_;
  nn::Sequences planned_;
  WindowEncoder encoder_;
  PrototypeHead head_;
  std::vector<BidirectionalSsm> layers_;
  std::optional<TemporalCrossAttention> attention_;
  std::optional<Linear> family_head_;
  std::vector<Slot> hidden_, dhidden_;  ///< what enters each layer, and what leaves the last
  Slot means_, dmeans_, families_;
};

}  // namespace pantanal::autograd
