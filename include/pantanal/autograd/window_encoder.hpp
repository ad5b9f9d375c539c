// WindowEncoder with its backward: what both heads begin with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/autograd/embedding.hpp"
#include "pantanal/autograd/layer_norm.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/heads/window_encoder.hpp"
#include "pantanal/nn/activations.hpp"

namespace pantanal::autograd {

/// h = dropout(gelu(norm(linear(x)))) + pos_enc[t] (+ meta_proj([site_emb(site), hour_emb(hour)]) per file),
/// heads::WindowEncoder with the dropout of training.
class WindowEncoder {
 public:
  using Config = heads::WindowEncoder::Config;

  WindowEncoder(const kernels::KernelTable& table, ParameterSet& parameters, const Config& c, float dropout,
                std::uint32_t purpose)
      : table_(&table),
        config_(c),
        stride_(nn::row_stride(c.d_model)),
        linear_(table, parameters, "input_proj.0", c.d_input),
        norm_(table, parameters, "input_proj.1"),
        dropout_(dropout, purpose),
        pos_enc_(parameters["pos_enc"]),
        site_emb_(parameters, "site_emb", c.meta_dim),
        hour_emb_(parameters, "hour_emb", c.meta_dim),
        meta_proj_(table, parameters, "meta_proj", 2 * c.meta_dim) {}

  void plan(Tape& tape, nn::Sequences most) {
    norm_.plan(tape, most), dropout_.plan(tape, most.rows(), config_.d_model);
    for (Slot* slot : {&projected_, &normed_, &dprojected_, &dnormed_})
      *slot = tape.take(most.rows(), config_.d_model);
    for (Slot* slot : {&pairs_, &dpairs_}) *slot = tape.take(most.count, 2 * config_.meta_dim);
    for (Slot* slot : {&meta_, &dmeta_}) *slot = tape.take(most.count, config_.d_model);
  }

  void pack(const Team& team) { linear_.pack(team), meta_proj_.pack(team); }

  /// x [rows, d_input] -> h [rows, row_stride(d)], without position and meta.
  void project(const Pass& pass, const float* x, float* h) const {
    linear_.forward(pass, x, config_.d_input, pass.in(projected_));
    norm_.forward(pass, pass.in(projected_), pass.in(normed_));
    std::copy_n(pass.in(normed_), pass.rows() * stride_, h);
    nn::gelu(*table_, h, pass.rows(), stride_, config_.d_model);
    dropout_.forward(pass, pass.first_row(), pass.rows(), h, stride_);
  }

  /// The same with both; site_ids and hours, in range, are the batch's, [files], or empty.
  void forward(const Pass& pass, const float* x, std::span<const std::int64_t> site_ids,
               std::span<const std::int64_t> hours, float* h) const {
    project(pass, x, h);
    if (!site_ids.empty()) embed_meta(pass, site_ids, hours);
    for (std::size_t r = 0; r < pass.rows(); ++r) {
      float* row = h + r * stride_;
      const float* position = pos_enc_.value.data() + r % pass.steps * config_.d_model;
      for (std::size_t c = 0; c < config_.d_model; ++c) row[c] += position[c];
      if (site_ids.empty()) continue;
      const float* meta = meta_.row(pass.files.begin + r / pass.steps);
      for (std::size_t c = 0; c < config_.d_model; ++c) row[c] += meta[c];
    }
  }

  /// dh [rows, row_stride(d)] -> what weight_gradient() needs; the input gets no gradient.
  void backward(const Pass& pass, const float* dh, bool with_meta) const {
    float* dnormed = pass.in(dnormed_);
    std::copy_n(dh, pass.rows() * stride_, dnormed);
    dropout_.backward(pass, pass.first_row(), pass.rows(), dnormed, stride_);
    table_->map_backward(kernels::Function::gelu, pass.in(normed_), dnormed, pass.rows(), stride_,
                         config_.d_model);
    norm_.backward(pass, pass.in(projected_), dnormed, pass.in(dprojected_));
    if (!with_meta) return;
    for (std::size_t i = 0; i < pass.files.size(); ++i)
      table_->mean_rows(dh + i * pass.steps * stride_, pass.steps, stride_, config_.d_model, 1.0f,
                        dmeta_.row(pass.files.begin + i));
    Pass files = pass;
    files.steps = 1;
    meta_proj_.backward(files, files.in(dmeta_), dmeta_.stride, files.in(dpairs_), dpairs_.stride);
  }

  /// This member's share, over all files of a batch; x, dh and ids the whole batch's.
  void weight_gradient(const Team& team, nn::Sequences sequences, const float* x, const float* dh,
                       std::span<const std::int64_t> site_ids, std::span<const std::int64_t> hours) const {
    linear_.weight_gradient(team, x, config_.d_input, dprojected_.data, dprojected_.stride, sequences.rows());
    norm_.weight_gradient(team, projected_.data, dnormed_.data, sequences.rows());
    const Range windows = team.share(config_.n_windows);
    for (std::size_t t = windows.begin; t < windows.end; ++t) {
      const auto position = pos_enc_.gradient.subspan(t * config_.d_model, config_.d_model);
      std::fill(position.begin(), position.end(), 0.0f);
      if (t < sequences.steps)
        table_->mean_rows(dh + t * stride_, sequences.count, sequences.steps * stride_, config_.d_model, 1.0f,
                          position.data());
    }
    if (site_ids.empty()) return;
    meta_proj_.weight_gradient(team, pairs_.data, pairs_.stride, dmeta_.data, dmeta_.stride, sequences.count);
    if (team.rank() != 0) return;
    site_emb_.weight_gradient(site_ids, dpairs_.data, dpairs_.stride);
    hour_emb_.weight_gradient(hours, dpairs_.data + config_.meta_dim, dpairs_.stride);
  }

 private:
  void embed_meta(const Pass& pass, std::span<const std::int64_t> site_ids,
                  std::span<const std::int64_t> hours) const {
    for (std::size_t f = pass.files.begin; f < pass.files.end; ++f) {
      site_emb_.forward(site_ids[f], pairs_.row(f));
      hour_emb_.forward(hours[f], pairs_.row(f) + config_.meta_dim);
    }
    Pass files = pass;
    files.steps = 1;
    meta_proj_.forward(files, files.in(pairs_), pairs_.stride, files.in(meta_));
  }

  const kernels::KernelTable* table_;
  Config config_;
  std::size_t stride_;
  Linear linear_;
  LayerNorm norm_;
  Dropout dropout_;
  Parameter pos_enc_;
  Embedding site_emb_, hour_emb_;
  Linear meta_proj_;
  Slot projected_, normed_, dprojected_, dnormed_;
  Slot pairs_, dpairs_, meta_, dmeta_;  ///< per file
};

}  // namespace pantanal::autograd
