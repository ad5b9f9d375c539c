// ProtoSsm: scores a file's windows by their place in a sequence, a session that is planned once and run on
// many files.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/heads/window_encoder.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/bidirectional_ssm.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/nn/state_dict_file.hpp"
#include "pantanal/nn/temporal_cross_attention.hpp"

namespace pantanal::heads {

/// Parameters of a ProtoSSM as saved from PyTorch. The buffer class_to_family, of use in training only, may
/// be there.
inline Result<nn::StateDict> load_proto_ssm(const std::filesystem::path& path, const ProtoSsmConfig& config) {
  PANTANAL_TRY_STATUS(validate(config));
  constexpr std::string_view buffers[] = {"class_to_family"};
  return nn::load_state_dict(path, required_tensors(config), buffers);
}

/// With F files of T windows each, T <= n_windows, and K classes; dropout is off.
///   h = gelu(norm(input_proj(emb))) + pos_enc[:T] (+ meta of the file);  h <- BidirectionalSsm(h),
///   n_ssm_layers times; h <- TemporalCrossAttention(h);  sim = cos(h, prototype)·softplus(proto_temp) +
///   class_bias, of a class' several prototypes the nearest; species = σ(fusion_alpha)·sim + (1 -
///   σ(fusion_alpha))·perch_logits, or sim without perch_logits; families = family_head(mean of h over the
///   windows).
/// Weights are packed and scratch is allocated by create(); run() allocates nothing. Results do not depend on
/// threads or rows_per_block, bit for bit. One run at a time per session.
class ProtoSsm {
 public:
  struct Inputs {
    std::span<const float> emb;                ///< [F, T, d_input]
    std::span<const float> perch_logits = {};  ///< [F, T, K] or empty
    FileMeta meta = {};
  };

  /// Each of its size or empty to go without.
  struct Outputs {
    std::span<float> species_logits = {};  ///< [F, T, K]
    std::span<float> family_logits = {};   ///< [F, n_families]
    std::span<float> h_temporal = {};      ///< [F, T, d_model]: what the prototypes are compared with
  };

  /// `state` must be exactly required_tensors(config); the error names what is not.
  static Result<ProtoSsm> create(const nn::StateDict& state, const ProtoSsmConfig& config,
                                 SessionOptions options = {}) {
    PANTANAL_TRY_STATUS(heads::validate(config));
    PANTANAL_TRY(options, detail::resolve(options, "ProtoSsm"));
    PANTANAL_TRY_STATUS(pantanal::validate(state, required_tensors(config), "ProtoSsm"));
    return ProtoSsm(state, config, options);
  }

  const ProtoSsmConfig& config() const { return config_; }
  const SessionOptions& options() const { return options_; }

  /// Errors: an array of another size, NaN or infinity in one, more windows than positions, a site or hour
  /// out of range (which one, and of which file), family_logits asked of a model without family head.
  Status run(const Inputs& inputs, std::size_t files, std::size_t steps, const Outputs& outputs) {
    constexpr int unshifted[] = {0};
    PANTANAL_TRY_STATUS(check(inputs, files, steps, outputs));
    run_files(inputs, files, steps, unshifted, outputs);
    PANTANAL_TRY_STATUS(detail::check_result("ProtoSsm.species_logits", outputs.species_logits));
    PANTANAL_TRY_STATUS(detail::check_result("ProtoSsm.family_logits", outputs.family_logits));
    return detail::check_result("ProtoSsm.h_temporal", outputs.h_temporal);
  }

  /// species_logits [F, T, K]: the mean over `shifts` of the files' windows (and perch_logits) rolled by
  /// each, run and rolled back, as with numpy.roll. What a window becomes before it has a position is
  /// computed once for all shifts.
  Status temporal_shift_tta(const Inputs& inputs, std::size_t files, std::size_t steps,
                            std::span<const int> shifts, std::span<float> species_logits) {
    const Outputs outputs{.species_logits = species_logits};
    PANTANAL_TRY_STATUS(check(inputs, files, steps, outputs));
    if (shifts.empty())
      return Error{ErrorCode::invalid_argument, "ProtoSsm.temporal_shift_tta", "no shifts", "at least one"};
    if (species_logits.size() != files * steps * config_.n_classes)
      return Error{ErrorCode::invalid_argument, "ProtoSsm.species_logits", "no floats",
                   "room for the logits"};
    run_files(inputs, files, steps, shifts, outputs);
    return detail::check_result("ProtoSsm.species_logits", species_logits);
  }

 private:
  ProtoSsm(const nn::StateDict& state, const ProtoSsmConfig& config, const SessionOptions& options)
      : config_(config),
        options_(options),
        table_(&kernels::table(options.isa)),
        encoder_(*table_, state, config.encoder()),
        prototypes_(*table_, scaled_prototypes(state, config), prototype_bias(state, config), config.d_model,
                    config.prototypes()) {
    layers_.reserve(config.n_ssm_layers);
    for (std::size_t i = 0; i < config.n_ssm_layers; ++i)
      layers_.emplace_back(*table_, state, "." + std::to_string(i), config.ssm());
    if (config.use_cross_attn)
      cross_attn_.emplace(*table_, state, "cross_attn", config.d_model, config.cross_attn_heads);
    if (config.n_families > 0)
      family_head_.emplace(*table_, state, "family_head", config.d_model, config.n_families);
    for (const float alpha : tensor_values(state, "fusion_alpha"))
      gate_.push_back(static_cast<float>(1 / (1 + std::exp(-double{alpha}))));
    for (std::size_t i = 0; i < options_.threads; ++i) workspaces_.emplace_back(workspace_size());
  }

