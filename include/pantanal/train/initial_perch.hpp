// A Perch model to train from scratch: its frontend, drawn weights, and scales that fit the data.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/autograd/dropout.hpp"
#include "pantanal/core/philox.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/train/perch_state.hpp"
#include "pantanal/train/perch_step.hpp"

namespace pantanal::train {

namespace detail {

/// A symmetric Hann window that sums to 1, as Perch's.
inline std::vector<float> hann_window(std::size_t length) {
  std::vector<double> window(length, 1.0);
  double sum = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (length > 1)
      window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                       static_cast<double>(length - 1));
    sum += window[i];
  }
  std::vector<float> scaled;
  for (const double w : window) scaled.push_back(static_cast<float>(w / sum));
  return scaled;
}

/// [bins, mel_bands]: triangles between points that are equally spaced on the HTK mel scale from 60 Hz to
/// half the sample rate, as Perch's.
inline std::vector<float> mel_bands(const perch::Frontend& f) {
  const auto mel = [](double hertz) { return 1127 * std::log1p(hertz / 700); };
  const double nyquist = static_cast<double>(f.sample_rate) / 2, lowest = mel(60);
  const double spacing = (mel(nyquist) - lowest) / static_cast<double>(f.mel_bands + 1);
  std::vector<float> weights(f.bins() * f.mel_bands);
  for (std::size_t bin = 1; bin < f.bins(); ++bin) {
    const double hertz = nyquist * static_cast<double>(bin) / static_cast<double>(f.bins() - 1),
                 place = (mel(hertz) - lowest) / spacing;
    for (std::size_t band = 0; band < f.mel_bands; ++band)
      weights[bin * f.mel_bands + band] =
          static_cast<float>(std::max(0.0, 1 - std::abs(place - static_cast<double>(band + 1))));
  }
  return weights;
}

inline std::vector<float> initial_perch_values(const TensorSpec& spec, const perch::Architecture& a,
                                               Random random) {
  const std::string& name = spec.name;
  if (name == "frontend.window") return hann_window(a.frontend.frame_length);
  if (name == "frontend.mel") return mel_bands(a.frontend);
  std::vector<float> values(static_cast<std::size_t>(element_count(spec.shape).value_or(0)));
  const auto fan_in = static_cast<double>(values.size()) / static_cast<double>(spec.shape.front());
  double deviation = 0, mean = 0;
  if (name.ends_with(".weight")) deviation = std::sqrt((name.find(".se.") == name.npos ? 2 : 1) / fan_in);
  if (name == "label.prototypes") deviation = 1;
  if (name == "label.scale") mean = 4;
  if (name == "label.bias") mean = -3;
  for (float& x : values) x = static_cast<float>(mean + (deviation > 0 ? deviation * random.normal() : 0));
  return values;
}

}  // namespace detail

/// A model of `architecture`, which must be valid and have a label head: Perch's window and mel bands;
/// weights N(0, 2/fan_in), those of squeeze-and-excite N(0, 1/fan_in), prototypes N(0, 1); biases 0, scales
/// of the label head 4, its biases -3. Tensor i of perch::required_tensors reads the stream (seed,
/// purpose::initial_state, i). One label per class. Source: He et al. 2015, arXiv:1502.01852.
inline perch::Model initial_perch(const perch::Architecture& architecture, std::vector<std::string> labels,
                                  std::uint64_t seed) {
  perch::Model model{architecture, std::move(labels), {"none", std::string(64, '0'), "trained"}, {}};
  const std::vector<TensorSpec> specs = perch::required_tensors(architecture);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const RandomStream stream{
        .seed = seed, .purpose = autograd::purpose::initial_state, .step = static_cast<std::uint32_t>(i)};
    model.tensors.emplace(
        specs[i].name,
        make_tensor(specs[i].shape, detail::initial_perch_values(specs[i], architecture, Random(stream))));
  }
  return model;
}

/// `model` with a label head for `labels`, drawn as initial_perch() does: to fine-tune it to other classes.
inline perch::Model with_new_label_head(const perch::Model& model, std::vector<std::string> labels,
                                        std::size_t prototypes, std::uint64_t seed) {
  perch::Model changed = model;
  changed.architecture.label.classes = labels.size();
  changed.architecture.label.prototypes = prototypes;
  perch::Model drawn = initial_perch(changed.architecture, labels, seed);
  for (const char* name : {"label.prototypes", "label.scale", "label.bias"})
    changed.tensors.insert_or_assign(name, drawn.tensors.at(name));
  changed.labels = std::move(labels);
  return changed;
}

namespace detail {

/// Makes what convolution `index` gives have mean 0 and deviation 1 in each channel over the first `images`
/// images of the tape; a third of that where it is added to a skip.
inline void calibrate(autograd::PerchNetwork& network, std::size_t index, std::size_t images) {
  const autograd::ConvolutionOutput out = network.convolutions()[index];
  const auto scale = network.parameters()[out.name + ".scale"].value,
             bias = network.parameters()[out.name + ".bias"].value;
  const std::size_t rows = images * out.positions;
  for (std::size_t c = 0; c < out.channels; ++c) {
    const auto value = [&](std::size_t r) {
      const std::size_t at = r * out.sum.stride + c;
      return double{out.sum.data[at]} - (out.skip ? double{out.skip[at]} : 0.0);
    };
    double mean = 0, variance = 0;
    for (std::size_t r = 0; r < rows; ++r) mean += value(r) / static_cast<double>(rows);
    for (std::size_t r = 0; r < rows; ++r)
      variance += (value(r) - mean) * (value(r) - mean) / static_cast<double>(rows);
    const double factor = (out.skip ? 1.0 / 3 : 1.0) / std::sqrt(variance + 1e-10);
    scale[c] = static_cast<float>(scale[c] * factor);
    bias[c] = static_cast<float>((bias[c] - mean) * factor);
  }
}

}  // namespace detail

/// `model` with scales and biases such that each convolution's channels have mean 0 and deviation 1 over the
/// first 16 of `data`, spectrograms: what BatchNorm would see in its first batch, folded in once. Sources:
/// Salimans and Kingma 2016, "Weight Normalization", arXiv:1602.07868, section 3; Mishkin and Matas 2016,
/// "All you need is a good init", arXiv:1511.06422. Errors: as validate() of the data.
inline Result<perch::Model> calibrated_perch(const perch::Model& model, const PerchData& data) {
  const std::size_t images = std::min<std::size_t>(16, data.windows);
  PerchStep step(model.architecture, {}, {.batch = std::max<std::size_t>(images, 1)});
  autograd::PerchNetwork& network = step.network();
  PANTANAL_TRY_STATUS(validate(data, network.input_floats(), network.classes(), "calibrated_perch"));
  PANTANAL_TRY_STATUS(network.parameters().load(perch_state(model, {}), "calibrated_perch"));
  const PerchData batch{data.inputs.first(images * network.input_floats()),
                        data.labels.first(images * network.classes()), images};
  for (std::size_t i = 0; i < network.convolutions().size(); ++i) {
    step.gradients(batch);  // its forward is what is wanted
    detail::calibrate(network, i, images);
  }
  return perch_model(model, network.parameters().state_dict());
}

}  // namespace pantanal::train
