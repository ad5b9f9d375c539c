// MbconvLayer: inverted residual block with squeeze-and-excite, its wide middle computed in slabs of channels
// that stay in cache. Source: Sandler et al. 2018, arXiv:1801.04381; Hu et al. 2018, arXiv:1709.01507; Tan &
// Le 2019, arXiv:1905.11946.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

/// x -> [1x1 expand, act] -> depthwise, act -> ·gate -> 1x1 project (+ x), gate = σ(W₂·act(W₁·mean + b₁) +
/// b₂) of the depthwise output's mean over positions.
///
/// A slab is 48 expanded channels: its rows are expanded into a zero-bordered buffer a few at a time and
/// convolved from there, so the expanded image never reaches memory.
class MbconvLayer {
 public:
  /// Sizes in floats of what run() needs besides input and output.
  struct ScratchSizes {
    std::size_t depthwise = 0, row_sums = 0;         ///< shared by the team
    std::size_t gate = 0, projection = 0, slab = 0;  ///< each member's own

    /// Makes room for another block as well.
    void cover(const ScratchSizes& other) {
      depthwise = std::max(depthwise, other.depthwise);
      row_sums = std::max(row_sums, other.row_sums);
      gate = std::max(gate, other.gate);
      projection = std::max(projection, other.projection);
      slab = std::max(slab, other.slab);
    }
  };
  struct Scratch {
    float *depthwise = nullptr, *row_sums = nullptr, *gate = nullptr, *projection = nullptr, *slab = nullptr;
  };

  MbconvLayer(const kernels::KernelTable& table, const Model& model, std::size_t index, Extent input)
      : table_(&table),
        block_(model.architecture.blocks[index]),
        input_(input),
        output_(block_.depthwise.output(input)),
        expanded_stride_(pixel_stride(block_.expanded_channels)) {
    const std::string name = "blocks." + std::to_string(index) + ".";
    const auto pack = [&](const char* layer, std::size_t columns, std::size_t depth) {
      return ops::pack_matrix(table, model.values(name + layer + ".weight"),
                              model.values(name + layer + ".bias"), columns, depth);
    };
    if (block_.has_expand) expand_ = pack("expand", block_.expanded_channels, block_.in_channels);
    se_reduce_ = pack("se.reduce", block_.se_channels, block_.expanded_channels);
    se_expand_ = pack("se.expand", block_.expanded_channels, block_.se_channels);
    project_ = pack("project", block_.out_channels, block_.expanded_channels);
    pack_depthwise(model.values(name + "depthwise.weight"), model.values(name + "depthwise.bias"));
    plan_slab();
  }

  Extent output_extent() const { return output_; }
  std::size_t output_size() const { return output_.positions() * pixel_stride(block_.out_channels); }
  ScratchSizes scratch_sizes() const {
    return {.depthwise = output_.positions() * expanded_stride_,
            .row_sums = output_.height * expanded_stride_,
            .gate = 2 * expanded_stride_ + pixel_stride(block_.se_channels),
            .projection = scales_weights() ? project_.weights.size() : 0,
            .slab = buffer_rows_ * buffer_row_stride()};
  }

  /// input [H, W, pixel_stride(in)] -> output [H', W', pixel_stride(out)]. Ends with a wait.
  ///
  /// Every member computes the gate, and where it scales weights those too, for itself: that takes less time
  /// than to wait for another member and to fetch its results.
  void run(const Team& team, const float* input, float* output, const Scratch& scratch) const {
    run_slabs(team, input, scratch);
    team.wait();
    const Range rows = team.share(output_.positions(), project_grain);
    if (team.size() > 1)
      prefetch(scratch.depthwise + rows.begin * expanded_stride_, rows.size() * expanded_stride_);
    squeeze_excite(scratch);
    apply_gate(rows, scratch);
    project(rows, input, output, scratch);
    team.wait();
  }

 private:
  static constexpr std::size_t slab_channels = 48;
  static constexpr std::size_t slab_budget =
      32 * 1024;  ///< floats of a member's buffer, well inside a core's L2

  void pack_depthwise(std::span<const float> weight, std::span<const float> bias) {
    const std::size_t taps = block_.depthwise.kernel * block_.depthwise.kernel;
    depthwise_weights_ = AlignedBuffer<float>(taps * expanded_stride_);
    depthwise_bias_ = AlignedBuffer<float>(expanded_stride_);
    for (std::size_t c = 0; c < block_.expanded_channels; ++c) {
      depthwise_bias_[c] = bias[c];
      for (std::size_t t = 0; t < taps; ++t)
        depthwise_weights_[t * expanded_stride_ + c] = weight[c * taps + t];
    }
  }

