// ResidualSsm: what a file's first-pass scores lack, a session that is planned once and run on many files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/heads/window_encoder.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/bidirectional_ssm.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/nn/state_dict_file.hpp"

namespace pantanal::heads {

/// The arguments of the reference's constructor, under its names. The defaults are those of its published
/// run.
struct ResidualSsmConfig {
  std::size_t d_input = 1536, d_scores = 234, d_model = 128, d_state = 16, d_conv = 4;
  std::size_t n_classes = 234, n_windows = 12, n_sites = 20, meta_dim = 8;
  nn::SsmForm form = nn::SsmForm::notebook;
  bool clamp_ids =
      false;  ///< move sites and hours out of range to the nearest in range, as the reference does

  WindowEncoder::Config encoder() const {
    return {d_input + d_scores, d_model, n_windows, n_sites, meta_dim};
  }
  nn::SelectiveSsmConfig ssm() const { return {d_model, d_state, d_conv, form}; }
};

/// Whether `c` describes a model; the error names the field.
inline Status validate(const ResidualSsmConfig& c) {
  return detail::check_extents("ResidualSsmConfig", {{"d_input", c.d_input},
                                                     {"d_scores", c.d_scores},
                                                     {"d_model", c.d_model},
                                                     {"d_state", c.d_state},
                                                     {"d_conv", c.d_conv},
                                                     {"n_classes", c.n_classes},
                                                     {"n_windows", c.n_windows},
                                                     {"n_sites", c.n_sites},
                                                     {"meta_dim", c.meta_dim}});
}

/// Every parameter of a valid `c`, in PyTorch's names.
inline std::vector<TensorSpec> required_tensors(const ResidualSsmConfig& c) {
  TensorList list;
  WindowEncoder::require(list, c.encoder());
  nn::BidirectionalSsm::require(list, "", c.ssm());
  nn::Linear::require(list, "output_head", c.d_model, c.n_classes);
  return std::move(list).take();
}

/// Number of parameters: 439,498 with the defaults.
inline std::size_t parameter_count(const ResidualSsmConfig& c) {
  return detail::count_parameters(required_tensors(c));
}

/// Parameters of a ResidualSSM as saved from PyTorch.
inline Result<nn::StateDict> load_residual_ssm(const std::filesystem::path& path,
                                               const ResidualSsmConfig& config) {
  PANTANAL_TRY_STATUS(validate(config));
  return nn::load_state_dict(path, required_tensors(config));
}

/// With F files of T windows each, T <= n_windows, and K classes; dropout is off.
///   h = gelu(norm(input_proj([emb, first_pass_scores]))) (+ meta of the file) + pos_enc[:T];
///   correction = output_head(BidirectionalSsm(h)).
/// Planned, threaded and reproducible as ProtoSsm is.
class ResidualSsm {
 public:
  struct Inputs {
    std::span<const float> emb;                ///< [F, T, d_input]
    std::span<const float> first_pass_scores;  ///< [F, T, d_scores]
    FileMeta meta = {};
  };

  /// `state` must be exactly required_tensors(config); the error names what is not.
  static Result<ResidualSsm> create(const nn::StateDict& state, const ResidualSsmConfig& config,
                                    SessionOptions options = {}) {
    PANTANAL_TRY_STATUS(heads::validate(config));
    PANTANAL_TRY(options, detail::resolve(options, "ResidualSsm"));
    PANTANAL_TRY_STATUS(pantanal::validate(state, required_tensors(config), "ResidualSsm"));
    return ResidualSsm(state, config, options);
  }

  const ResidualSsmConfig& config() const { return config_; }
  const SessionOptions& options() const { return options_; }

  /// correction [F, T, K]. Errors: an array of another size, NaN or infinity in one, more windows than
  /// positions, a site or hour out of range (which one, and of which file) unless clamp_ids.
  Status run(const Inputs& inputs, std::size_t files, std::size_t steps, std::span<float> correction) {
    PANTANAL_TRY_STATUS(check(inputs, files, steps, correction));
    const std::size_t files_per_block = std::max<std::size_t>(1, options_.rows_per_block / steps);
    parallel_team(options_.threads, [&](const Team& team) {
      const Range mine = team.share(files);
      for (std::size_t first = mine.begin; first < mine.end; first += files_per_block)
        run_block(inputs, {first, std::min(first + files_per_block, mine.end)}, steps, correction,
                  workspaces_[team.rank()]);
    });
    return detail::check_result("ResidualSsm.correction", correction);
  }

 private:
  /// One thread's memory.
  struct Workspace {
    AlignedBuffer<float> floats;
    std::vector<std::int64_t> site_ids, hours;
  };

