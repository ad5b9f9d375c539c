// MbconvLayer: inverted residual block with squeeze-and-excite, its wide middle computed in slabs of channels
// that stay in cache. Source: Sandler et al. 2018, arXiv:1801.04381; Hu et al. 2018, arXiv:1709.01507; Tan &
// Le 2019, arXiv:1905.11946.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/mbconv_plan.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/pointwise_weights.hpp"

namespace pantanal::perch {

/// x -> [1x1 expand, act] -> depthwise, act -> ·gate -> 1x1 project (+ x), gate = σ(W₂·act(W₁·mean + b₁) +
/// b₂) of the depthwise output's mean over positions.
///
/// A slab is 48 expanded channels: its rows are expanded into a zero-bordered buffer a few at a time and
/// convolved from there, so the expanded image never reaches memory.
class MbconvLayer {
 public:
  using ScratchSizes = MbconvPlan::ScratchSizes;
  struct Scratch {
    float *depthwise = nullptr, *row_sums = nullptr, *gate = nullptr, *projection = nullptr, *slab = nullptr;
    std::uint32_t* rounded = nullptr;                         ///< the input, where products round it
    float *own_depthwise = nullptr, *own_row_sums = nullptr;  ///< one member's may be the shared ones
  };

  MbconvLayer(const kernels::KernelTable& table, const Model& model, std::size_t index, Extent input,
              Precision precision = Precision::fp32, PackedArena* arena = nullptr)
      : table_(&table),
        block_(model.architecture.blocks[index]),
        input_(input),
        output_(block_.depthwise.output(input)),
        plan_(block_, input, precision),
        expanded_stride_(plan_.expanded_stride) {
    const std::string name = "blocks." + std::to_string(index) + ".";
    const auto pack = [&](const char* layer, std::size_t columns, std::size_t depth) {
      return ops::pack_matrix(table, model.values(name + layer + ".weight"),
                              model.values(name + layer + ".bias"), columns, depth, arena);
    };
    const auto pack_wide = [&](const std::string& layer, std::size_t columns, std::size_t depth) {
      return PointwiseWeights(table, model.tensors.find(name + layer + ".weight")->second,
                              model.values(name + layer + ".bias"), columns, depth, precision, arena);
    };
    if (block_.has_expand) expand_ = pack_wide("expand", block_.expanded_channels, block_.in_channels);
    se_reduce_ = pack("se.reduce", block_.se_channels, block_.expanded_channels);
    se_expand_ = pack("se.expand", block_.expanded_channels, block_.se_channels);
    project_ = pack_wide("project", block_.out_channels, block_.expanded_channels);
    pack_depthwise(model.values(name + "depthwise.weight"), model.values(name + "depthwise.bias"), arena);
  }

  Extent output_extent() const { return output_; }
  std::size_t output_size() const { return output_.positions() * pixel_stride(block_.out_channels); }
  const ScratchSizes& scratch_sizes() const { return plan_.scratch; }

  /// input [H, W, pixel_stride(in)] -> output [H', W', pixel_stride(out)]. Ends with a wait.
  ///
  /// Every member computes the gate, and where it scales weights those too, for itself: that takes less time
  /// than to wait for another member and to fetch its results. What only one member reads is in its own
  /// scratch: to write what another's cache holds takes as long as to read it.
  void run(const Team& team, const float* input, float* output, const Scratch& scratch) const {
    if (expands_rounded()) round_input(team, input, scratch);
    run_slabs(team, input, scratch);
    team.wait();
    const Range rows = projected(team);
    float* const depthwise = cuts_rows(team) ? scratch.own_depthwise : scratch.depthwise;
    if (team.size() > 1 && !cuts_rows(team))
      prefetch(depthwise + rows.begin * expanded_stride_, rows.size() * expanded_stride_);
    squeeze_excite(whole_slabs(team), scratch);
    if (project_.rounds_input()) {
      project_rounded(rows, input, depthwise, output, scratch);
    } else {
      apply_gate(rows, depthwise, scratch);
      project(rows, input, depthwise, output, scratch);
    }
    team.wait();
  }

 private:
  static constexpr std::size_t slab_channels = MbconvPlan::slab_channels;

