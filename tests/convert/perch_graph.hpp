// PerchGraph: a Perch model as the ONNX graph of an exporter, in any spelling.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend_graph.hpp"
#include "graph_spelling.hpp"
#include "pantanal/perch/model.hpp"
#include "perch/random_model.hpp"

namespace pantanal::convert::fixtures {

class PerchGraph {
 public:
  explicit PerchGraph(const perch::Model& model, Spelling spelling = {}, std::int64_t opset = 18)
      : model_(model), s_(std::move(spelling)), g_(opset) {
    if (!s_.dense) s_.dense = matmul_dense;
    if (!s_.best) s_.best = matmul_best;
    build();
  }

  Graph graph() && { return std::move(g_.graph); }

  /// Names of values that tests change: "stem.conv", "blocks.3.depthwise.conv", "blocks.3.skip", ...
  const std::map<std::string, std::string>& places() const { return places_; }

 private:
  void build();
  std::string convolution(const std::string& name, const std::string& x, const perch::ConvGeometry& geometry,
                          std::int64_t groups, perch::Extent size, bool biased);
  std::string batch_norm(const std::string& name, const std::string& x, std::span<const float> scale,
                         std::span<const float> shift);
  std::string activation(perch::Activation kind, const std::string& x);
  std::string block(std::size_t index, const std::string& x, perch::Extent in, perch::Extent out);
  std::string squeeze_excite(const std::string& name, const std::string& x, perch::Activation kind,
                             perch::Extent size);
  std::string label(const std::string& x, perch::Extent size);

  const perch::Tensor& tensor(const std::string& name) const { return model_.tensors.at(name); }
  const std::string& mark(const std::string& place, const std::string& value) {
    return places_[place] = value;
  }
  /// A vector per channel, as it broadcasts over an image.
  std::string per_channel(std::vector<float> values) {
    const auto n = static_cast<std::int64_t>(values.size());
    return g_.floats(s_.plain ? Shape{1, n, 1, 1} : Shape{1, 1, 1, n}, std::move(values));
  }