  /// As many output rows at once as the buffer's budget allows, at least one.
  void plan_slab() {
    const ConvGeometry& conv = block_.depthwise;
    const std::size_t affordable = slab_budget / buffer_row_stride();
    chunk_rows_ = affordable > conv.kernel ? (affordable - conv.kernel) / conv.stride + 1 : 1;
    chunk_rows_ = std::min(chunk_rows_, output_.height);
    buffer_rows_ = (chunk_rows_ - 1) * conv.stride + conv.kernel;
  }

  std::size_t buffer_width() const {
    return input_.width + block_.depthwise.pads.left + block_.depthwise.pads.right;
  }
  std::size_t buffer_row_stride() const { return buffer_width() * slab_channels; }
  std::size_t slabs() const { return (expanded_stride_ + slab_channels - 1) / slab_channels; }
  bool scales_weights() const { return output_.positions() > block_.out_channels; }

  /// Whether members take rows of every slab rather than whole slabs: they then project what they have
  /// computed themselves, at the price of expanding the rows between two members' shares twice.
  bool cuts_rows(const Team& team) const {
    return output_.height >= 7 * (block_.depthwise.kernel - 1) * team.size();
  }

  /// Each member takes equally many whole slabs; those left over are cut by output rows, a part for each.
  void run_slabs(const Team& team, const float* input, const Scratch& scratch) const {
    std::memset(scratch.slab, 0, buffer_rows_ * buffer_row_stride() * sizeof(float));
    const std::size_t whole = cuts_rows(team) ? 0 : slabs() / team.size() * team.size();
    const Range mine = team.share(whole), rows = team.share(output_.height);
    if (whole > 0 && team.size() > 1) prefetch(input, input_.positions() * pixel_stride(block_.in_channels));
    for (std::size_t slab = mine.begin; slab < mine.end; ++slab)
      run_slab(slab * slab_channels, {0, output_.height}, input, scratch);
    for (std::size_t slab = whole; slab < slabs(); ++slab)
      run_slab(slab * slab_channels, rows, input, scratch);
  }

  /// Asks for what other members have written: the kernels' own reads, of eight rows at once, come too late
  /// to hide how long another core's cache takes.
  static void prefetch(const float* data, std::size_t floats) {
    for (std::size_t i = 0; i < floats; i += cache_line / sizeof(float)) __builtin_prefetch(data + i, 0, 2);
  }

  /// Output rows `rows` of the slab that starts at `channel`, chunk by chunk; rows two chunks share are kept.
  void run_slab(std::size_t channel, Range rows, const float* input, const Scratch& scratch) const {
    const ConvGeometry& conv = block_.depthwise;
    const std::size_t row_stride = buffer_row_stride();
    std::size_t filled = 0;  // rows of the buffer that hold the chunk's beginning
    for (std::size_t begin = rows.begin; begin < rows.end; begin += chunk_rows_) {
      const std::size_t end = std::min(begin + chunk_rows_, rows.end);
      const std::size_t needed = (end - begin - 1) * conv.stride + conv.kernel;
      fill_rows(channel, begin * conv.stride, {filled, needed}, input, scratch.slab);
      convolve(channel, {begin, end}, scratch);
      const std::size_t advance = (end - begin) * conv.stride;
      filled = needed > advance ? needed - advance : 0;
      if (filled > 0)
        std::memmove(scratch.slab, scratch.slab + advance * row_stride, filled * row_stride * sizeof(float));
    }
  }

  /// Fills the buffer's rows `rows`; its row 0 is row `first` of the padded input image.
  void fill_rows(std::size_t channel, std::size_t first, Range rows, const float* input, float* slab) const {
    const Pads& pads = block_.depthwise.pads;
    const auto clamp = [&](std::size_t row) {  // padded row -> input row, cut to the image
      return std::min(std::max(first + row, pads.top) - pads.top, input_.height);
    };
    const Range inside{clamp(rows.begin), clamp(rows.end)};
    const std::size_t inside_begin = inside.begin + pads.top - first;
    const std::size_t row_floats = buffer_row_stride();
    for (std::size_t row = rows.begin; row < rows.end; ++row)
      if (inside.size() == 0 || row < inside_begin || row >= inside_begin + inside.size())
        std::memset(slab + row * row_floats, 0, row_floats * sizeof(float));
    if (inside.size() == 0) return;
    float* out = slab + inside_begin * row_floats + pads.left * slab_channels;
    if (block_.has_expand)
      expand_rows(channel, inside, input, out);
    else
      copy_rows(channel, inside, input, out);
  }