  /// prototypes / max(‖prototypes‖, 1e-12)·softplus(proto_temp).
  static std::vector<float> scaled_prototypes(const nn::StateDict& state, const ProtoSsmConfig& c) {
    const std::span<const float> raw = tensor_values(state, "prototypes");
    const double temp = tensor_values(state, "proto_temp")[0];
    const double scale = std::max(temp, 0.0) + std::log1p(std::exp(-std::abs(temp)));
    std::vector<float> scaled(raw.size());
    for (std::size_t k = 0; k < c.prototypes(); ++k) {
      double squares = 0;
      for (std::size_t i = 0; i < c.d_model; ++i) squares += std::pow(double{raw[k * c.d_model + i]}, 2);
      const double factor = scale / std::max(std::sqrt(squares), 1e-12);
      for (std::size_t i = 0; i < c.d_model; ++i)
        scaled[k * c.d_model + i] = static_cast<float>(double{raw[k * c.d_model + i]} * factor);
    }
    return scaled;
  }

  /// Each prototype's class_bias.
  static std::vector<float> prototype_bias(const nn::StateDict& state, const ProtoSsmConfig& c) {
    std::vector<float> bias;
    for (const float b : tensor_values(state, "class_bias")) bias.insert(bias.end(), c.n_prototypes, b);
    return bias;
  }

  /// sim [prototypes] -> [classes], in place: each class' largest.
  void take_nearest(float* sim) const {
    const std::size_t n = config_.n_prototypes;
    if (n == 1) return;
    for (std::size_t k = 0; k < config_.n_classes; ++k)
      sim[k] = *std::max_element(sim + k * n, sim + (k + 1) * n);
  }

  std::size_t block_rows() const { return std::max(options_.rows_per_block, config_.n_windows); }

  /// Floats of one thread's workspace: blocks of up to block_rows() windows, as many files at the most.
  std::size_t workspace_size() const {
    const std::size_t rows = block_rows(), wide = nn::Scratch::size_of(rows * encoder_.stride());
    std::size_t inner = encoder_.meta_scratch_size(rows);
    if (!layers_.empty()) inner = std::max(inner, layers_[0].scratch_size(rows));
    if (cross_attn_) inner = std::max(inner, cross_attn_->scratch_size(rows, config_.n_windows));
    inner = std::max(inner, nn::Scratch::size_of(rows * prototypes_.output_stride()) + wide);
    if (family_head_)
      inner = std::max(inner, wide + nn::Scratch::size_of(rows * family_head_->output_stride()));
    return 3 * wide + inner;
  }

  Status check(const Inputs& in, std::size_t files, std::size_t steps, const Outputs& out) const {
    PANTANAL_TRY_STATUS(detail::check_steps("ProtoSsm", files, steps, config_.n_windows));
    const std::size_t rows = files * steps;
    PANTANAL_TRY_STATUS(detail::check_input("ProtoSsm.emb", in.emb, rows, config_.d_input));
    PANTANAL_TRY_STATUS(
        detail::check_input("ProtoSsm.perch_logits", in.perch_logits, rows, config_.n_classes, true));
    PANTANAL_TRY_STATUS(check_meta(in.meta, files, encoder_, "ProtoSsm"));
    PANTANAL_TRY_STATUS(
        detail::check_output("ProtoSsm.species_logits", out.species_logits.size(), rows, config_.n_classes));
    PANTANAL_TRY_STATUS(
        detail::check_output("ProtoSsm.family_logits", out.family_logits.size(), files, config_.n_families));
    return detail::check_output("ProtoSsm.h_temporal", out.h_temporal.size(), rows, config_.d_model);
  }

  /// Each thread takes its share of the files, block by block.
  void run_files(const Inputs& in, std::size_t files, std::size_t steps, std::span<const int> shifts,
                 const Outputs& out) {
    const std::size_t files_per_block = std::max<std::size_t>(1, options_.rows_per_block / steps);
    parallel_team(options_.threads, [&](const Team& team) {
      const Range mine = team.share(files);
      for (std::size_t first = mine.begin; first < mine.end; first += files_per_block)
        run_block(in, {first, std::min(first + files_per_block, mine.end)}, steps, shifts, out,
                  nn::Scratch(workspaces_[team.rank()].data()));
    });
  }

