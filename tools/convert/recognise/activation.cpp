#include "recognise/activation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "analysis/scalar_function.hpp"
#include "recognise/elementwise_region.hpp"

namespace pantanal::convert {
namespace {

struct NamedFunction {
  const char* name;
  double (*value)(double x);
};

constexpr NamedFunction relu = {"ReLU", [](double x) { return std::max(x, 0.0); }};
constexpr NamedFunction swish = {"swish", [](double x) { return x * sigmoid(x); }};
constexpr NamedFunction gate = {"sigmoid", sigmoid};
constexpr NamedFunction reciprocal_gate = {"1/sigmoid", [](double x) { return 1 + std::exp(-x); }};

/// Functions that are none of the above, for messages.
constexpr NamedFunction others[] = {
    {"sigmoid", sigmoid},
    {"ReLU6", [](double x) { return std::clamp(x, 0.0, 6.0); }},
    {"hard swish", [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"hard sigmoid", [](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); }},
    {"hard sigmoid", [](double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"GELU", [](double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }},
    {"GELU's tanh form",
     [](double x) {
       return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
     }},
    {"GELU's sigmoid form", [](double x) { return x * sigmoid(1.702 * x); }},
    {"ELU", [](double x) { return x < 0 ? std::expm1(x) : x; }},
    {"leaky ReLU", [](double x) { return x < 0 ? 0.01 * x : x; }},
    {"mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
    {"softplus", [](double x) { return std::log1p(std::exp(x)); }},
    {"tanh", [](double x) { return std::tanh(x); }},
    {"its input, unchanged", [](double x) { return x; }},
    {"ReLU", relu.value},
    {"swish", swish.value},
};

/// From deep negative to large, closest around zero.
const std::vector<double>& probes() {
  static const std::vector<double> points = [] {
    std::vector<double> xs;
    for (double x = -80; x <= 80; x += std::abs(x) < 10 ? 0.0625 : 1.25) xs.push_back(x);
    return xs;
  }();
  return points;
}

/// Whether the region's values at the probes are the function's. What double arithmetic and constants in
/// float32 cost is far below 1e-6.
bool agrees(const std::vector<double>& values, const NamedFunction& expected, double tolerance = 1e-6) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double wanted = expected.value(probes()[i]);
    if (!(std::abs(values[i] - wanted) <= tolerance * (1e-3 + std::abs(wanted)))) return false;
  }
  return true;
}

/// What the largest region with one input computes, for a message.
std::string described(const Analysis& analysis, const Fact& value) {
  ElementwiseRegion region(analysis, value);
  std::string text = operator_of(*value.origin);
  while (region.grow()) {
    if (!region.input()) continue;
    text = region.operators();
    const std::vector<double> values = region(probes());
    for (const NamedFunction& function : others)
      if (agrees(values, function, 1e-3)) return text + ", which is " + function.name;
  }
  return text;
}

struct Match {
  const NamedFunction* function;
  const Fact* input;
};

/// The smallest region that computes one of `wanted`.
Result<Match> match(const Analysis& analysis, const Fact& value, std::span<const NamedFunction* const> wanted,
                    const std::string& expected) {
  ElementwiseRegion region(analysis, value);
  while (region.grow()) {
    if (!region.input()) continue;
    const std::vector<double> values = region(probes());
    for (const NamedFunction* function : wanted)
      if (agrees(values, *function)) return Match{function, region.input()};
  }
  return fact_error(*value.origin, described(analysis, value), expected);
}

}  // namespace

Result<ActivationMatch> match_activation(const Analysis& analysis, const Fact& value,
                                         const std::string& role) {
  static constexpr const NamedFunction* wanted[] = {&relu, &swish};
  PANTANAL_TRY(const Match found, match(analysis, value, wanted, "ReLU or swish, in any spelling, " + role));
  return ActivationMatch{found.function == &relu ? perch::Activation::relu : perch::Activation::swish,
                         found.input};
}

Result<const Fact*> match_sigmoid(const Analysis& analysis, const Fact& value, bool reciprocal,
                                  const std::string& role) {
  const NamedFunction* const wanted[] = {reciprocal ? &reciprocal_gate : &gate};
  PANTANAL_TRY(const Match found, match(analysis, value, wanted, "a sigmoid, in any spelling, " + role));
  return found.input;
}

}  // namespace pantanal::convert
