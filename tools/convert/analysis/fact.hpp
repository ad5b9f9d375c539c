// Fact: what is known about one value of a graph, and NodeView: a node as seen from its inputs' facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/known.hpp"
#include "analysis/layout.hpp"
#include "interpreter/node_context.hpp"
#include "onnx/graph.hpp"
#include "onnx/node_message.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Either known now, or laid out over axes, or what hinders both.
struct Fact {
  std::string name;
  const Node* node = nullptr;       ///< that makes it; null for inputs and initializers
  std::size_t order = 0;            ///< of the node, larger than that of everything it depends on
  std::vector<const Fact*> inputs;  ///< of the node; null where an optional one is absent
  std::optional<Known> known;
  Layout layout;
  std::optional<Error> problem;
  const Fact* origin =
      this;  ///< the value of which this one is but another view, through Transpose, Reshape, ...

  Fact() = default;
  Fact(const Fact&) = delete;
  Fact& operator=(const Fact&) = delete;

  Dims extents() const { return known ? known->extents : extents_of(layout); }
  bool is(std::string_view op) const { return node && node->domain.empty() && node->op == op; }
  /// For messages: the node that makes it, or the input's name.
  std::string describe() const { return node ? convert::describe(*node) : "input " + in_quotes(name); }
};

/// An Error at the node that makes `fact`.
inline Error fact_error(const Fact& fact, std::string found, std::string expected,
                        ErrorCode code = ErrorCode::unsupported) {
  return {code, fact.describe(), std::move(found), std::move(expected)};
}

/// "operator Conv", or "the graph's input".
inline std::string operator_of(const Fact& fact) {
  return fact.node ? "operator " + operator_name(*fact.node) : "the graph's input";
}

/// A node's attributes and inputs, for the rules of single operators.
class NodeView : public interpreter::NodeContext {
 public:
  NodeView(const Node& node, std::int64_t opset, const std::vector<const Fact*>& inputs)
      : NodeContext(node, opset, std::int64_t{1} << 28), node_(&node), inputs_(&inputs) {}

  const Node& node() const { return *node_; }
  bool is(std::string_view op) const { return node_->op == op; }
  const std::vector<const Fact*>& inputs() const { return *inputs_; }
  bool has_input(std::size_t i) const { return i < inputs_->size() && (*inputs_)[i]; }
  /// Input i, or null if it is absent.
  const Fact* optional_input(std::size_t i) const { return has_input(i) ? (*inputs_)[i] : nullptr; }
  /// Input i, or an Error.
  Result<const Fact*> input(std::size_t i) const {
    if (has_input(i)) return (*inputs_)[i];
    return error(std::to_string(inputs_->size()) + " inputs", "input " + std::to_string(i),
                 ErrorCode::corrupt);
  }

  Error error(std::string found, std::string expected, ErrorCode code = ErrorCode::unsupported) const {
    return node_error(*node_, std::move(found), std::move(expected), code);
  }

  /// Input i as a list of integers, which may depend on the batch; nothing if the input is absent.
  Result<std::optional<Dims>> dims(std::size_t i) const {
    const Fact* fact = optional_input(i);
    if (!fact) return std::optional<Dims>();
    if (!fact->known || fact->known->is_real() || fact->known->shape.size() > 1 || fact->known->repeats())
      return error("input " + std::to_string(i) + ", " + in_quotes(fact->name) +
                       ", which the conversion cannot compute",
                   "integers that depend on shapes and constants only");
    return std::optional(fact->known->integers());
  }

  /// Likewise, none of which may depend on the batch.
  Result<std::optional<std::vector<std::int64_t>>> integer_input(std::size_t i) const {
    PANTANAL_TRY(const std::optional<Dims> values, dims(i));
    if (!values) return std::optional<std::vector<std::int64_t>>();
    if (auto fixed = fixed_shape(*values)) return std::optional(std::move(*fixed));
    return error("input " + std::to_string(i) + " that depends on the batch size", "constant integers");
  }

  /// Integers that older operator sets keep in an attribute and newer ones in input i.
  Result<std::optional<std::vector<std::int64_t>>> integers_at(std::size_t i,
                                                               std::string_view attribute) const {
    if (has(attribute)) return integers(attribute);
    return integer_input(i);
  }

 private:
  const Node* node_;
  const std::vector<const Fact*>* inputs_;
};

}  // namespace pantanal::convert