  const perch::Model& model_;
  Spelling s_;
  GraphBuilder g_;
  std::map<std::string, std::string> places_;
};

inline void PerchGraph::build() {
  const perch::Architecture& a = model_.architecture;
  const auto extent = [](std::size_t size) { return static_cast<std::int64_t>(size); };
  g_.graph.inputs.push_back({"inputs", {-1, extent(a.frontend.samples)}});
  const std::string spectrogram =
      mark("spectrogram", FrontendGraph(model_, s_, g_, places_).spectrogram("inputs"));
  std::string x = g_.unsqueeze(spectrogram, {s_.plain ? 1 : 3});
  const std::vector<perch::Extent> sizes = a.extents();
  x = convolution("stem", x, a.stem.conv, 1, a.spectrogram_extent(), true);
  x = mark("stem", activation(a.stem.activation, x));
  for (std::size_t i = 0; i < a.blocks.size(); ++i) x = block(i, s_.nothing(g_, x), sizes[i], sizes[i + 1]);
  x = convolution("head", x, {1, 1, {}}, 1, sizes.back(), true);
  x = mark("head", activation(a.head.activation, x));
  const std::int64_t positions = extent(sizes.back().positions());
  const std::string embedding =
      mark("embedding", s_.mean(g_, x, s_.plain ? Integers{2, 3} : Integers{1, 2}, positions));
  const std::string spatial = s_.plain ? g_.transpose(x, {0, 2, 3, 1}) : x;
  g_.output(embedding, "embedding");
  g_.output(spatial, "spatial_embedding");
  g_.output(spectrogram, "spectrogram");
  if (a.label.classes > 0) g_.output(mark("label", label(spatial, sizes.back())), "label");
}

inline std::string PerchGraph::batch_norm(const std::string& name, const std::string& x,
                                          std::span<const float> scale, std::span<const float> shift) {
  std::vector<float> first(scale.begin(), scale.end()), second(shift.begin(), shift.end());
  switch (s_.batch_norm) {
    case Spelling::BatchNorm::folded:
      return x;
    case Spelling::BatchNorm::mul_add: {
      const std::string scaled = mark(name + ".scale", g_.add("Mul", {x, per_channel(first)}));
      return mark(name + ".shift", g_.add("Add", {per_channel(second), scaled}));
    }
    case Spelling::BatchNorm::sub_div: {  // (x - m) / d
      for (std::size_t i = 0; i < first.size(); ++i) {
        second[i] = -second[i] / first[i];
        first[i] = 1 / first[i];
      }
      return g_.add("Div", {g_.add("Sub", {x, per_channel(second)}), per_channel(first)});
    }
    case Spelling::BatchNorm::node:
      break;
  }
  const auto n = static_cast<std::int64_t>(first.size());
  const std::vector<float> mean(first.size(), 0.25f), variance(first.size(), 4.0f - 1e-3f);
  for (std::size_t i = 0; i < first.size(); ++i) {
    second[i] += first[i] * 0.25f;
    first[i] *= 2;
  }
  const std::string image = s_.plain ? x : g_.transpose(x, {0, 3, 1, 2});
  const std::string y = g_.add(
      "BatchNormalization",
      {image, g_.floats({n}, first), g_.floats({n}, second), g_.floats({n}, mean), g_.floats({n}, variance)},
      {{"epsilon", 1e-3f}});
  return s_.plain ? y : g_.transpose(y, {0, 2, 3, 1});
}

/// The layer `name` of the model: its weight divided by powers of two, which the batch norm multiplies back,
/// so that folding gives the model's weights bit for bit. `biased`: with a bias before the batch norm, too.
inline std::string PerchGraph::convolution(const std::string& name, const std::string& x,
                                           const perch::ConvGeometry& geometry, std::int64_t groups,
                                           perch::Extent size, bool biased) {
  const perch::Tensor &weight = tensor(name + ".weight"), &bias = tensor(name + ".bias");
  const std::size_t outputs = bias.values.size(), each = weight.values.size() / outputs;
  const bool folded = s_.batch_norm == Spelling::BatchNorm::folded;
  std::vector<float> scaled(weight.values.begin(), weight.values.end()), scale(outputs),
      shift(bias.values.begin(), bias.values.end());
  for (std::size_t o = 0; o < outputs; ++o) {
    scale[o] = folded ? 1 : (o % 3 == 0 ? -0.5f : o % 3 == 1 ? 2.0f : 4.0f);
    for (std::size_t i = 0; i < each; ++i) scaled[o * each + i] /= scale[o];
    if (biased && !folded) shift[o] -= 0.5f * scale[o];
  }
  const perch::Pads& p = geometry.pads;
  Integers pads{static_cast<std::int64_t>(p.top), static_cast<std::int64_t>(p.left),
                static_cast<std::int64_t>(p.bottom), static_cast<std::int64_t>(p.right)};
  Attributes attributes{{"strides", Integers(2, static_cast<std::int64_t>(geometry.stride))},
                        {"group", groups}};
  std::string image = s_.plain ? x : g_.transpose(x, {0, 3, 1, 2});
  const bool any = geometry.pads != perch::Pads{};
  if (any && s_.pads == Spelling::Pads::pad_node) {
    image = g_.add("Pad", {image, g_.ints({0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]}), g_.scalar(0)});
  } else if (any && s_.pads == Spelling::Pads::zeros_joined) {
    const auto zeros = [&](std::int64_t h, std::int64_t w) {
      return g_.floats({1, weight.shape[0], h, w},
                       std::vector<float>(static_cast<std::size_t>(weight.shape[0] * h * w)));
    };
    const auto batch = [&](const std::string& z) {  // as many zeros as there are windows
      const std::string n = g_.add("Slice", {g_.add("Shape", {image}), g_.ints({0}), g_.ints({1})});
      return g_.add("Expand", {z, g_.add("Concat", {n, g_.ints({1, 1, 1})}, {{"axis", std::int64_t{0}}})});
    };
    const auto height = static_cast<std::int64_t>(size.height), width = static_cast<std::int64_t>(size.width);
    const auto join = [&](std::int64_t axis, const std::string& before, const std::string& behind,
                          std::int64_t a, std::int64_t b) {
      Names parts;
      if (a > 0) parts.push_back(batch(before));
      parts.push_back(image);
      if (b > 0) parts.push_back(batch(behind));
      image = g_.add("Concat", parts, {{"axis", axis}});
    };
    join(2, zeros(pads[0], width), zeros(pads[2], width), pads[0], pads[2]);
    join(3, zeros(height + pads[0] + pads[2], pads[1]), zeros(height + pads[0] + pads[2], pads[3]), pads[1],
         pads[3]);
  } else if (any && s_.pads == Spelling::Pads::automatic) {
    attributes["auto_pad"] = std::string("SAME_UPPER");
  } else {
    attributes["pads"] = pads;
  }
  Names inputs{image, g_.floats(weight.shape, std::move(scaled))};
  if (folded) inputs.push_back(g_.floats(bias.shape, shift));
  if (biased && !folded) inputs.push_back(g_.floats(bias.shape, std::vector<float>(outputs, 0.5f)));
  std::string y = mark(name + ".conv", g_.add("Conv", std::move(inputs), std::move(attributes)));
  if (!s_.plain) y = g_.transpose(y, {0, 2, 3, 1});
  return batch_norm(name, y, scale, shift);
}

