// Operator: how one ONNX operator is computed, and Call: the node it is computed for. Families of operators
// live in the .cpp files of this folder; find_operator() is the one list of them.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interpreter/node_context.hpp"
#include "interpreter/tensor.hpp"

namespace pantanal::convert::interpreter {

/// A node with its inputs.
template <class Real>
class Call : public NodeContext {
 public:
  /// Absent optional inputs are null.
  Call(const NodeContext& context, std::vector<const Tensor<Real>*> inputs)
      : NodeContext(context), inputs_(std::move(inputs)) {}

  std::size_t input_count() const { return inputs_.size(); }
  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i]; }
  /// Input i, which must be present.
  const Tensor<Real>& input(std::size_t i) const { return *inputs_[i]; }

  /// An Error unless input i is of this kind.
  Status expect(std::size_t i, Kind kind) const {
    if (input(i).kind == kind) return {};
    return error(ErrorCode::unsupported, describe(i), std::string("a tensor of kind ") + to_string(kind));
  }

  /// Elements of input i, which must be integers of rank 0 or 1.
  Result<std::vector<std::int64_t>> integer_list(std::size_t i) const {
    PANTANAL_TRY_STATUS(expect(i, Kind::integer));
    if (input(i).rank() > 1) return error(ErrorCode::mismatch, describe(i), "a list of integers");
    return *input(i).integers;
  }

  /// The one element of input i, an integer.
  Result<std::int64_t> integer_scalar(std::size_t i) const {
    PANTANAL_TRY_STATUS(expect(i, Kind::integer));
    if (input(i).size() != 1) return error(ErrorCode::mismatch, describe(i), "one integer");
    return input(i).integers->front();
  }

  /// A list that older operator sets hold as an attribute and newer ones as input i; nothing if neither is
  /// there.
  Result<std::optional<std::vector<std::int64_t>>> list(std::string_view attribute, std::size_t i) const {
    if (!has_input(i)) return integers(attribute);
    if (has(attribute))
      return error(ErrorCode::corrupt, std::string(attribute) + " both as attribute and as input",
                   "one of them");
    PANTANAL_TRY(std::vector<std::int64_t> values, integer_list(i));
    return std::optional(std::move(values));
  }

  /// "input 1, integer [2, 3]", for messages.
  std::string describe(std::size_t i) const {
    return "input " + std::to_string(i) + ", " + to_string(input(i).kind) + " " + to_string(input(i).shape);
  }

 private:
  std::vector<const Tensor<Real>*> inputs_;
};

inline constexpr std::size_t variadic = std::numeric_limits<std::size_t>::max();

/// One entry of the list of operators. The first `min_inputs` inputs, and all of a variadic one, are present
/// in every call. `run` returns as many outputs as the node names, or more.
template <class Real>
struct Operator {
  using Run = Result<Tensors<Real>> (*)(const Call<Real>&);

  Operator(std::string_view op, Run function, std::size_t least_inputs = 1, std::size_t most_inputs = 1,
           std::size_t most_outputs = 1, std::vector<std::string_view> known_attributes = {})
      : name(op),
        run(function),
        min_inputs(least_inputs),
        max_inputs(most_inputs),
        max_outputs(most_outputs),
        attributes(std::move(known_attributes)) {}

  std::string_view name;
  Run run;
  std::size_t min_inputs, max_inputs, max_outputs;
  std::vector<std::string_view> attributes;  ///< in any operator set
};

template <class Real>
using Operators = std::vector<Operator<Real>>;

/// The operator of this name in ONNX's default domain, or null.
template <class Real>
const Operator<Real>* find_operator(std::string_view name);

// The families. Each is instantiated for float and double where it is defined.
template <class Real>
Operators<Real> unary_operators();
template <class Real>
Operators<Real> arithmetic_operators();
template <class Real>
Operators<Real> comparison_operators();
template <class Real>
Operators<Real> reduction_operators();
template <class Real>
Operators<Real> shape_operators();
template <class Real>
Operators<Real> selection_operators();
template <class Real>
Operators<Real> joining_operators();
template <class Real>
Operators<Real> pad_operators();
template <class Real>
Operators<Real> creation_operators();
template <class Real>
Operators<Real> conv_operators();
template <class Real>
Operators<Real> pooling_operators();
template <class Real>
Operators<Real> matrix_product_operators();
template <class Real>
Operators<Real> einsum_operators();
template <class Real>
Operators<Real> dft_operators();
template <class Real>
Operators<Real> normalization_operators();

}  // namespace pantanal::convert::interpreter