  ResidualSsm(const nn::StateDict& state, const ResidualSsmConfig& config, const SessionOptions& options)
      : config_(config),
        options_(options),
        table_(&kernels::table(options.isa)),
        encoder_(*table_, state, config.encoder()),
        layer_(*table_, state, "", config.ssm()),
        output_head_(*table_, state, "output_head", config.d_model, config.n_classes) {
    const std::size_t rows = std::max(options_.rows_per_block, config_.n_windows);
    for (std::size_t i = 0; i < options_.threads; ++i)
      workspaces_.push_back({AlignedBuffer<float>(workspace_size(rows)), std::vector<std::int64_t>(rows),
                             std::vector<std::int64_t>(rows)});
  }

  std::size_t workspace_size(std::size_t rows) const {
    return nn::Scratch::size_of(rows * encoder_width()) + 2 * nn::Scratch::size_of(rows * encoder_.stride()) +
           std::max({encoder_.meta_scratch_size(rows), layer_.scratch_size(rows),
                     nn::Scratch::size_of(rows * output_head_.output_stride())});
  }

  std::size_t encoder_width() const { return config_.d_input + config_.d_scores; }

  Status check(const Inputs& in, std::size_t files, std::size_t steps,
               std::span<const float> correction) const {
    PANTANAL_TRY_STATUS(detail::check_steps("ResidualSsm", files, steps, config_.n_windows));
    const std::size_t rows = files * steps;
    PANTANAL_TRY_STATUS(detail::check_input("ResidualSsm.emb", in.emb, rows, config_.d_input));
    PANTANAL_TRY_STATUS(
        detail::check_input("ResidualSsm.first_pass_scores", in.first_pass_scores, rows, config_.d_scores));
    if (correction.size() != rows * config_.n_classes)
      return Error{ErrorCode::invalid_argument, "ResidualSsm.correction",
                   std::to_string(correction.size()) + " floats",
                   std::to_string(rows) + " x " + std::to_string(config_.n_classes)};
    return check_meta(in.meta, files, encoder_, "ResidualSsm", config_.clamp_ids);
  }

  void run_block(const Inputs& in, Range files, std::size_t steps, std::span<float> correction,
                 Workspace& w) const {
    const nn::Sequences sequences{files.size(), steps};
    const std::size_t rows = sequences.rows(), first = files.begin * steps, classes = config_.n_classes;
    nn::Scratch scratch(w.floats.data());
    float* x = scratch.take(rows * encoder_width());
    float* h = scratch.take(rows * encoder_.stride());
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = x + r * encoder_width();
      std::copy_n(in.emb.data() + (first + r) * config_.d_input, config_.d_input, row);
      std::copy_n(in.first_pass_scores.data() + (first + r) * config_.d_scores, config_.d_scores,
                  row + config_.d_input);
    }
    encoder_.project(x, rows, h);
    place(in.meta, files, sequences, h, w, scratch);
    layer_.run(h, sequences, scratch);
    float* output = scratch.take(rows * output_head_.output_stride());
    output_head_.run(h, encoder_.stride(), rows, output);
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(output + r * output_head_.output_stride(), classes,
                  correction.data() + (first + r) * classes);
  }

  /// h += meta, then += position.
  void place(const FileMeta& meta, Range files, nn::Sequences sequences, float* h, Workspace& w,
             nn::Scratch scratch) const {
    const std::size_t stride = encoder_.stride();
    float* embedded = scratch.take(files.size() * stride);
    if (!meta.empty()) {
      const auto clamp = [&](std::span<const std::int64_t> ids, const nn::Embedding& table,
                             std::vector<std::int64_t>& to) {
        for (std::size_t i = 0; i < files.size(); ++i)
          to[i] = std::clamp<std::int64_t>(ids[files.begin + i], 0,
                                           static_cast<std::int64_t>(table.num_embeddings()) - 1);
        return std::span<const std::int64_t>(to).first(files.size());
      };
      encoder_.embed_meta(clamp(meta.site_ids, encoder_.site_emb(), w.site_ids),
                          clamp(meta.hours, encoder_.hour_emb(), w.hours), embedded, scratch);
    }
    for (std::size_t r = 0; r < sequences.rows(); ++r) {
      float* row = h + r * stride;
      if (!meta.empty()) encoder_.add_meta(row, embedded + r / sequences.steps * stride, row);
      encoder_.add_position(row, r % sequences.steps, row);
    }
  }

  ResidualSsmConfig config_;
  SessionOptions options_;
  const kernels::KernelTable* table_;
  WindowEncoder encoder_;
  nn::BidirectionalSsm layer_;
  nn::Linear output_head_;
  std::vector<Workspace> workspaces_;
};

}  // namespace pantanal::heads
