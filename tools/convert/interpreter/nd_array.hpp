// NdArray: a dense row-major array, what goes into and comes out of the interpreter.
#pragma once

#include <vector>

#include "pantanal/core/shape.hpp"

namespace pantanal::convert {

/// `values` holds element_count(shape) elements, row-major. An empty shape is a scalar: one element.
template <class T>
struct NdArray {
  Shape shape;
  std::vector<T> values;
};

}  // namespace pantanal::convert
