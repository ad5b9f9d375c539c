// Dim: an extent or an integer of a shape computation that may depend on the batch size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pantanal/core/shape.hpp"

namespace pantanal::convert {

using pantanal::to_string;

/// fixed + per_batch · n, n being the unknown batch size, at least 1.
struct Dim {
  std::int64_t fixed = 0, per_batch = 0;

  bool is_fixed() const { return per_batch == 0; }
  bool operator==(const Dim&) const = default;
};

using Dims = std::vector<Dim>;

/// Sum, difference, product and ONNX's truncated quotient; nothing where it overflows or is no such number.
inline std::optional<Dim> add(Dim a, Dim b) {
  Dim sum;
  if (__builtin_add_overflow(a.fixed, b.fixed, &sum.fixed)) return std::nullopt;
  if (__builtin_add_overflow(a.per_batch, b.per_batch, &sum.per_batch)) return std::nullopt;
  return sum;
}

inline std::optional<Dim> multiply(Dim a, Dim b) {
  if (!a.is_fixed()) std::swap(a, b);
  Dim product;
  if (!a.is_fixed() || __builtin_mul_overflow(a.fixed, b.fixed, &product.fixed)) return std::nullopt;
  if (__builtin_mul_overflow(a.fixed, b.per_batch, &product.per_batch)) return std::nullopt;
  return product;
}

inline std::optional<Dim> subtract(Dim a, Dim b) {
  const auto negated = multiply(b, {-1});
  return negated ? add(a, *negated) : std::nullopt;
}

inline std::optional<Dim> divide(Dim a, Dim b) {
  const bool both_scale = a.fixed == 0 && b.fixed == 0 && b.per_batch > 0;  // with the batch, which cancels
  if (both_scale && a.per_batch % b.per_batch == 0) return Dim{a.per_batch / b.per_batch};
  if (!b.is_fixed() || b.fixed == 0 || b.fixed == -1) return b == Dim{-1} ? multiply(a, b) : std::nullopt;
  if (a.is_fixed()) return Dim{a.fixed / b.fixed};
  if (a.fixed % b.fixed != 0 || a.per_batch % b.fixed != 0) return std::nullopt;
  return Dim{a.fixed / b.fixed, a.per_batch / b.fixed};
}

/// Whether a < b for every batch size (true), for none (false), or for some (nothing).
inline std::optional<bool> less(Dim a, Dim b) {
  const auto gap =
      subtract(a, b);  // monotonic in n: its sign at n = 1 holds for all n if it then moves away from 0
  if (!gap || gap->fixed > INT64_MAX / 2 || gap->per_batch > INT64_MAX / 2) return std::nullopt;
  const std::int64_t first = gap->fixed + gap->per_batch;
  if (first < 0 && gap->per_batch <= 0) return true;
  if (first >= 0 && gap->per_batch >= 0) return false;
  return std::nullopt;
}

/// Dims of a shape without a batch.
inline Dims fixed_dims(const Shape& shape) {
  Dims dims;
  for (const std::int64_t extent : shape) dims.push_back({extent});
  return dims;
}

/// The shape, if no extent depends on the batch.
inline std::optional<Shape> fixed_shape(const Dims& dims) {
  Shape shape;
  for (const Dim& dim : dims) {
    if (!dim.is_fixed()) return std::nullopt;
    shape.push_back(dim.fixed);
  }
  return shape;
}

/// "[n, 64, 1536]".
inline std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto& [fixed, per_batch] = dims[i];
    std::string term = per_batch == 1 ? "n" : std::to_string(per_batch) + "n";
    if (fixed != 0) term += (fixed > 0 ? "+" : "") + std::to_string(fixed);
    text += (i ? ", " : "") + (per_batch == 0 ? std::to_string(fixed) : term);
  }
  return text + "]";
}

}  // namespace pantanal::convert
