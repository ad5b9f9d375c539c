// Tensor: a value inside the interpreter. Its elements are shared and never change, so that a Reshape costs
// nothing and a constant of the graph is not copied.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "pantanal/core/shape.hpp"

namespace pantanal::convert::interpreter {

using pantanal::to_string;

/// What the elements are. Booleans are stored as integers 0 and 1.
enum class Kind { real, integer, boolean };

inline const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::real:
      return "real";
    case Kind::integer:
      return "integer";
    case Kind::boolean:
      return "boolean";
  }
  return "unknown";
}

template <class T>
using Elements = std::shared_ptr<const std::vector<T>>;

/// `reals` is set for Kind::real, `integers` otherwise. Row-major.
template <class Real>
struct Tensor {
  Kind kind = Kind::real;
  Shape shape;
  Elements<Real> reals;
  Elements<std::int64_t> integers;

  std::size_t rank() const { return shape.size(); }
  std::size_t size() const { return kind == Kind::real ? reals->size() : integers->size(); }
};

template <class Real>
using Tensors = std::vector<Tensor<Real>>;

template <class Real>
Tensor<Real> real_tensor(Shape shape, std::vector<Real> values) {
  return {Kind::real, std::move(shape), std::make_shared<const std::vector<Real>>(std::move(values)),
          nullptr};
}

/// `kind` is integer or boolean.
template <class Real>
Tensor<Real> integer_tensor(Kind kind, Shape shape, std::vector<std::int64_t> values) {
  return {kind, std::move(shape), nullptr,
          std::make_shared<const std::vector<std::int64_t>>(std::move(values))};
}

/// Number of elements, or nothing if an extent is negative or the non-zero extents multiply to more than
/// `limit`: within the limit no arithmetic on indices overflows.
inline std::optional<std::int64_t> bounded_count(const Shape& shape, std::int64_t limit) {
  Shape non_zero = shape;
  std::replace(non_zero.begin(), non_zero.end(), std::int64_t{0}, std::int64_t{1});
  const std::optional<std::int64_t> bound = element_count(non_zero);
  return bound && *bound <= limit ? element_count(shape) : std::nullopt;
}

/// The same elements seen in another shape of equal size.
template <class Real>
Tensor<Real> reshaped(Tensor<Real> tensor, Shape shape) {
  tensor.shape = std::move(shape);
  return tensor;
}

/// A tensor of the same kind whose elements are f(elements), f taking and returning a vector of either type.
template <class Real, class F>
Tensor<Real> with_elements(const Tensor<Real>& tensor, Shape shape, F&& f) {
  if (tensor.kind == Kind::real) return real_tensor<Real>(std::move(shape), f(*tensor.reals));
  return integer_tensor<Real>(tensor.kind, std::move(shape), f(*tensor.integers));
}

}  // namespace pantanal::convert::interpreter