  std::size_t slab_width(std::size_t channel) const {
    return std::min(slab_channels, expanded_stride_ - channel);
  }

  void expand_rows(std::size_t channel, Range rows, const float* input, float* out) const {
    const std::size_t stride = pixel_stride(block_.in_channels);
    table_->pointwise({.input = input + rows.begin * input_.width * stride,
                       .input_stride = stride,
                       .weights = expand_.weights.data() + channel * expand_.depth,
                       .bias = expand_.bias.data() + channel,
                       .output = out,
                       .output_stride = slab_channels,
                       .row_width = input_.width,
                       .output_row_stride = buffer_row_stride(),
                       .rows = rows.size() * input_.width,
                       .depth = expand_.depth,
                       .padded_columns = slab_width(channel),
                       .activation = to_kernel(block_.expand_activation)});
  }

  void copy_rows(std::size_t channel, Range rows, const float* input, float* out) const {
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (std::size_t x = 0; x < input_.width; ++x)
        std::memcpy(out + y * buffer_row_stride() + x * slab_channels,
                    input + ((rows.begin + y) * input_.width + x) * expanded_stride_ + channel,
                    slab_width(channel) * sizeof(float));
  }

  void convolve(std::size_t channel, Range rows, const Scratch& scratch) const {
    table_->depthwise({.input = scratch.slab,
                       .input_row_stride = buffer_row_stride(),
                       .input_stride = slab_channels,
                       .weights = depthwise_weights_.data() + channel,
                       .weights_stride = expanded_stride_,
                       .bias = depthwise_bias_.data() + channel,
                       .output = scratch.depthwise + rows.begin * output_.width * expanded_stride_ + channel,
                       .output_row_stride = output_.width * expanded_stride_,
                       .output_stride = expanded_stride_,
                       .row_sums = scratch.row_sums + rows.begin * expanded_stride_ + channel,
                       .row_sums_stride = expanded_stride_,
                       .rows = rows.size(),
                       .columns = output_.width,
                       .channels = slab_width(channel),
                       .kernel = block_.depthwise.kernel,
                       .stride = block_.depthwise.stride,
                       .activation = to_kernel(block_.depthwise_activation)});
  }

  /// scratch.gate: [gate | mean | reduced].
  void squeeze_excite(const Scratch& scratch) const {
    float* gate = scratch.gate;
    float* mean = gate + expanded_stride_;
    float* reduced = mean + expanded_stride_;
    table_->mean_rows(scratch.row_sums, output_.height, expanded_stride_, expanded_stride_,
                      static_cast<float>(output_.positions()), mean);
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
  void apply_gate(Range rows, const Scratch& scratch) const {
    if (scales_weights())
      table_->scale_packed_rows(project_.weights.data(), scratch.projection, project_.depth,
                                project_.padded_columns, scratch.gate);
    else
      table_->scale_columns(scratch.depthwise + rows.begin * expanded_stride_, rows.size(), expanded_stride_,
                            expanded_stride_, scratch.gate);
  }

  void project(Range rows, const float* input, float* output, const Scratch& scratch) const {
    const std::size_t stride = pixel_stride(block_.out_channels);
    table_->pointwise({.input = scratch.depthwise + rows.begin * expanded_stride_,
                       .input_stride = expanded_stride_,
                       .weights = scales_weights() ? scratch.projection : project_.weights.data(),
                       .bias = project_.bias.data(),
                       .residual = block_.has_skip ? input + rows.begin * stride : nullptr,
                       .residual_stride = stride,
                       .output = output + rows.begin * stride,
                       .output_stride = stride,
                       .rows = rows.size(),
                       .depth = project_.depth,
                       .padded_columns = project_.padded_columns});
  }

  static constexpr std::size_t project_grain = 8;  ///< pixels, a whole tile

  const kernels::KernelTable* table_;
  Block block_;
  Extent input_, output_;
  std::size_t expanded_stride_;
  std::size_t chunk_rows_ = 1, buffer_rows_ = 0;
  ops::PackedMatrix expand_, se_reduce_, se_expand_, project_;
  AlignedBuffer<float> depthwise_weights_, depthwise_bias_;
};

}  // namespace pantanal::perch
