// ElementwiseRegion: the elementwise nodes that make a value, taken as one function of one number. What it
// computes decides, not how it is spelled.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.hpp"
#include "analysis/scalar_function.hpp"

namespace pantanal::convert {

/// Begins as the value itself and grows, node by node, towards the graph's input. Constants inside are
/// scalars.
class ElementwiseRegion {
 public:
  ElementwiseRegion(const Analysis& analysis, const Fact& result);

  /// Takes in the latest value it depends on; false if that is not made by an elementwise node with scalar
  /// constants, or the region has grown too large.
  bool grow();

  /// The one value that everything inside depends on, or null if there are several.
  const Fact* input() const { return frontier_.size() == 1 ? frontier_.front() : nullptr; }

  /// The result where input() is each of `xs`. There must be one input.
  std::vector<double> operator()(const std::vector<double>& xs) const;

  /// Its operators, the last one first: "Mul, Div, Add, Exp, Neg".
  std::string operators() const;

 private:
  struct Step {
    const Fact* fact;
    ScalarFunction function;
  };

  const Analysis* analysis_;
  const Fact* result_;
  std::vector<Step> steps_;            ///< a step uses only later ones and the frontier
  std::vector<const Fact*> frontier_;  ///< origins that the region depends on
};

}  // namespace pantanal::convert
