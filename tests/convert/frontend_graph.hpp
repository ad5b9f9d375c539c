// FrontendGraph: samples to spectrogram, as exporters write it.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "graph_spelling.hpp"

namespace pantanal::convert::fixtures {

class FrontendGraph {
 public:
  FrontendGraph(const perch::Model& model, const Spelling& spelling, GraphBuilder& builder,
                std::map<std::string, std::string>& places)
      : model_(model), s_(spelling), g_(builder), places_(places) {}

  /// [n, samples] -> [n, frames, mel_bands]
  std::string spectrogram(const std::string& samples);

 private:
  std::string frames(const std::string& samples);
  std::string framing_convolution(const std::string& samples, std::vector<float> kernel);
  std::string spectrum_by_convolution(const std::string& samples);
  std::vector<float> dft_matrix(std::int64_t rows, bool pairs) const;
  std::string magnitude(const std::string& samples);

  const std::string& mark(const std::string& place, const std::string& value) {
    return places_[place] = value;
  }

  const perch::Model& model_;
  const Spelling& s_;
  GraphBuilder& g_;
  std::map<std::string, std::string>& places_;
};

/// [n, samples] -> [n, frames, outputs], kernel [outputs, frame_length]
inline std::string FrontendGraph::framing_convolution(const std::string& samples, std::vector<float> kernel) {
  const perch::Frontend& f = model_.architecture.frontend;
  const auto length = static_cast<std::int64_t>(f.frame_length);
  const Shape shape{static_cast<std::int64_t>(kernel.size()) / length, 1, length};
  const Attributes attributes{
      {"strides", Integers{static_cast<std::int64_t>(f.hop_length)}},
      {"pads", Integers{static_cast<std::int64_t>(f.pad_left), static_cast<std::int64_t>(f.pad_right)}}};
  const std::string conv =
      g_.add("Conv", {g_.unsqueeze(samples, {1}), g_.floats(shape, std::move(kernel))}, attributes);
  return g_.transpose(mark("frames", conv), {0, 2, 1});
}

/// [n, samples] -> [n, frames, frame_length]
inline std::string FrontendGraph::frames(const std::string& samples) {
  const perch::Frontend& f = model_.architecture.frontend;
  if (!s_.gather_frames) {
    std::vector<float> identity(f.frame_length * f.frame_length);
    for (std::size_t i = 0; i < f.frame_length; ++i) identity[i * f.frame_length + i] = 1;
    return framing_convolution(samples, std::move(identity));
  }
  const auto left = static_cast<std::int64_t>(f.pad_left), right = static_cast<std::int64_t>(f.pad_right);
  const std::string padded = g_.add("Pad", {samples, g_.ints({0, left, 0, right})});
  Constant table{DataType::int64,
                 {static_cast<std::int64_t>(f.frames()), static_cast<std::int64_t>(f.frame_length)},
                 {},
                 {},
                 {}};
  for (std::size_t frame = 0; frame < f.frames(); ++frame)
    for (std::size_t t = 0; t < f.frame_length; ++t)
      table.ints.push_back(static_cast<std::int64_t>(frame * f.hop_length + t));
  return mark("frames",
              g_.add("Gather", {padded, g_.constant(std::move(table))}, {{"axis", std::int64_t{1}}}));
}

/// cos and -sin of 2πkt/fft_size for t < rows: [rows, bins, 2] as pairs, otherwise [rows, 2, bins].
inline std::vector<float> FrontendGraph::dft_matrix(std::int64_t rows, bool pairs) const {
  const perch::Frontend& f = model_.architecture.frontend;
  const auto size = static_cast<std::int64_t>(f.fft_size), bins = static_cast<std::int64_t>(f.bins());
  std::vector<float> matrix(static_cast<std::size_t>(rows * 2 * bins));
  for (std::int64_t t = 0; t < rows; ++t)
    for (std::int64_t k = 0; k < bins; ++k) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(k * t % size) / static_cast<double>(size);
      matrix[static_cast<std::size_t>(t * 2 * bins + (pairs ? 2 * k : k))] =
          static_cast<float>(std::cos(angle));
      matrix[static_cast<std::size_t>(t * 2 * bins + (pairs ? 2 * k + 1 : bins + k))] =
          static_cast<float>(-std::sin(angle));
    }
  return matrix;
}

/// Window and DFT matrix inside the framing convolution's kernel: [n, samples] -> [n, frames, 2 · bins].
inline std::string FrontendGraph::spectrum_by_convolution(const std::string& samples) {
  const perch::Frontend& f = model_.architecture.frontend;
  const std::size_t outputs = 2 * f.bins();
  std::vector<float> matrix = dft_matrix(static_cast<std::int64_t>(f.frame_length), false);
  for (std::size_t t = 0; t < f.frame_length; ++t)
    for (std::size_t o = 0; o < outputs; ++o) matrix[t * outputs + o] *= model_.values("frontend.window")[t];
  return framing_convolution(samples, transposed(matrix, f.frame_length, outputs));
}

/// [n, samples] -> [n, frames, bins]
inline std::string FrontendGraph::magnitude(const std::string& samples) {
  using enum Spelling::Transform;
  const perch::Frontend& f = model_.architecture.frontend;
  const auto size = static_cast<std::int64_t>(f.fft_size), bins = static_cast<std::int64_t>(f.bins());
  const auto root_of_halves = [&](const std::string& parts) {
    return g_.add("Sqrt", {g_.reduce("ReduceSumSquare", g_.reshape(parts, {0, 0, 2, bins}), {2}, false)});
  };
  if (s_.transform == folded_conv) return root_of_halves(spectrum_by_convolution(samples));
  const perch::Tensor& window = model_.tensors.at("frontend.window");
  const std::string factors =
      g_.floats({1, 1, window.shape[0]}, {window.values.begin(), window.values.end()});
  const std::string windowed = mark("windowed", g_.add("Mul", {frames(samples), factors}));
  const std::string padded = g_.add("Pad", {windowed, g_.ints({0, 0, 0, 0, 0, size - window.shape[0]})});
  if (s_.transform == dft) {
    const Attributes attributes{{"axis", std::int64_t{2}}, {"onesided", std::int64_t{1}}};
    return g_.reduce("ReduceL2", mark("spectrum", g_.add("DFT", {g_.unsqueeze(padded, {3})}, attributes)),
                     {-1}, false);
  }
  const std::vector<float> matrix = dft_matrix(size, s_.transform == pairs);
  const std::string product =
      mark("spectrum", g_.add("MatMul", {padded, g_.floats({size, 2 * bins}, matrix)}));
  if (s_.transform == pairs) return g_.reduce("ReduceL2", g_.reshape(product, {0, 0, bins, 2}), {-1}, false);
  if (s_.transform == halves) return root_of_halves(product);
  const Names parts = g_.add_many("Split", {product, g_.ints({bins, bins})}, 2, {{"axis", std::int64_t{-1}}});
  return g_.add(
      "Sqrt",
      {g_.add("Add", {g_.add("Mul", {parts[0], parts[0]}), g_.add("Pow", {parts[1], g_.scalar(2)})})});
}

inline std::string FrontendGraph::spectrogram(const std::string& samples) {
  const perch::Frontend& f = model_.architecture.frontend;
  const perch::Tensor& mel = model_.tensors.at("frontend.mel");
  const std::string matrix = g_.floats(mel.shape, {mel.values.begin(), mel.values.end()});
  return s_.log(g_, mark("mel", g_.add("MatMul", {magnitude(samples), matrix})), f.floor, f.scale);
}

}  // namespace pantanal::convert::fixtures
