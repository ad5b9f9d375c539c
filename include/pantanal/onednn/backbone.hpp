// Backbone: Perch's convolutions through oneDNN, to compare with and for machines where it is faster.
#pragma once

#include <omp.h>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dnnl.hpp>

#include "pantanal/core/result.hpp"
#include "pantanal/onednn/network.hpp"
#include "pantanal/perch/backbone.hpp"
#include "pantanal/perch/layer.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::onednn {

/// How many threads OpenMP starts from here on, in this scope. Inside a parallel region it starts none.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(std::size_t threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(static_cast<int>(threads));
  }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;
  ~OpenMpThreads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

/// The layers of perch::reference as oneDNN's primitives, activations fused into convolutions and skips into
/// projections. Results may differ with the number of threads, by float32's rounding.
class Backbone final : public perch::Backbone {
 public:
  /// A perch::MakeBackbone. The model's weights must be float32; they are copied. Errors: `unsupported` for
  /// narrow weights and what oneDNN cannot compute.
  static Result<std::unique_ptr<perch::Backbone>> create(const perch::Model& model, std::size_t threads) {
    for (const auto& [name, tensor] : model.tensors)
      if (tensor.is_narrow())
        return Error{ErrorCode::unsupported, "onednn::Backbone: " + name, to_string(tensor.dtype), "F32"};
    try {
      const OpenMpThreads planned_for(threads);  // oneDNN divides the work when it plans, not when it runs
      return std::unique_ptr<perch::Backbone>(new Backbone(model, threads));
    } catch (const dnnl::error& refused) {
      return Error{ErrorCode::unsupported, "onednn::Backbone", refused.what(), "a model that oneDNN can run"};
    }
  }

  Status run(std::size_t member, const float* spectrogram, float* spatial) override {
    const OpenMpThreads threads(workspaces_.size());
    try {
      workspaces_[member].run(spectrogram, spatial);
    } catch (const dnnl::error& failure) {
      return Error{ErrorCode::unsupported, "onednn::Backbone::run", failure.what(), "to run"};
    }
    return {};
  }

 private:
  using Dim = dnnl::memory::dim;

  Backbone(const perch::Model& model, std::size_t threads) {
    add_layers(model);
    workspaces_.reserve(threads);
    for (std::size_t m = 0; m < threads; ++m) workspaces_.emplace_back(network_);
  }

  void add_layers(const perch::Model& model) {
    const perch::Architecture& a = model.architecture;
    const std::vector<perch::Extent> extents = a.extents();
    const perch::Extent spectrogram = a.spectrogram_extent();
    Value x{Slot::input,
            {{1, 1, dim(spectrogram.height), dim(spectrogram.width)},
             dnnl::memory::data_type::f32,
             dnnl::memory::format_tag::nchw}};
    Network::Convolution stem =
        windowed(model, "stem", a.stem.conv, 1, a.stem.channels, extents[0], a.stem.activation);
    stem.any_layout = true;  // of one channel, oneDNN 2 has no fast convolution into channels last
    x = network_.to_channels_last(network_.convolve(x, Slot::other_image, stem), Slot::image);
    for (std::size_t i = 0; i < a.blocks.size(); ++i)
      x = add_block(model, "blocks." + std::to_string(i), a.blocks[i], x, extents[i], extents[i + 1]);
    const std::size_t depth = static_cast<std::size_t>(x.layout.dims()[1]);
    x = network_.convolve(x, other(x.slot),
                          dense(model, "head", depth, a.head.channels, extents.back(), a.head.activation));
    const Dim height = dim(extents.back().height), width = dim(extents.back().width);
    const Dim stride = dim(perch::pixel_stride(a.head.channels));
    network_.copy(x, Slot::output,
                  {{1, dim(a.head.channels), height, width},
                   dnnl::memory::data_type::f32,
                   dnnl::memory::dims{height * width * stride, 1, width * stride, stride}});
  }

  Value add_block(const perch::Model& model, const std::string& name, const perch::Block& b, const Value& x,
                  perch::Extent in, perch::Extent out) {
    Value wide = x;
    if (b.has_expand)
      wide = network_.convolve(
          x, Slot::expanded,
          dense(model, name + ".expand", b.in_channels, b.expanded_channels, in, b.expand_activation));
    Network::Convolution depthwise = windowed(model, name + ".depthwise", b.depthwise, b.expanded_channels,
                                              b.expanded_channels, out, b.depthwise_activation);
    depthwise.groups = depthwise.in;
    wide = network_.convolve(wide, Slot::depthwise, depthwise);
    Value gate = network_.average(wide, Slot::mean);
    gate = network_.convolve(
        gate, Slot::reduced,
        dense(model, name + ".se.reduce", b.expanded_channels, b.se_channels, {1, 1}, b.se_activation));
    Network::Convolution opening =
        dense(model, name + ".se.expand", b.se_channels, b.expanded_channels, {1, 1});
    opening.activation = dnnl::algorithm::eltwise_logistic;
    network_.scale(wide, network_.convolve(gate, Slot::gate, opening));
    Network::Convolution project = dense(model, name + ".project", b.expanded_channels, b.out_channels, out);
    project.adds = b.has_skip;  // to the block's input, where it lies
    return network_.convolve(wide, b.has_skip ? x.slot : other(x.slot), project);
  }

  /// A 1x1 convolution.
  static Network::Convolution dense(const perch::Model& model, const std::string& layer, std::size_t in,
                                    std::size_t out, perch::Extent extent,
                                    perch::Activation activation = perch::Activation::none) {
    return windowed(model, layer, {1, 1, {}}, in, out, extent, activation);
  }

  static Network::Convolution windowed(const perch::Model& model, const std::string& layer,
                                       const perch::ConvGeometry& geometry, std::size_t in, std::size_t out,
                                       perch::Extent extent, perch::Activation activation) {
    const perch::Pads& pads = geometry.pads;
    return {.weight = model.values(layer + ".weight"),
            .bias = model.values(layer + ".bias"),
            .in = dim(in),
            .out = dim(out),
            .kernel = dim(geometry.kernel),
            .stride = dim(geometry.stride),
            .pads = {dim(pads.top), dim(pads.left), dim(pads.bottom), dim(pads.right)},
            .height = dim(extent.height),
            .width = dim(extent.width),
            .activation = algorithm(activation)};
  }

  static dnnl::algorithm algorithm(perch::Activation activation) {
    switch (activation) {
      case perch::Activation::none:
        return dnnl::algorithm::undef;
      case perch::Activation::relu:
        return dnnl::algorithm::eltwise_relu;
      case perch::Activation::swish:
        return dnnl::algorithm::eltwise_swish;
    }
    return dnnl::algorithm::undef;
  }

  static Dim dim(std::size_t n) { return static_cast<Dim>(n); }
  static Slot other(Slot image) { return image == Slot::image ? Slot::other_image : Slot::image; }

  Network network_;
  std::vector<Network::Workspace> workspaces_;
};

}  // namespace pantanal::onednn
