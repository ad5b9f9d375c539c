#include "analysis/scalar_function.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

namespace pantanal::convert {
namespace {

using Arguments = std::span<const double>;
using Unary = double (*)(double);
using Binary = double (*)(double, double);

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

const std::map<std::string_view, Unary>& unary_functions() {
  static const std::map<std::string_view, Unary> table = {
      {"Abs", [](double x) { return std::abs(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"HardSwish", [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
      {"Identity", [](double x) { return x; }},
      {"Log", [](double x) { return std::log(x); }},
      {"Mish", [](double x) { return x * std::tanh(softplus(x)); }},
      {"Neg", [](double x) { return -x; }},
      {"Not", [](double x) { return double(x == 0); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Relu", [](double x) { return std::max(x, 0.0); }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Sigmoid", sigmoid},
      {"Sign", [](double x) { return double(x > 0) - double(x < 0); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Softplus", softplus},
      {"Softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
  };
  return table;
}

const std::map<std::string_view, Binary>& binary_functions() {
  static const std::map<std::string_view, Binary> table = {
      {"Add", [](double a, double b) { return a + b; }},
      {"And", [](double a, double b) { return double(a != 0 && b != 0); }},
      {"Div", [](double a, double b) { return a / b; }},
      {"Equal", [](double a, double b) { return double(a == b); }},
      {"Greater", [](double a, double b) { return double(a > b); }},
      {"GreaterOrEqual", [](double a, double b) { return double(a >= b); }},
      {"Less", [](double a, double b) { return double(a < b); }},
      {"LessOrEqual", [](double a, double b) { return double(a <= b); }},
      {"Mul", [](double a, double b) { return a * b; }},
      {"Or", [](double a, double b) { return double(a != 0 || b != 0); }},
      {"PRelu", [](double a, double b) { return a < 0 ? a * b : a; }},
      {"Pow", [](double a, double b) { return std::pow(a, b); }},
      {"Sub", [](double a, double b) { return a - b; }},
  };
  return table;
}

/// Functions of any number of arguments.
const std::map<std::string_view, double (*)(Arguments)>& variadic_functions() {
  static const std::map<std::string_view, double (*)(Arguments)> table = {
      {"Max", [](Arguments x) { return *std::max_element(x.begin(), x.end()); }},
      {"Min", [](Arguments x) { return *std::min_element(x.begin(), x.end()); }},
      {"Sum", [](Arguments x) { return std::accumulate(x.begin(), x.end(), 0.0); }},
      {"Mean",
       [](Arguments x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); }},
  };
  return table;
}

Result<ScalarFunction> clip(const NodeView& node) {
  constexpr float none = std::numeric_limits<float>::max();
  PANTANAL_TRY(const double low, node.real("min", -none));
  PANTANAL_TRY(const double high, node.real("max", none));
  return ScalarFunction([low, high](Arguments x) {
    const double least = x.size() > 1 && !std::isnan(x[1]) ? x[1] : low;
    const double most = x.size() > 2 && !std::isnan(x[2]) ? x[2] : high;
    return std::min(std::max(x[0], least), most);
  });
}

Result<ScalarFunction> gelu(const NodeView& node) {
  PANTANAL_TRY(const std::string approximate, node.text("approximate", "none"));
  if (approximate == "tanh")
    return ScalarFunction([](Arguments x) {
      const double cubic = std::sqrt(2 / std::numbers::pi) * (x[0] + 0.044715 * x[0] * x[0] * x[0]);
      return 0.5 * x[0] * (1 + std::tanh(cubic));
    });
  return ScalarFunction([](Arguments x) { return 0.5 * x[0] * (1 + std::erf(x[0] / std::numbers::sqrt2)); });
}

/// A function with the parameters `alpha` and `beta`; the fallbacks are ONNX's defaults.
template <class F>
Result<ScalarFunction> parametric(const NodeView& node, float alpha_fallback, float beta_fallback, F f) {
  PANTANAL_TRY(const double alpha, node.real("alpha", alpha_fallback));
  PANTANAL_TRY(const double beta, node.real("beta", beta_fallback));
  return ScalarFunction([=](Arguments x) { return f(x[0], alpha, beta); });
}

using Maker = Result<ScalarFunction> (*)(const NodeView&);

/// Functions that depend on attributes.
const std::map<std::string_view, Maker>& functions_with_attributes() {
  static const std::map<std::string_view, Maker> table = {
      {"Celu",
       [](const NodeView& node) {
         return parametric(node, 1, 0, [](double x, double a, double) {
           return std::max(x, 0.0) + std::min(0.0, a * std::expm1(x / a));
         });
       }},
      {"Clip", clip},
      {"Elu",
       [](const NodeView& node) {
         return parametric(node, 1, 0,
                           [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; });
       }},
      {"Gelu", gelu},
      {"HardSigmoid",
       [](const NodeView& node) {
         return parametric(node, 0.2f, 0.5f,
                           [](double x, double a, double b) { return std::clamp(a * x + b, 0.0, 1.0); });
       }},
      {"LeakyRelu",
       [](const NodeView& node) {
         return parametric(node, 0.01f, 0, [](double x, double a, double) { return x < 0 ? a * x : x; });
       }},
      {"Swish",
       [](const NodeView& node) {
         return parametric(node, 1, 0, [](double x, double a, double) { return x * sigmoid(a * x); });
       }},
      {"ThresholdedRelu",
       [](const NodeView& node) {
         return parametric(node, 1, 0, [](double x, double a, double) { return x > a ? x : 0.0; });
       }},
      {"Where",
       [](const NodeView&) {
         return Result<ScalarFunction>([](Arguments x) { return x[0] != 0 ? x[1] : x[2]; });
       }},
  };
  return table;
}

/// `f` once the number of inputs is right.
Result<ScalarFunction> with_inputs(const NodeView& node, std::size_t least, std::size_t most,
                                   ScalarFunction f) {
  const std::size_t count = node.inputs().size();
  for (std::size_t i = 0; i < least; ++i) PANTANAL_TRY_STATUS(node.input(i));
  if (count <= most) return f;
  return node.error(std::to_string(count) + " inputs", "at most " + std::to_string(most), ErrorCode::corrupt);
}

}  // namespace

bool is_elementwise(std::string_view op) {
  return unary_functions().contains(op) || binary_functions().contains(op) ||
         variadic_functions().contains(op) || functions_with_attributes().contains(op);
}

Result<ScalarFunction> scalar_function(const NodeView& node) {
  const std::string_view op = node.node().op;
  if (const auto it = unary_functions().find(op); it != unary_functions().end())
    return with_inputs(node, 1, 1, [f = it->second](Arguments x) { return f(x[0]); });
  if (const auto it = binary_functions().find(op); it != binary_functions().end())
    return with_inputs(node, 2, 2, [f = it->second](Arguments x) { return f(x[0], x[1]); });
  if (const auto it = variadic_functions().find(op); it != variadic_functions().end())
    return with_inputs(node, std::max<std::size_t>(1, node.inputs().size()), SIZE_MAX, it->second);
  if (const auto it = functions_with_attributes().find(op); it != functions_with_attributes().end()) {
    PANTANAL_TRY(ScalarFunction f, it->second(node));
    return with_inputs(node, op == "Where" ? 3 : 1, op == "Where" || op == "Clip" ? 3 : 1, std::move(f));
  }
  return node.error("operator " + operator_name(node.node()), "an elementwise operator");
}

}  // namespace pantanal::convert
