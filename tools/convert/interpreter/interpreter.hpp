// Interpreter: computes an ONNX graph one operator at a time, straight from the operators' specification. It
// knows nothing of any model and optimises nothing: what it says is what the file says. Source: ONNX operator
// specification, https://onnx.ai/onnx/operators/, operator sets 7 to 28.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "interpreter/nd_array.hpp"
#include "interpreter/operator.hpp"
#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// `Real`, float or double, stands for every floating-point type of the graph; integers are int64. Sums over
/// many elements outside matrix products are accumulated in double.
template <class Real>
class Interpreter {
 public:
  /// Checks that every operator, its attributes and the number of its inputs are known, and that nodes are in
  /// topological order. The interpreter refers to `graph`, which must outlive it. `max_elements` bounds what
  /// a run holds at any time: 2^29 are 4 GiB of doubles.
  static Result<Interpreter> create(const Graph& graph, std::int64_t max_elements = std::int64_t{1} << 29);
  static Result<Interpreter> create(Graph&&, std::int64_t = 0) = delete;

  /// Values of `outputs`, any names of the graph, given its inputs by name. Computes only what they need and
  /// drops every intermediate after its last use. Integers and booleans are returned as Real. An input that
  /// is also a constant may be left out. Errors: an input missing, unknown or of another shape than declared;
  /// an output unknown; a node whose inputs it cannot accept; values that together exceed max_elements.
  Result<std::map<std::string, NdArray<Real>>> run(const std::map<std::string, NdArray<Real>>& inputs,
                                                   std::span<const std::string> outputs) const;

 private:
  using Inputs = std::map<std::string, NdArray<Real>>;
  using Tensors = std::map<std::string, interpreter::Tensor<Real>>;

  Interpreter(const Graph& graph, std::int64_t max_elements) : graph_(&graph), max_elements_(max_elements) {}
  Status check_node(std::size_t index, std::set<std::string>& defined);
  Status check_inputs(const Inputs& inputs) const;
  Result<std::vector<bool>> needed_nodes(std::span<const std::string> outputs) const;
  Status load(const std::string& name, const Inputs& inputs, Tensors& values) const;
  Status compute(std::size_t index, Tensors& values) const;
  Result<std::map<std::string, NdArray<Real>>> compute_all(const Inputs& inputs,
                                                           std::span<const std::string> outputs) const;

  const Graph* graph_;
  std::int64_t max_elements_;
  std::vector<const interpreter::Operator<Real>*> operators_;  ///< of each node
};

}  // namespace pantanal::convert
