// array_of: a NumPy array that owns the values of a vector.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pantanal {

template <class T>
using OwnedArray = nanobind::ndarray<nanobind::numpy, T>;

/// An array of `shape`, {} for a scalar, that owns `values`.
template <class T>
OwnedArray<T> array_of(std::vector<T> values, std::vector<std::size_t> shape) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  T* const data = owned->data();
  nanobind::capsule owner(owned.get(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  static_cast<void>(owned.release());
  return OwnedArray<T>(data, shape.size(), shape.data(), owner);
}

/// The same, one-dimensional.
template <class T>
OwnedArray<T> array_of(std::vector<T> values) {
  const std::size_t count = values.size();
  return array_of(std::move(values), {count});
}

}  // namespace pantanal
