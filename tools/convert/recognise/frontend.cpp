#include "recognise/frontend.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "pantanal/core/finite.hpp"
#include "recognise/elementwise_region.hpp"
#include "recognise/frame_transform.hpp"
#include "recognise/linear_layer.hpp"
#include "recognise/pooling.hpp"

namespace pantanal::convert {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// The elementwise end: scale · ln(max(x, floor)).
struct LogScale {
  double scale = 0, floor = 0;
  const Fact* mel = nullptr;  ///< x
};

/// Finds scale and floor from the function's values, then holds it to them over its whole range.
Result<LogScale> match_log_scale(const Analysis& analysis, const Fact& spectrogram) {
  const std::string expected = "scale · ln(max(mel, floor)) of a product with the mel matrix";
  ElementwiseRegion region(analysis, spectrogram);
  while (region.grow() && !(region.input() && is_linear(*region.input()))) {
  }
  if (!region.input() || !is_linear(*region.input()))
    return fact_error(*spectrogram.origin, "operators " + region.operators(), expected);
  const std::vector<double> three = region({1e4, 1e2, 0});
  LogScale log{(three[0] - three[1]) / std::log(100.0), 0, region.input()};
  log.floor = std::exp(three[2] / log.scale);
  std::vector<double> mels;
  for (double mel = 1e-12; mel < 1e8; mel *= 1.5) mels.push_back(mel);
  const std::vector<double> values = region(mels);
  bool agrees = log.floor > 0;
  for (std::size_t i = 0; i < mels.size(); ++i) {
    const double wanted = log.scale * std::log(std::max(mels[i], log.floor));
    agrees = agrees && std::abs(values[i] - wanted) <= 1e-6 * std::abs(log.scale);
  }
  if (!agrees)
    return fact_error(*spectrogram.origin, region.operators() + ", which compute another function", expected);
  return log;
}

/// The mel matrix as [bins, mel_bands], and the magnitudes it is applied to.
Result<LinearLayer> match_mel(const Analysis& analysis, const Fact& product, std::vector<float>& mel) {
  PANTANAL_TRY(const LinearLayer layer, read_linear_layer(analysis, product, "the mel matrix"));
  if (!layer.is_dense() || !layer.bias.empty())
    return fact_error(product, layer.bias.empty() ? "a convolution over several frames" : "a bias",
                      "a product with the mel matrix alone");
  for (std::size_t bin = 0; bin < layer.inputs; ++bin)
    for (std::size_t band = 0; band < layer.outputs; ++band)
      mel.push_back(static_cast<float>(layer.weight(band, bin, 0)));
  if (all_finite(mel)) return layer;
  return fact_error(product, "a mel matrix with NaN or infinite entries", "finite entries",
                    ErrorCode::corrupt);
}

/// Real and imaginary part of every bin, as functions of the frame's samples.
struct Spectrum {
  Framing framing;
  MatrixXd real, imaginary;
};

/// Two values whose squares are added.
Result<Spectrum> spectrum_of_two(const Analysis& analysis, const Fact& magnitude, const NormMatch& norm) {
  Spectrum spectrum;
  MatrixXd* const parts[] = {&spectrum.real, &spectrum.imaginary};
  for (std::size_t i = 0; i < 2; ++i) {
    PANTANAL_TRY(const FrameTransform transform, read_frame_transform(analysis, *norm.terms[i]));
    if (i == 1 && transform.framing != spectrum.framing)
      return fact_error(magnitude, "real and imaginary part of different frames", "the same frames");
    spectrum.framing = transform.framing;
    *parts[i] = transform.matrix(feature_rows(norm.terms[i]->layout, analysis.axes()), Eigen::all);
  }
  if (spectrum.real.rows() == spectrum.imaginary.rows() && spectrum.real.cols() == spectrum.imaginary.cols())
    return spectrum;
  return fact_error(magnitude, "real and imaginary part of unequal size", "equal size", ErrorCode::mismatch);
}

/// One value with a dimension of two, (real, imaginary), that the norm reduces.
Result<Spectrum> spectrum_of_pairs(const Analysis& analysis, const Fact& magnitude, const NormMatch& norm) {
  const Layout& layout = norm.terms[0]->layout;
  if (norm.reduced.size() != 1 || extent_of(layout[norm.reduced[0]]) != Dim{2})
    return fact_error(magnitude, "a norm over " + to_string(extents_of(layout)),
                      "a norm over a dimension of two, real and imaginary part");
  PANTANAL_TRY(FrameTransform transform, read_frame_transform(analysis, *norm.terms[0]));
  Layout bins = layout;
  const Digits pair = std::exchange(bins[norm.reduced[0]], {});
  const std::vector<Index> rows = feature_rows(bins, analysis.axes());
  std::vector<Index> next = rows;
  for (Index& row : next) row += pair.front().stride;
  return Spectrum{transform.framing, transform.matrix(rows, Eigen::all), transform.matrix(next, Eigen::all)};
}

/// Largest deviation from the real (or, of either sign, imaginary) parts of a windowed DFT.
double deviation(const MatrixXd& part, const Eigen::RowVectorXd& window, bool imaginary, double sign) {
  const double length = 2.0 * static_cast<double>(part.rows() - 1);
  double worst = 0;
  for (Index bin = 0; bin < part.rows(); ++bin)
    for (Index t = 0; t < part.cols(); ++t) {
      const double angle = 2 * std::numbers::pi *
                           std::fmod(static_cast<double>(bin) * static_cast<double>(t), length) / length;
      const double wanted = window(t) * (imaginary ? sign * std::sin(angle) : std::cos(angle));
      worst = std::max(worst, std::isnan(part(bin, t)) ? INFINITY : std::abs(part(bin, t) - wanted));
    }
  return worst;
}

/// The window, if the spectrum is its DFT: bin k of 2·(bins - 1), either part first, either sign.
Result<std::vector<float>> match_dft(const Fact& magnitude, Spectrum spectrum) {
  constexpr double tolerance = 1e-3;  // of the window's peak: matrices computed in float32 are this far off
  if (spectrum.real.rows() < 2)
    return fact_error(magnitude, std::to_string(spectrum.real.rows()) + " bin", "bins of a DFT");
  if (spectrum.real.row(0).cwiseAbs().maxCoeff() < spectrum.imaginary.row(0).cwiseAbs().maxCoeff())
    std::swap(spectrum.real, spectrum.imaginary);
  const Eigen::RowVectorXd window = spectrum.real.row(0);  // bin 0 has angle 0
  const double peak = window.cwiseAbs().maxCoeff();
  const double real = deviation(spectrum.real, window, false, 1);
  const double imaginary = std::min(deviation(spectrum.imaginary, window, true, 1),
                                    deviation(spectrum.imaginary, window, true, -1));
  if (!(std::max(real, imaginary) <= tolerance * peak) || !(peak > 0))
    return fact_error(magnitude,
                      "a transform of each frame that is up to " +
                          std::to_string(std::max(real, imaginary) / peak) +
                          " of the window's peak away from a DFT of length " +
                          std::to_string(2 * (spectrum.real.rows() - 1)),
                      "a windowed DFT");
  std::vector<float> samples;
  for (const double value : window) samples.push_back(static_cast<float>(value));
  return samples;
}

}  // namespace

