// SelectiveSsmSession: one selective state space layer as a model of its own, over any number of sequences.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/nn/rows.hpp"
#include "pantanal/nn/selective_ssm.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::heads {

/// Whether `c` describes a layer; the error names the field.
inline Status validate(const nn::SelectiveSsmConfig& c) {
  return detail::check_extents("SelectiveSsmConfig",
                               {{"d_model", c.d_model}, {"d_state", c.d_state}, {"d_conv", c.d_conv}});
}

/// Every parameter of a valid `c`, in PyTorch's names.
inline std::vector<TensorSpec> required_tensors(const nn::SelectiveSsmConfig& c) {
  TensorList list;
  nn::SelectiveSsm::require(list, "", c);
  return std::move(list).take();
}

/// y = layer(x), [B, T, d_model] both, for nn::SelectiveSsm in either form. Threads share the sequences, so a
/// single one is computed by a single thread; results do not depend on their number, bit for bit. Scratch
/// grows with the longest call. One run at a time per session.
class SelectiveSsmSession {
 public:
  /// `state` must be exactly required_tensors(config); the error names what is not.
  static Result<SelectiveSsmSession> create(const nn::StateDict& state, const nn::SelectiveSsmConfig& config,
                                            SessionOptions options = {}) {
    PANTANAL_TRY_STATUS(heads::validate(config));
    PANTANAL_TRY(options, detail::resolve(options, "SelectiveSsm"));
    PANTANAL_TRY_STATUS(pantanal::validate(state, required_tensors(config), "SelectiveSsm"));
    return SelectiveSsmSession(state, config, options);
  }

  const nn::SelectiveSsmConfig& config() const { return config_; }
  const SessionOptions& options() const { return options_; }

  /// x and y [sequences, steps, d_model]. Errors: an array of another size, NaN or infinity in x, values
  /// whose result overflows.
  Status run(std::span<const float> x, nn::Sequences sequences, nn::Direction direction, std::span<float> y) {
    PANTANAL_TRY_STATUS(check(x, sequences, y));
    const std::size_t threads = std::clamp<std::size_t>(sequences.count, 1, options_.threads);
    const std::size_t per_block = std::max<std::size_t>(1, options_.rows_per_block / sequences.steps);
    reserve(threads, std::min(per_block, sequences.count) * sequences.steps);
    parallel_team(threads, [&](const Team& team) {
      const Range mine = team.share(sequences.count);
      for (std::size_t first = mine.begin; first < mine.end; first += per_block)
        run_block(x, {first, std::min(first + per_block, mine.end)}, sequences.steps, direction, y,
                  nn::Scratch(workspaces_[team.rank()].data()));
    });
    return detail::check_result("SelectiveSsm.y", y);
  }

 private:
  SelectiveSsmSession(const nn::StateDict& state, const nn::SelectiveSsmConfig& config,
                      const SessionOptions& options)
      : config_(config),
        options_(options),
        layer_(kernels::table(options.isa), state, "", config),
        workspaces_(options.threads) {}

  Status check(std::span<const float> x, nn::Sequences sequences, std::span<const float> y) const {
    constexpr std::size_t most = std::size_t{1} << 40;
    if (sequences.steps == 0 || sequences.steps > most || sequences.count > most / sequences.steps)
      return Error{
          ErrorCode::invalid_argument, "SelectiveSsm",
          std::to_string(sequences.count) + " sequences of " + std::to_string(sequences.steps) + " steps",
          "at least one step, and no more than memory holds"};
    const std::size_t rows = sequences.rows();
    PANTANAL_TRY_STATUS(detail::check_input("SelectiveSsm.x", x, rows, config_.d_model));
    if (y.size() != x.size())
      return Error{ErrorCode::invalid_argument, "SelectiveSsm.y", std::to_string(y.size()) + " floats",
                   std::to_string(rows) + " x " + std::to_string(config_.d_model)};
    return {};
  }

  /// Memory for `threads` threads to run blocks of `rows` rows.
  void reserve(std::size_t threads, std::size_t rows) {
    const std::size_t size =
        nn::Scratch::size_of(rows * nn::row_stride(config_.d_model)) + layer_.scratch_size(rows);
    for (std::size_t i = 0; i < threads; ++i)
      if (workspaces_[i].size() < size) workspaces_[i] = AlignedBuffer<float>(size);
  }

  void run_block(std::span<const float> x, Range block, std::size_t steps, nn::Direction direction,
                 std::span<float> y, nn::Scratch scratch) const {
    const nn::Sequences sequences{block.size(), steps};
    const std::size_t d = config_.d_model, stride = nn::row_stride(d), first = block.begin * steps * d;
    float* rows = scratch.take(sequences.rows() * stride);
    for (std::size_t r = 0; r < sequences.rows(); ++r) {
      std::copy_n(x.data() + first + r * d, d, rows + r * stride);
      std::fill_n(rows + r * stride + d, stride - d, 0.0f);
    }
    layer_.run(rows, sequences, direction, y.data() + first, d, scratch);
  }

  nn::SelectiveSsmConfig config_;
  SessionOptions options_;
  nn::SelectiveSsm layer_;
  std::vector<AlignedBuffer<float>> workspaces_;
};

}  // namespace pantanal::heads
