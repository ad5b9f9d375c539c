// DFT: the discrete Fourier transform, as products with matrices of cosines and sines.
#include <cmath>
#include <numbers>

#include "interpreter/indexing.hpp"
#include "interpreter/matrix.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// Real and imaginary parts of signals, one per row.
template <class Real>
struct Signals {
  Matrix<Real> real, imaginary;
};

struct Options {
  bool inverse = false, onesided = false;
  std::size_t axis = 0;
  std::int64_t length = 0;  ///< of the transform

  bool to_real() const { return inverse && onesided; }
  std::int64_t bins() const { return onesided && !inverse ? length / 2 + 1 : length; }
};

/// The axis is an attribute, by default 1, before operator set 20 and input 2, by default -2, since. The
/// length is input 1; by default it is the axis' extent, or for an inverse one-sided transform 2·(extent −
/// 1).
template <class Real>
Result<Options> read_options(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  const Shape& shape = call.input(0).shape;
  Options options;
  PANTANAL_TRY(const std::int64_t inverse, call.integer("inverse", 0));
  PANTANAL_TRY(const std::int64_t onesided, call.integer("onesided", 0));
  options.inverse = inverse != 0;
  options.onesided = onesided != 0;
  if (shape.size() < 2 || (shape.back() != 1 && shape.back() != 2))
    return call.error(ErrorCode::mismatch, call.describe(0), "real [..., 1] or complex [..., 2] signals");
  if (options.onesided && shape.back() != (options.inverse ? 2 : 1))
    return call.error(ErrorCode::mismatch, call.describe(0),
                      options.inverse ? "complex [..., 2] spectra, since onesided and inverse are set"
                                      : "real [..., 1] signals, since onesided is set");
  PANTANAL_TRY(std::int64_t axis, call.integer("axis", call.opset() < 20 ? 1 : -2));
  if (call.has_input(2)) {
    PANTANAL_TRY(axis, call.integer_scalar(2));
  }
  PANTANAL_TRY(options.axis, call.axis(axis, shape.size()));
  if (options.axis + 1 == shape.size())
    return call.error(ErrorCode::mismatch, "axis " + std::to_string(axis), "an axis other than the last");
  const std::int64_t extent = shape[options.axis];
  options.length = options.to_real() ? 2 * (extent - 1) : extent;
  if (call.has_input(1)) {
    PANTANAL_TRY(options.length, call.integer_scalar(1));
  }
  if (options.length < 1)
    return call.error(ErrorCode::mismatch, "a transform of length " + std::to_string(options.length),
                      "1 or more");
  return options;
}

/// All axes but the transformed one and the last, then these two.
std::vector<std::size_t> signals_last(std::size_t rank, std::size_t axis) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i + 1 < rank; ++i)
    if (i != axis) order.push_back(i);
  order.insert(order.end(), {axis, rank - 1});
  return order;
}

/// Undoes signals_last: where each axis went.
std::vector<std::size_t> inverse_order(const std::vector<std::size_t>& order) {
  std::vector<std::size_t> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) inverse[order[i]] = i;
  return inverse;
}

/// The signals cut or filled with zeros to the transform's length. For a one-sided spectrum, the other side
/// is filled with the conjugates X[length − k] = X[k]*.
template <class Real>
Signals<Real> read_signals(const Tensor<Real>& arranged, const Options& options) {
  const std::int64_t parts = arranged.shape.back(), extent = arranged.shape[arranged.rank() - 2];
  const std::int64_t count = extent == 0 ? 0 : static_cast<std::int64_t>(arranged.size()) / (extent * parts);
  const std::int64_t used = std::min(extent, options.to_real() ? options.length / 2 + 1 : options.length);
  Signals<Real> signals{Matrix<Real>::Zero(count, options.length),
                        Matrix<Real>::Zero(parts == 2 ? count : 0, options.length)};
  for (std::int64_t row = 0; row < count; ++row)
    for (std::int64_t n = 0; n < used; ++n) {
      const Real* x = arranged.reals->data() + (row * extent + n) * parts;
      signals.real(row, n) = x[0];
      if (parts == 2) signals.imaginary(row, n) = x[1];
      if (options.to_real() && n > 0 && 2 * n < options.length) {
        signals.real(row, options.length - n) = x[0];
        signals.imaginary(row, options.length - n) = -x[1];
      }
    }
  return signals;
}

