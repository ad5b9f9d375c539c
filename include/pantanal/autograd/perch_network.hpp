// PerchNetwork: Perch, or its last blocks, from spectrograms or a block's input to logits, with its backward.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/conv_head.hpp"
#include "pantanal/autograd/label_head.hpp"
#include "pantanal/autograd/mbconv.hpp"
#include "pantanal/autograd/stem.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::autograd {

/// Which part of a model is trained: all of it, or what follows the first `frozen_blocks` blocks.
struct PerchPart {
  bool stem = true;               ///< false: inputs are images, what the first trained block is given
  std::size_t frozen_blocks = 0;  ///< with a stem 0
};

/// The parameters of `part` of a model: those of perch::required_tensors(), and a `scale` [channels] beside
/// each convolution's weight and bias.
inline std::vector<TensorSpec> perch_parameters(const perch::Architecture& a, const PerchPart& part) {
  std::vector<TensorSpec> specs;
  for (TensorSpec& spec : perch::required_tensors(a)) {
    const std::string& name = spec.name;
    if (name.starts_with("frontend.") || (name.starts_with("stem.") && !part.stem)) continue;
    if (name.starts_with("blocks.") && std::stoul(name.substr(7)) < part.frozen_blocks) continue;
    const bool convolution = name.ends_with(".weight") && spec.shape.size() == 4;
    TensorSpec scale{name.substr(0, name.rfind('.')) + ".scale", {spec.shape.front()}};
    specs.push_back(std::move(spec));
    if (convolution) specs.push_back(std::move(scale));
  }
  return specs;
}

/// What a convolution gave in the last forward, before its nonlinearity: a row per position of each image.
struct ConvolutionOutput {
  std::string name;  ///< its parameters' prefix
  Slot sum;
  const float* skip;  ///< what was added to it, in the same layout; null: nothing
  std::size_t channels = 0, positions = 0;
};

/// The layers of a part of a Perch model with a label head. A batch's images go through it a pass of files at
/// a time, forwards and backwards; what the weights' gradients need stays on its tape.
class PerchNetwork {
 public:
  /// `architecture` must be valid and have a label head, `part` lie in it.
  PerchNetwork(const kernels::KernelTable& table, const perch::Architecture& architecture, PerchPart part)
      : architecture_(architecture), part_(part), parameters_(perch_parameters(architecture, part)) {
    const std::vector<perch::Extent> extents = architecture.extents();
    if (part.stem) stem_.emplace(table, parameters_, architecture.stem, architecture.spectrogram_extent());
    blocks_.reserve(architecture.blocks.size());
    for (std::size_t i = part.frozen_blocks; i < architecture.blocks.size(); ++i)
      blocks_.emplace_back(table, parameters_, "blocks." + std::to_string(i), architecture.blocks[i],
                           extents[i]);
    images_.push_back({extents[part.frozen_blocks], channels_before(part.frozen_blocks)});
    for (const MbConv& block : blocks_) images_.push_back(block.output());
    head_.emplace(table, parameters_, architecture.head, images_.back());
    label_.emplace(table, parameters_, architecture.label, head_->output());
  }

  ParameterSet& parameters() { return parameters_; }
  const perch::Architecture& architecture() const { return architecture_; }
  const PerchPart& part() const { return part_; }
  std::size_t classes() const { return label_->classes(); }
  /// Floats of one input, dense: a spectrogram [H, W], or an image [H, W, C].
  std::size_t input_floats() const {
    return stem_ ? stem_->input_floats() : images_.front().positions() * images_.front().channels;
  }
  std::size_t scratch_size() const {
    std::size_t most = 0;
    for (const MbConv& block : blocks_) most = std::max(most, block.scratch_size());
    return most;
  }
  std::size_t tape_bytes() const { return tape_.bytes(); }

  /// Makes room for batches of up to `images`.
  void plan(std::size_t images) {
    if (images <= planned_) return;
    tape_.clear();
    if (stem_) stem_->plan(tape_, images);
    for (MbConv& block : blocks_) block.plan(tape_, images);
    head_->plan(tape_, images), label_->plan(tape_, images);
    values_.clear(), gradients_.clear();
    for (const ImageShape& image : images_) {
      values_.push_back(image.take(tape_, images));
      gradients_.push_back(image.take(tape_, images));
    }
    spatial_ = head_->output().take(tape_, images), dspatial_ = head_->output().take(tape_, images);
    planned_ = images;
  }