  void run_block(const Inputs& in, Range files, std::size_t steps, std::span<const int> shifts,
                 const Outputs& out, nn::Scratch scratch) const {
    const nn::Sequences sequences{files.size(), steps};
    const std::size_t rows = sequences.rows(), size = rows * encoder_.stride();
    float* projected = scratch.take(size);
    float* h = scratch.take(size);
    float* meta = scratch.take(files.size() * encoder_.stride());
    encoder_.project(in.emb.data() + files.begin * steps * config_.d_input, rows, projected);
    if (!in.meta.empty())
      encoder_.embed_meta(in.meta.site_ids.subspan(files.begin, files.size()),
                          in.meta.hours.subspan(files.begin, files.size()), meta, scratch);
    for (std::size_t i = 0; i < shifts.size(); ++i) {
      place(projected, in.meta.empty() ? nullptr : meta, sequences, shifts[i], h);
      for (const nn::BidirectionalSsm& layer : layers_) layer.run(h, sequences, scratch);
      if (cross_attn_) cross_attn_->run(h, sequences, scratch);
      if (!out.species_logits.empty())
        add_species(in, files, sequences, shifts, i, h, out.species_logits, scratch);
    }
    store_hidden(files, sequences, h, out, scratch);
  }

  /// The step that step t of a file rolled by `shift` came from.
  static std::size_t unrolled(std::size_t t, int shift, std::size_t steps) {
    const auto n = static_cast<std::ptrdiff_t>(steps);
    return static_cast<std::size_t>(((static_cast<std::ptrdiff_t>(t) - shift) % n + n) % n);
  }

  /// h = projected rolled by shift + position (+ meta).
  void place(const float* projected, const float* meta, nn::Sequences sequences, int shift, float* h) const {
    const std::size_t stride = encoder_.stride();
    for (std::size_t f = 0; f < sequences.count; ++f)
      for (std::size_t t = 0; t < sequences.steps; ++t) {
        const std::size_t from = f * sequences.steps + unrolled(t, shift, sequences.steps);
        float* row = h + (f * sequences.steps + t) * stride;
        encoder_.add_position(projected + from * stride, t, row);
        if (meta) encoder_.add_meta(row, meta + f * stride, row);
      }
  }

  /// Adds the species logits of shift number `index` to their windows', and divides after the last one.
  void add_species(const Inputs& in, Range files, nn::Sequences sequences, std::span<const int> shifts,
                   std::size_t index, const float* h, std::span<float> logits, nn::Scratch scratch) const {
    const std::size_t rows = sequences.rows(), stride = encoder_.stride(), classes = config_.n_classes;
    float* directions = scratch.take(rows * stride);
    float* similarities = scratch.take(rows * prototypes_.output_stride());
    table_->normalize_rows(h, rows, stride, config_.d_model, 1e-12f, directions, stride);
    prototypes_.run(directions, stride, rows, similarities);
    const bool first = index == 0, last = index + 1 == shifts.size();
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t f = files.begin + r / sequences.steps,
                        t = unrolled(r % sequences.steps, shifts[index], sequences.steps);
      const std::size_t at = (f * sequences.steps + t) * classes;
      float* row = similarities + r * prototypes_.output_stride();
      take_nearest(row);
      if (!in.perch_logits.empty())
        for (std::size_t k = 0; k < classes; ++k)
          row[k] = gate_[k] * row[k] + (1 - gate_[k]) * in.perch_logits[at + k];
      for (std::size_t k = 0; k < classes; ++k) {
        const float sum = first ? row[k] : logits[at + k] + row[k];
        logits[at + k] = last ? sum / static_cast<float>(shifts.size()) : sum;
      }
    }
  }

  void store_hidden(Range files, nn::Sequences sequences, const float* h, const Outputs& out,
                    nn::Scratch scratch) const {
    const std::size_t stride = encoder_.stride(), d = config_.d_model;
    if (!out.h_temporal.empty())
      for (std::size_t r = 0; r < sequences.rows(); ++r)
        std::copy_n(h + r * stride, d, out.h_temporal.data() + (files.begin * sequences.steps + r) * d);
    if (out.family_logits.empty()) return;
    float* means = scratch.take(sequences.count * stride);
    float* families = scratch.take(sequences.count * family_head_->output_stride());
    for (std::size_t f = 0; f < sequences.count; ++f)
      table_->mean_rows(h + f * sequences.steps * stride, sequences.steps, stride, d,
                        static_cast<float>(sequences.steps), means + f * stride);
    family_head_->run(means, stride, sequences.count, families);
    for (std::size_t f = 0; f < sequences.count; ++f)
      std::copy_n(families + f * family_head_->output_stride(), config_.n_families,
                  out.family_logits.data() + (files.begin + f) * config_.n_families);
  }

  ProtoSsmConfig config_;
  SessionOptions options_;
  const kernels::KernelTable* table_;
  WindowEncoder encoder_;
  nn::Linear prototypes_;  ///< unit length times the temperature; its bias is class_bias
  std::vector<nn::BidirectionalSsm> layers_;
  std::optional<nn::TemporalCrossAttention> cross_attn_;
  std::optional<nn::Linear> family_head_;
  std::vector<float> gate_;  ///< σ(fusion_alpha)
  std::vector<AlignedBuffer<float>> workspaces_;
};

}  // namespace pantanal::heads