/// cos and sin of 2π·n·k / length for all n and for k = first, …, first + count − 1.
template <class Real>
Signals<Real> waves(std::int64_t length, std::int64_t first, std::int64_t count) {
  Signals<Real> result{Matrix<Real>(length, count), Matrix<Real>(length, count)};
  for (std::int64_t n = 0; n < length; ++n)
    for (std::int64_t k = 0; k < count; ++k) {
      const double turns = static_cast<double>(n * (first + k) % length) / static_cast<double>(length);
      result.real(n, k) = static_cast<Real>(std::cos(2 * std::numbers::pi * turns));
      result.imaginary(n, k) = static_cast<Real>(std::sin(2 * std::numbers::pi * turns));
    }
  return result;
}

/// Σ x[n]·e^∓(2πi·n·k / length), times 1/length if inverse, as [signals, bins, parts].
template <class Real>
std::vector<Real> transform(const Signals<Real>& x, const Options& options, std::size_t size) {
  constexpr std::int64_t block = 128;  // bins at a time, so that the waves stay small
  const std::int64_t bins = options.bins(), parts = options.to_real() ? 1 : 2;
  const Real sign = options.inverse ? Real(1) : Real(-1);
  const Real scale = options.inverse ? 1 / static_cast<Real>(options.length) : Real(1);
  const bool is_complex = x.imaginary.rows() > 0;
  std::vector<Real> result(size);
  for (std::int64_t first = 0; first < bins; first += block) {
    const std::int64_t count = std::min(block, bins - first);
    const Signals<Real> wave = waves<Real>(options.length, first, count);
    Matrix<Real> real = x.real * wave.real, imaginary = sign * x.real * wave.imaginary;
    if (is_complex) {
      real -= sign * x.imaginary * wave.imaginary;
      imaginary += x.imaginary * wave.real;
    }
    for (std::int64_t row = 0; row < real.rows(); ++row)
      for (std::int64_t k = 0; k < count; ++k) {
        Real* y = result.data() + (row * bins + first + k) * parts;
        y[0] = scale * real(row, k);
        if (parts == 2) y[1] = scale * imaginary(row, k);
      }
  }
  return result;
}

template <class Real>
Result<Tensors<Real>> dft(const Call<Real>& call) {
  PANTANAL_TRY(const Options options, read_options(call));
  const Tensor<Real>& input = call.input(0);
  const std::vector<std::size_t> order = signals_last(input.rank(), options.axis);
  const Tensor<Real> arranged = permuted(input, order);
  Shape shape = arranged.shape;
  shape.back() = 2;
  shape[shape.size() - 2] = options.length;
  PANTANAL_TRY_STATUS(call.size_of(shape));
  PANTANAL_TRY_STATUS(call.size_of({options.length, 256}));
  shape.back() = options.to_real() ? 1 : 2;
  shape[shape.size() - 2] = options.bins();
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  PANTANAL_TRY_STATUS(call.check_work({static_cast<std::int64_t>(size), options.length, 2}));
  const Tensor<Real> result = real_tensor(shape, transform(read_signals(arranged, options), options, size));
  return Tensors<Real>{permuted(result, inverse_order(order))};
}

}  // namespace

template <class Real>
Operators<Real> dft_operators() {
  return {{"DFT", dft<Real>, 1, 3, 1, {"axis", "inverse", "onesided"}}};
}

template Operators<float> dft_operators<float>();
template Operators<double> dft_operators<double>();

}  // namespace pantanal::convert::interpreter