  /// Every member calls it before a batch; ends with a wait.
  void pack(const Team& team) {
    if (stem_) stem_->fold(team);
    for (MbConv& block : blocks_) block.fold(team);
    head_->fold(team), label_->fold(team);
    team.wait();
    if (stem_) stem_->pack(team);
    for (MbConv& block : blocks_) block.pack(team);
    head_->pack(team), label_->pack(team);
    team.wait();
  }

  /// Inputs of this pass's files, dense -> logits [files, classes].
  void forward(const Pass& pass, const float* inputs, float* logits) {
    if (stem_)
      stem_->forward(pass, inputs, image(pass, 0, values_));
    else
      spread(pass, inputs);
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].forward(pass, image(pass, i, values_), image(pass, i + 1, values_));
    float* spatial = at_positions(pass, head_->output().positions()).in(spatial_);
    head_->forward(pass, image(pass, blocks_.size(), values_), spatial);
    label_->forward(pass, spatial, logits);
  }

  /// All convolutions, in the forward's order.
  std::vector<ConvolutionOutput> convolutions() const {
    std::vector<ConvolutionOutput> all;
    if (stem_) all.push_back({"stem", stem_->sum(), nullptr, images_[0].channels, images_[0].positions()});
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::size_t index = part_.frozen_blocks + i;
      const perch::Block& block = architecture_.blocks[index];
      const std::string prefix = "blocks." + std::to_string(index) + ".";
      for (const auto& [name, sum] : blocks_[i].sums())
        all.push_back({prefix + name, sum, nullptr, block.expanded_channels,
                       images_[name == "expand" ? i : i + 1].positions()});
      all.push_back({prefix + "project", values_[i + 1], block.has_skip ? values_[i].data : nullptr,
                     block.out_channels, images_[i + 1].positions()});
    }
    all.push_back({"head", head_->sum(), nullptr, head_->output().channels, head_->output().positions()});
    return all;
  }

  /// dlogits [files, classes] -> what weight_gradient() wants.
  void backward(const Pass& pass, const float* dlogits) {
    const Pass last = at_positions(pass, head_->output().positions());
    label_->backward(pass, last.in(spatial_), dlogits, last.in(dspatial_));
    const bool all = stem_.has_value();  // whether anything before the first block is trained
    head_->backward(pass, last.in(dspatial_),
                    all || !blocks_.empty() ? image(pass, blocks_.size(), gradients_) : nullptr);
    for (std::size_t i = blocks_.size(); i-- > 0;)
      blocks_[i].backward(pass, image(pass, i + 1, gradients_),
                          all || i > 0 ? image(pass, i, gradients_) : nullptr);
    if (stem_) stem_->backward(pass, image(pass, 0, gradients_));
  }

  /// Every member calls it when all passes of a batch of `images` are done: its share of all gradients. Ends
  /// with a wait.
  void weight_gradient(const Team& team, const float* dlogits, std::size_t images) {
    if (stem_) stem_->weight_gradient(team, images);
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i].weight_gradient(team, values_[i].data, gradients_[i + 1].data, images);
    head_->weight_gradient(team, values_[blocks_.size()].data, dspatial_.data, images);
    label_->weight_gradient(team, dlogits, images);
    team.wait();
    if (stem_) stem_->unfold(team);
    for (const MbConv& block : blocks_) block.unfold(team);
    head_->unfold(team);
    team.wait();
  }

 private:
  std::size_t channels_before(std::size_t block) const {
    return block == 0 ? architecture_.stem.channels : architecture_.blocks[block - 1].out_channels;
  }

  float* image(const Pass& pass, std::size_t i, const std::vector<Slot>& slots) const {
    return at_positions(pass, images_[i].positions()).in(slots[i]);
  }

  /// Dense images to padded rows.
  void spread(const Pass& pass, const float* inputs) const {
    const ImageShape& shape = images_.front();
    float* to = image(pass, 0, values_);
    for (std::size_t p = 0; p < pass.files.size() * shape.positions(); ++p)
      std::copy_n(inputs + p * shape.channels, shape.channels, to + p * shape.stride());
  }

  perch::Architecture architecture_;
  PerchPart part_;
  ParameterSet parameters_;
  std::optional<StemConv> stem_;
  std::vector<MbConv> blocks_;
  std::optional<ConvHead> head_;
  std::optional<LabelHead> label_;
  std::vector<ImageShape> images_;  ///< before each block, and after the last
  std::vector<Slot> values_, gradients_;
  Slot spatial_, dspatial_;
  Tape tape_;
  std::size_t planned_ = 0;
};

}  // namespace pantanal::autograd