inline std::string PerchGraph::activation(perch::Activation kind, const std::string& x) {
  if (kind == perch::Activation::relu) return s_.relu(g_, x);
  return s_.swish ? s_.swish(g_, x) : g_.add("Mul", {x, s_.sigmoid(g_, x)});
}

inline std::string PerchGraph::squeeze_excite(const std::string& name, const std::string& x,
                                              perch::Activation kind, perch::Extent size) {
  const std::string pooled =
      s_.mean(g_, x, s_.plain ? Integers{2, 3} : Integers{1, 2}, static_cast<std::int64_t>(size.positions()));
  const std::string reduced =
      mark(name + ".se.reduce",
           s_.dense(g_, pooled, tensor(name + ".se.reduce.weight"), tensor(name + ".se.reduce.bias")));
  const std::string squeezed = mark(name + ".se.activation", activation(kind, reduced));
  const std::string excited =
      mark(name + ".se.expand",
           s_.dense(g_, squeezed, tensor(name + ".se.expand.weight"), tensor(name + ".se.expand.bias")));
  const std::string opened =
      g_.unsqueeze(s_.sigmoid(g_, excited), s_.plain ? Integers{2, 3} : Integers{1, 2});
  return mark(name + ".gated", s_.gate(g_, x, opened));
}

inline std::string PerchGraph::block(std::size_t index, const std::string& x, perch::Extent in,
                                     perch::Extent out) {
  const perch::Block& b = model_.architecture.blocks[index];
  const std::string name = "blocks." + std::to_string(index);
  std::string y = x;
  if (b.has_expand)
    y = mark(name + ".expand",
             activation(b.expand_activation, convolution(name + ".expand", x, {1, 1, {}}, 1, in, false)));
  y = convolution(name + ".depthwise", y, b.depthwise, static_cast<std::int64_t>(b.expanded_channels), in,
                  false);
  y = mark(name + ".depthwise", activation(b.depthwise_activation, y));
  y = squeeze_excite(name, y, b.se_activation, out);
  y = convolution(name + ".project", y, {1, 1, {}}, 1, out, false);
  return b.has_skip ? mark(name + ".skip", g_.add("Add", {y, x})) : y;
}

inline std::string PerchGraph::label(const std::string& x, perch::Extent size) {
  const perch::LabelHead& head = model_.architecture.label;
  const auto channels = static_cast<std::int64_t>(model_.architecture.head.channels);
  const std::string flat = g_.reshape(x, {-1, static_cast<std::int64_t>(size.positions()), channels});
  const std::string best = s_.best(g_, s_.unit(g_, flat, head.eps), tensor("label.prototypes"));
  const perch::Tensor& scale = tensor("label.scale");
  std::vector<float> values(scale.values.begin(), scale.values.end());
  if (s_.raw_scale)  // what max(0, k) makes zero was negative
    for (float& value : values) value = value == 0 ? -0.75f : value;
  std::string k = g_.floats(scale.shape, std::move(values));
  if (s_.raw_scale) k = g_.add("Max", {k, g_.scalar(0)});
  const std::string sum = g_.reduce("ReduceSum", mark("weighted", g_.add("Mul", {k, best})), {-1}, false);
  const perch::Tensor& bias = tensor("label.bias");
  return g_.add("Add", {sum, g_.floats(bias.shape, {bias.values.begin(), bias.values.end()})});
}

/// Perch v2's seven stages, nine blocks, a tenth of a second of audio: every kind of layer, and a frequency
/// axis that shrinks to one.
inline perch::Architecture family_architecture(std::size_t stem_kernel = 3) {
  perch::Architecture a;
  a.stem.conv.kernel = stem_kernel;
  a.frontend = {.samples = 3200,
                .sample_rate = 32000,
                .frame_length = 64,
                .hop_length = 32,
                .pad_left = 16,
                .pad_right = 16,
                .fft_size = 128,
                .mel_bands = 32};
  a.stem.channels = 8;
  a.head.channels = 12;
  a.label = {.classes = 5, .prototypes = 2};
  perch::fixtures::append_stages(a, {{2, 4, 3, 1, 1},
                                     {1, 4, 3, 2, 6},
                                     {1, 6, 5, 2, 6},
                                     {1, 6, 3, 2, 6},
                                     {2, 8, 5, 1, 6},
                                     {1, 8, 5, 2, 6},
                                     {1, 8, 3, 1, 6}});
  return a;
}

inline perch::Model family_model(std::uint64_t seed = 1) {
  return perch::fixtures::random_model(family_architecture(), seed);
}

}  // namespace pantanal::convert::fixtures