  void pack_depthwise(std::span<const float> weight, std::span<const float> bias, PackedArena* arena) {
    const std::size_t taps = block_.depthwise.kernel * block_.depthwise.kernel;
    depthwise_weights_ = take_packed<float>(arena, taps * expanded_stride_);
    depthwise_bias_ = take_packed<float>(arena, expanded_stride_);
    if (is_packed(arena)) return;
    for (std::size_t c = 0; c < block_.expanded_channels; ++c) {
      depthwise_bias_.writable()[c] = bias[c];
      for (std::size_t t = 0; t < taps; ++t)
        depthwise_weights_.writable()[t * expanded_stride_ + c] = weight[c * taps + t];
    }
  }

  bool expands_rounded() const { return block_.has_expand && expand_.rounds_input(); }

  /// Whether members take rows of every slab rather than whole slabs: they then project what they have
  /// computed themselves, at the price of expanding the rows between two members' shares twice.
  bool cuts_rows(const Team& team) const {
    return output_.height >= 7 * (block_.depthwise.kernel - 1) * team.size();
  }

  /// How many slabs are not cut by rows.
  std::size_t whole_slabs(const Team& team) const {
    return cuts_rows(team) ? 0 : plan_.slabs / team.size() * team.size();
  }

  /// The pixels that this member projects.
  Range projected(const Team& team) const {
    if (!cuts_rows(team)) return team.share(output_.positions(), project_grain);
    const Range rows = team.share(output_.height);
    return {rows.begin * output_.width, rows.end * output_.width};
  }

  /// Each member takes equally many whole slabs; those left over are cut by output rows, a part for each.
  /// Whole slabs leave their channels' means in the row after row_sums.
  void run_slabs(const Team& team, const float* input, const Scratch& scratch) const {
    std::memset(scratch.slab, 0, plan_.scratch.slab * sizeof(float));
    const std::size_t whole = whole_slabs(team);
    const Range mine = team.share(whole), rows = team.share(output_.height);
    if (whole > 0 && team.size() > 1) prefetch(input, input_.positions() * pixel_stride(block_.in_channels));
    for (std::size_t slab = mine.begin; slab < mine.end; ++slab) {
      const std::size_t channel = slab * slab_channels;
      run_slab(channel, {0, output_.height}, input, {scratch.depthwise, scratch.own_row_sums}, scratch);
      mean_rows(scratch.own_row_sums, channel, slab_width(channel), means(scratch));
    }
    float* const depthwise = cuts_rows(team) ? scratch.own_depthwise : scratch.depthwise;
    for (std::size_t slab = whole; slab < plan_.slabs; ++slab)
      run_slab(slab * slab_channels, rows, input, {depthwise, scratch.row_sums}, scratch);
  }

  float* means(const Scratch& scratch) const { return scratch.row_sums + output_.height * expanded_stride_; }

  /// mean[c] for `count` channels from `channel` on.
  void mean_rows(const float* row_sums, std::size_t channel, std::size_t count, float* mean) const {
    table_->mean_rows(row_sums + channel, output_.height, expanded_stride_, count,
                      static_cast<float>(output_.positions()), mean + channel);
  }

  /// Where a slab's results go.
  struct Convolved {
    float *depthwise = nullptr, *row_sums = nullptr;
  };

  /// Asks for what other members have written: the kernels' own reads, of eight rows at once, come too late
  /// to hide how long another core's cache takes.
  static void prefetch(const float* data, std::size_t floats) {
    for (std::size_t i = 0; i < floats; i += cache_line / sizeof(float)) __builtin_prefetch(data + i, 0, 2);
  }

  /// Output rows `rows` of the slab that starts at `channel`, chunk by chunk; rows two chunks share are kept.
  void run_slab(std::size_t channel, Range rows, const float* input, const Convolved& to,
                const Scratch& scratch) const {
    const ConvGeometry& conv = block_.depthwise;
    const std::size_t row_stride = plan_.buffer_row_stride;
    std::size_t filled = 0;  // rows of the buffer that hold the chunk's beginning
    for (std::size_t begin = rows.begin; begin < rows.end; begin += plan_.chunk_rows) {
      const std::size_t end = std::min(begin + plan_.chunk_rows, rows.end);
      const std::size_t needed = (end - begin - 1) * conv.stride + conv.kernel;
      fill_rows(channel, begin * conv.stride, {filled, needed}, input, scratch);
      convolve(channel, {begin, end}, scratch.slab, to);
      const std::size_t advance = (end - begin) * conv.stride;
      filled = needed > advance ? needed - advance : 0;
      if (filled > 0)
        std::memmove(scratch.slab, scratch.slab + advance * row_stride, filled * row_stride * sizeof(float));
    }
  }

