// MbConv, the inverted residual block with squeeze-and-excite, with its backward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/depthwise_conv2d.hpp"
#include "pantanal/autograd/folded_batch_norm.hpp"
#include "pantanal/autograd/image.hpp"
#include "pantanal/autograd/linear.hpp"
#include "pantanal/autograd/squeeze_excite.hpp"

namespace pantanal::autograd {

/// A 1x1 convolution and the BatchNorm after it: Linear over the pixels, on folded weights.
struct PointwiseConv {
  PointwiseConv(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
                std::size_t in_channels)
      : norm(parameters, prefix), linear(table, {{norm.weight(), norm.bias()}}, in_channels) {}

  FoldedBatchNorm norm;
  Linear linear;
};

/// y = project(se(act(depthwise(act(expand(x)))))) (+ x), as perch::MbconvLayer; dx goes back through the
/// same steps, each of which has its own backward, and, with a skip, dy is added to it. Sources: Sandler et
/// al. 2018, arXiv:1801.04381; Tan and Le 2019, arXiv:1905.11946.
class MbConv {
 public:
  /// PREFIX.expand (unless the block has none), .depthwise, .project with weight, scale and bias; PREFIX.se.
  MbConv(const kernels::KernelTable& table, ParameterSet& parameters, const std::string& prefix,
         const perch::Block& block, perch::Extent extent)
      : block_(block),
        input_{extent, block.in_channels},
        wide_{extent, block.expanded_channels},
        depthwise_norm_(parameters, prefix + ".depthwise"),
        depthwise_(table, depthwise_norm_.weight(), depthwise_norm_.bias(), block.depthwise, wide_),
        se_(table, parameters, prefix + ".se", depthwise_.output(), block.se_channels, block.se_activation),
        project_(table, parameters, prefix + ".project", block.expanded_channels),
        expand_activation_(table, block.expand_activation),
        depthwise_activation_(table, block.depthwise_activation) {
    if (block.has_expand) expand_.emplace(table, parameters, prefix + ".expand", block.in_channels);
  }

  const ImageShape& input() const { return input_; }
  ImageShape output() const { return {depthwise_.output().extent, block_.out_channels}; }
  std::size_t scratch_size() const { return depthwise_.scratch_size(); }

  /// What its convolutions gave before their nonlinearity, by the last part of their name; the last
  /// convolution's is the block's output.
  std::vector<std::pair<std::string, Slot>> sums() const {
    std::vector<std::pair<std::string, Slot>> all;
    if (expand_) all.emplace_back("expand", expand_sum_);
    all.emplace_back("depthwise", depthwise_sum_);
    return all;
  }

  void plan(Tape& tape, std::size_t images) {
    if (expand_)
      for (Slot* slot : {&expand_sum_, &expanded_, &dexpanded_}) *slot = wide_.take(tape, images);
    for (Slot* slot : {&depthwise_sum_, &convolved_, &gated_, &dconvolved_})
      *slot = depthwise_.output().take(tape, images);
    se_.plan(tape, images);
  }

  /// The members' shares of reading the parameters; the team waits between the two.
  void fold(const Team& team) {
    if (expand_) expand_->norm.fold(team);
    depthwise_norm_.fold(team), project_.norm.fold(team);
  }
  void pack(const Team& team) {
    if (expand_) expand_->linear.pack(team);
    depthwise_.pack(team), se_.pack(team), project_.linear.pack(team);
  }

  /// x, an image of input() for each of the pass's files, -> y, one of output().
  void forward(const Pass& pass, const float* x, float* y) const {
    const Pass in = at_positions(pass, input_.positions()), out = at_positions(pass, output().positions());
    const std::size_t images = pass.files.size();
    const float* wide = x;
    if (expand_) {
      expand_->linear.forward(in, x, input_.stride(), in.in(expand_sum_));
      expand_activation_.forward(in.in(expand_sum_), in.in(expanded_), images * wide_.floats());
      wide = in.in(expanded_);
    }
    depthwise_.forward(pass, wide, out.in(depthwise_sum_));
    depthwise_activation_.forward(out.in(depthwise_sum_), out.in(convolved_),
                                  images * depthwise_.output().floats());
    se_.forward(pass, out.in(convolved_), out.in(gated_));
    project_.linear.forward(out, out.in(gated_), gated_.stride, y, block_.has_skip ? x : nullptr);
  }

  /// x as there and dy -> dx, unless that is null: the first block that is trained needs none.
  void backward(const Pass& pass, const float* dy, float* dx) const {
    const Pass in = at_positions(pass, input_.positions()), out = at_positions(pass, output().positions());
    const std::size_t images = pass.files.size();
    project_.linear.backward(out, dy, output().stride(), out.in(dconvolved_), dconvolved_.stride);
    se_.backward(pass, out.in(convolved_), out.in(dconvolved_));
    depthwise_activation_.backward(out.in(depthwise_sum_), out.in(dconvolved_),
                                   images * depthwise_.output().floats());
    if (expand_) {
      depthwise_.backward(pass, out.in(dconvolved_), in.in(dexpanded_));
      expand_activation_.backward(in.in(expand_sum_), in.in(dexpanded_), images * wide_.floats());
      if (dx) expand_->linear.backward(in, in.in(dexpanded_), dexpanded_.stride, dx, input_.stride());
    } else if (dx) {
      depthwise_.backward(pass, out.in(dconvolved_), dx);
    }
    if (dx && block_.has_skip)
      for (std::size_t i = 0; i < images * input_.floats(); ++i) dx[i] += dy[i];
  }

  /// This member's share of the gradients by the folded weights, over all `images` of a batch, whose first
  /// rows x and dy are; when all members are done, that by the weights themselves.
  void weight_gradient(const Team& team, const float* x, const float* dy, std::size_t images) {
    const std::size_t in = images * input_.positions(), out = images * output().positions();
    project_.linear.weight_gradient(team, gated_.data, gated_.stride, dy, output().stride(), out);
    se_.weight_gradient(team, images);
    depthwise_.weight_gradient(team, expand_ ? expanded_.data : x, dconvolved_.data, images);
    if (expand_)
      expand_->linear.weight_gradient(team, x, input_.stride(), dexpanded_.data, dexpanded_.stride, in);
  }
  void unfold(const Team& team) const {
    if (expand_) expand_->norm.weight_gradient(team);
    depthwise_norm_.weight_gradient(team), project_.norm.weight_gradient(team);
  }

 private:
  perch::Block block_;
  ImageShape input_, wide_;
  std::optional<PointwiseConv> expand_;
  FoldedBatchNorm depthwise_norm_;
  DepthwiseConv2d depthwise_;
  SqueezeExcite se_;
  PointwiseConv project_;
  Nonlinearity expand_activation_, depthwise_activation_;
  Slot expand_sum_, expanded_, dexpanded_;               ///< images of wide_
  Slot depthwise_sum_, convolved_, gated_, dconvolved_;  ///< images of depthwise_'s output
};

}  // namespace pantanal::autograd