Result<FrontendMatch> match_frontend(const Analysis& analysis, const Fact& spectrogram) {
  FrontendMatch match;
  PANTANAL_TRY(const LogScale log, match_log_scale(analysis, spectrogram));
  PANTANAL_TRY(const LinearLayer mel, match_mel(analysis, *log.mel, match.mel));
  PANTANAL_TRY(const NormMatch norm, match_norm(analysis, *mel.input, "the magnitude of each bin"));
  PANTANAL_TRY(Spectrum spectrum, norm.terms.size() == 2 ? spectrum_of_two(analysis, *mel.input, norm)
                                                         : spectrum_of_pairs(analysis, *mel.input, norm));
  const Framing framing = spectrum.framing;
  const auto bins = static_cast<std::size_t>(spectrum.real.rows());
  if (bins != mel.inputs)
    return fact_error(*log.mel, "a mel matrix of " + std::to_string(mel.inputs) + " bins",
                      std::to_string(bins) + ", as the DFT gives", ErrorCode::mismatch);
  PANTANAL_TRY(match.window, match_dft(*mel.input, std::move(spectrum)));
  const Dims input = analysis.input().extents();
  std::int64_t samples = 1;
  for (std::size_t i = 1; i < input.size(); ++i) samples *= input[i].fixed;
  perch::Frontend& frontend = match.frontend;
  frontend.samples = static_cast<std::size_t>(samples);
  frontend.frame_length = match.window.size();
  frontend.hop_length = framing.hop;
  frontend.pad_left = framing.pad_left;
  frontend.pad_right = framing.pad_right;
  frontend.fft_size = 2 * (bins - 1);
  frontend.mel_bands = mel.outputs;
  frontend.floor = static_cast<float>(log.floor);
  frontend.scale = static_cast<float>(log.scale);
  if (frontend.samples + framing.pad_left + framing.pad_right >= frontend.frame_length &&
      frontend.frames() == framing.frames)
    return match;
  return fact_error(*log.mel, std::to_string(framing.frames) + " frames",
                    "as many as samples, hop and padding give");
}

}  // namespace pantanal::convert