  /// Fills the buffer's rows `rows`; its row 0 is row `first` of the padded input image.
  void fill_rows(std::size_t channel, std::size_t first, Range rows, const float* input,
                 const Scratch& scratch) const {
    float* const slab = scratch.slab;
    const Pads& pads = block_.depthwise.pads;
    const auto clamp = [&](std::size_t row) {  // padded row -> input row, cut to the image
      return std::min(std::max(first + row, pads.top) - pads.top, input_.height);
    };
    const Range inside{clamp(rows.begin), clamp(rows.end)};
    const std::size_t inside_begin = inside.begin + pads.top - first;
    const std::size_t row_floats = plan_.buffer_row_stride;
    for (std::size_t row = rows.begin; row < rows.end; ++row)
      if (inside.size() == 0 || row < inside_begin || row >= inside_begin + inside.size())
        std::memset(slab + row * row_floats, 0, row_floats * sizeof(float));
    if (inside.size() == 0) return;
    float* out = slab + inside_begin * row_floats + pads.left * plan_.slab_stride;
    if (block_.has_expand)
      expand_rows(channel, inside, input, scratch.rounded, out);
    else
      copy_rows(channel, inside, input, out);
  }

  std::size_t slab_width(std::size_t channel) const {
    return std::min(slab_channels, expanded_stride_ - channel);
  }

  void expand_rows(std::size_t channel, Range rows, const float* input, const std::uint32_t* rounded,
                   float* out) const {
    const std::size_t stride = pixel_stride(block_.in_channels), first = rows.begin * input_.width;
    const kernels::PointwiseArgs args{.input = input + first * stride,
                                      .input_stride = stride,
                                      .output = out,
                                      .output_stride = plan_.slab_stride,
                                      .row_width = input_.width,
                                      .output_row_stride = plan_.buffer_row_stride,
                                      .rows = rows.size() * input_.width,
                                      .padded_columns = slab_width(channel),
                                      .activation = to_kernel(block_.expand_activation)};
    const std::size_t words = expand_.rounded_words(stride);
    if (expands_rounded()) return expand_.run(args, rounded + first * words, words, channel);
    expand_.run(args, channel);
  }

  /// The rounded input, once for all slabs.
  void round_input(const Team& team, const float* input, const Scratch& scratch) const {
    const std::size_t stride = pixel_stride(block_.in_channels), words = expand_.rounded_words(stride);
    const Range pixels = team.share(input_.positions());
    expand_.round(input + pixels.begin * stride, pixels.size(), stride, stride, nullptr,
                  scratch.rounded + pixels.begin * words, words);
    team.wait();
  }

  /// Rows of one slab that is all channels lie as in the input.
  void copy_rows(std::size_t channel, Range rows, const float* input, float* out) const {
    const bool whole = plan_.slab_stride == expanded_stride_;
    const std::size_t runs = whole ? 1 : input_.width,
                      run = whole ? input_.width * expanded_stride_ : slab_width(channel);
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (std::size_t x = 0; x < runs; ++x)
        std::memcpy(out + y * plan_.buffer_row_stride + x * plan_.slab_stride,
                    input + ((rows.begin + y) * input_.width + x) * expanded_stride_ + channel,
                    run * sizeof(float));
  }

