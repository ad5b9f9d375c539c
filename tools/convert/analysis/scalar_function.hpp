// Elementwise operators as functions of real numbers.
// Source: ONNX operator specification, https://onnx.ai/onnx/operators/
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// One element of an operator's output from those of its inputs; an absent optional input is NaN. Truth is 1
/// and 0.
using ScalarFunction = std::function<double(std::span<const double>)>;

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Whether each element of the operator's output depends on the elements at its place only.
bool is_elementwise(std::string_view op);

/// The function of an elementwise operator with this node's attributes.
Result<ScalarFunction> scalar_function(const NodeView& node);

}  // namespace pantanal::convert