  void convolve(std::size_t channel, Range rows, const float* slab, const Convolved& to) const {
    const kernels::DepthwiseArgs args{
        .input = slab,
        .input_row_stride = plan_.buffer_row_stride,
        .input_stride = plan_.slab_stride,
        .weights = depthwise_weights_.data() + channel,
        .weights_stride = expanded_stride_,
        .bias = depthwise_bias_.data() + channel,
        .output = to.depthwise + rows.begin * output_.width * expanded_stride_ + channel,
        .output_row_stride = output_.width * expanded_stride_,
        .output_stride = expanded_stride_,
        .row_sums = to.row_sums + rows.begin * expanded_stride_ + channel,
        .row_sums_stride = expanded_stride_,
        .rows = rows.size(),
        .columns = output_.width,
        .channels = slab_width(channel),
        .kernel = block_.depthwise.kernel,
        .stride = block_.depthwise.stride,
        .activation = to_kernel(block_.depthwise_activation)};
    project_.depthwise(args);
  }

  /// scratch.gate: [gate | mean | reduced]; the first `whole` slabs' means are known.
  void squeeze_excite(std::size_t whole, const Scratch& scratch) const {
    float* gate = scratch.gate;
    float* mean = gate + expanded_stride_;
    float* reduced = mean + expanded_stride_;
    const std::size_t known = std::min(whole * slab_channels, expanded_stride_);
    std::copy_n(means(scratch), known, mean);
    mean_rows(scratch.row_sums, known, expanded_stride_ - known, mean);
    dense(se_reduce_, mean, to_kernel(block_.se_activation), reduced);
    dense(se_expand_, reduced, kernels::Activation::sigmoid, gate);
  }

  void dense(const ops::PackedMatrix& matrix, const float* input, kernels::Activation activation,
             float* output) const {
    table_->pointwise({.input = input,
                       .weights = matrix.weights.data(),
                       .bias = matrix.bias.data(),
                       .output = output,
                       .rows = 1,
                       .depth = matrix.depth,
                       .padded_columns = matrix.padded_columns,
                       .activation = activation});
  }

  /// Scales whichever is smaller, the projection's weights or the depthwise output's rows `rows`.
  void apply_gate(Range rows, float* depthwise, const Scratch& scratch) const {
    if (plan_.scales_weights)
      project_.scale(scratch.gate, scratch.projection);
    else
      table_->scale_columns(depthwise + rows.begin * expanded_stride_, rows.size(), expanded_stride_,
                            expanded_stride_, scratch.gate);
  }

  kernels::PointwiseArgs projection_args(Range rows, const float* input, float* output) const {
    const std::size_t stride = pixel_stride(block_.out_channels);
    return {.residual = block_.has_skip ? input + rows.begin * stride : nullptr,
            .residual_stride = stride,
            .output = output + rows.begin * stride,
            .output_stride = stride,
            .rows = rows.size(),
            .padded_columns = project_.padded_columns()};
  }

  void project(Range rows, const float* input, const float* depthwise, float* output,
               const Scratch& scratch) const {
    kernels::PointwiseArgs args = projection_args(rows, input, output);
    args.input = depthwise + rows.begin * expanded_stride_, args.input_stride = expanded_stride_;
    if (!plan_.scales_weights) return project_.run(args);
    args.weights = scratch.projection, args.bias = project_.bias(), args.depth = project_.depth();
    table_->pointwise(args);
  }

  /// Gates and rounds a few pixels, then projects them.
  void project_rounded(Range rows, const float* input, const float* depthwise, float* output,
                       const Scratch& scratch) const {
    auto* const rounded = reinterpret_cast<std::uint32_t*>(scratch.projection);
    const std::size_t words = project_.rounded_words(expanded_stride_);
    for (std::size_t begin = rows.begin; begin < rows.end; begin += MbconvPlan::rounded_rows) {
      const Range some{begin, std::min(begin + MbconvPlan::rounded_rows, rows.end)};
      project_.round(depthwise + begin * expanded_stride_, some.size(), expanded_stride_, expanded_stride_,
                     scratch.gate, rounded, words);
      project_.run(projection_args(some, input, output), rounded, words);
    }
  }

  static constexpr std::size_t project_grain = 8;  ///< pixels, a whole tile

  const kernels::KernelTable* table_;
  Block block_;
  Extent input_, output_;
  MbconvPlan plan_;
  std::size_t expanded_stride_;
  PointwiseWeights expand_, project_;
  ops::PackedMatrix se_reduce_, se_expand_;
  PackedBuffer<float> depthwise_weights_, depthwise_bias_;
};

}  // namespace pantanal::perch
