#include "interpreter/interpreter.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "onnx/node_message.hpp"

namespace pantanal::convert {
namespace {

using interpreter::Call;
using interpreter::Kind;
using interpreter::NodeContext;
using interpreter::Operator;
using interpreter::Tensor;

constexpr std::int64_t oldest_opset = 7, newest_opset = 28;

/// A view of something that outlives every run.
template <class T>
interpreter::Elements<T> borrowed(const std::vector<T>& values) {
  return {interpreter::Elements<T>(), &values};
}

/// The constant as a tensor: borrowed where the element type is the same, else converted.
template <class Real>
Tensor<Real> to_tensor(const Constant& constant) {
  switch (constant.type) {
    case DataType::float32:
      if constexpr (std::is_same_v<Real, float>)
        return {Kind::real, constant.shape, borrowed(constant.floats), nullptr};
      else
        return interpreter::real_tensor<Real>(constant.shape,
                                              {constant.floats.begin(), constant.floats.end()});
    case DataType::float64:
      if constexpr (std::is_same_v<Real, double>)
        return {Kind::real, constant.shape, borrowed(constant.doubles), nullptr};
      else
        return interpreter::real_tensor<Real>(constant.shape,
                                              {constant.doubles.begin(), constant.doubles.end()});
    case DataType::int64:
      return {Kind::integer, constant.shape, nullptr, borrowed(constant.ints)};
    case DataType::boolean:
      break;
  }
  return {Kind::boolean, constant.shape, nullptr, borrowed(constant.ints)};
}

/// Whether the vector that `type` names holds as many elements as the shape says.
bool is_consistent(const Constant& constant, std::int64_t max_elements) {
  const std::optional<std::int64_t> count = interpreter::bounded_count(constant.shape, max_elements);
  const std::size_t held = constant.type == DataType::float32   ? constant.floats.size()
                           : constant.type == DataType::float64 ? constant.doubles.size()
                                                                : constant.ints.size();
  return count && static_cast<std::size_t>(*count) == held;
}

const Value* find_input(const Graph& graph, const std::string& name) {
  const auto it =
      std::find_if(graph.inputs.begin(), graph.inputs.end(), [&](const Value& v) { return v.name == name; });
  return it == graph.inputs.end() ? nullptr : &*it;
}

/// Whether an array of shape `found` may be fed to an input declared as `declared`. A declaration without
/// extents also stands for an unknown rank.
bool accepts(const Shape& declared, const Shape& found) {
  if (declared.empty()) return true;
  return std::equal(declared.begin(), declared.end(), found.begin(), found.end(),
                    [](std::int64_t wanted, std::int64_t extent) { return wanted < 0 || wanted == extent; });
}

/// How often each value is still to be read: by a needed node, and once more if it is an output.
std::map<std::string, std::size_t> count_uses(const Graph& graph, const std::vector<bool>& needed,
                                              std::span<const std::string> outputs) {
  std::map<std::string, std::size_t> uses;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (needed[i])
      for (const std::string& name : graph.nodes[i].inputs) ++uses[name];
  for (const std::string& name : outputs) ++uses[name];
  return uses;
}

template <class Real>
NdArray<Real> to_array(const Tensor<Real>& tensor) {
  if (tensor.kind == Kind::real) return {tensor.shape, *tensor.reals};
  NdArray<Real> array{tensor.shape, {}};
  for (const std::int64_t value : *tensor.integers) array.values.push_back(static_cast<Real>(value));
  return array;
}

}  // namespace

template <class Real>
Result<Interpreter<Real>> Interpreter<Real>::create(const Graph& graph, std::int64_t max_elements) {
  if (graph.opset < oldest_opset || graph.opset > newest_opset)
    return Error{ErrorCode::unsupported, "graph", "operator set " + std::to_string(graph.opset),
                 std::to_string(oldest_opset) + " to " + std::to_string(newest_opset)};
  Interpreter result(graph, max_elements);
  std::set<std::string> defined;
  for (const Value& input : graph.inputs) defined.insert(input.name);
  for (const auto& [name, constant] : graph.constants) {
    if (!is_consistent(constant, max_elements))
      return Error{
          ErrorCode::corrupt, "constant " + in_quotes(name), "other than its shape's number of elements",
          "shape " + to_string(constant.shape) + " filled, and at most " + std::to_string(max_elements)};
    defined.insert(name);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) PANTANAL_TRY_STATUS(result.check_node(i, defined));
  return result;
}

template <class Real>
Status Interpreter<Real>::check_node(std::size_t index, std::set<std::string>& defined) {
  const Node& node = graph_->nodes[index];
  const NodeContext context(node, graph_->opset, 0);
  const bool standard = node.domain.empty() || node.domain == "ai.onnx";
  const Operator<Real>* op = standard ? interpreter::find_operator<Real>(node.op) : nullptr;
  if (!op)
    return context.error(ErrorCode::unsupported, "operator " + operator_name(node),
                         "an operator the interpreter has");
  for (const auto& [name, value] : node.attributes)
    if (std::find(op->attributes.begin(), op->attributes.end(), name) == op->attributes.end())
      return context.error(ErrorCode::unsupported, "attribute " + name, "an attribute of this operator");

  if (node.inputs.size() < op->min_inputs || node.inputs.size() > op->max_inputs)
    return context.error(ErrorCode::corrupt, std::to_string(node.inputs.size()) + " inputs",
                         "as many as the operator has");
  if (node.outputs.empty() || node.outputs.size() > op->max_outputs)
    return context.error(ErrorCode::unsupported, std::to_string(node.outputs.size()) + " outputs",
                         "as many as the operator has");
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool required = i < op->min_inputs || op->max_inputs == interpreter::variadic;
    if (node.inputs[i].empty() ? required : !defined.contains(node.inputs[i]))
      return context.error(ErrorCode::corrupt, "input " + std::to_string(i) + " " + in_quotes(node.inputs[i]),
                           "the name of a graph input, a constant or an earlier node's output");
  }
  for (const std::string& name : node.outputs)
    if (!name.empty() && !defined.insert(name).second)
      return context.error(ErrorCode::corrupt, "output " + in_quotes(name) + ", which exists already",
                           "a new name");
  operators_.push_back(op);
  return {};
}

template <class Real>
Status Interpreter<Real>::check_inputs(const Inputs& inputs) const {
  for (const auto& [name, array] : inputs) {
    const std::string where = "input " + in_quotes(name);
    const Value* declared = find_input(*graph_, name);
    if (!declared)
      return Error{ErrorCode::not_found, where, "no such input of the graph", "one of its inputs"};
    if (!accepts(declared->shape, array.shape))
      return Error{ErrorCode::mismatch, where, "shape " + to_string(array.shape),
                   "shape " + to_string(declared->shape) + " (-1: any extent)"};
    const std::optional<std::int64_t> count = interpreter::bounded_count(array.shape, max_elements_);
    if (!count || static_cast<std::size_t>(*count) != array.values.size())
      return Error{ErrorCode::invalid_argument, where, std::to_string(array.values.size()) + " elements",
                   "as many as shape " + to_string(array.shape) + " has"};
  }
  return {};
}

template <class Real>
Result<std::vector<bool>> Interpreter<Real>::needed_nodes(std::span<const std::string> outputs) const {
  std::set<std::string> wanted(outputs.begin(), outputs.end());
  std::set<std::string> unknown = wanted;
  for (const Value& input : graph_->inputs) unknown.erase(input.name);
  for (const auto& [name, constant] : graph_->constants) unknown.erase(name);
  std::vector<bool> needed(graph_->nodes.size(), false);
  for (std::size_t i = graph_->nodes.size(); i-- > 0;) {
    const Node& node = graph_->nodes[i];
    for (const std::string& name : node.outputs) {
      if (!name.empty() && wanted.contains(name)) needed[i] = true;
      unknown.erase(name);
    }
    if (needed[i]) wanted.insert(node.inputs.begin(), node.inputs.end());
  }
  if (!unknown.empty())
    return Error{ErrorCode::not_found, "output " + in_quotes(*unknown.begin()), "no such value",
                 "a value of the graph"};
  return needed;
}

template <class Real>
Status Interpreter<Real>::load(const std::string& name, const Inputs& inputs, Tensors& values) const {
  if (name.empty() || values.contains(name)) return {};
  if (const auto fed = inputs.find(name); fed != inputs.end()) {
    values[name] = {Kind::real, fed->second.shape, borrowed(fed->second.values), nullptr};
    return {};
  }
  const auto constant = graph_->constants.find(name);
  if (constant == graph_->constants.end())
    return Error{ErrorCode::invalid_argument, "input " + in_quotes(name), "no value",
                 "an array for every input"};
  values[name] = to_tensor<Real>(constant->second);
  return {};
}

template <class Real>
Status Interpreter<Real>::compute(std::size_t index, Tensors& values) const {
  const Node& node = graph_->nodes[index];
  std::int64_t live = 0;
  for (const auto& [name, tensor] : values) live += static_cast<std::int64_t>(tensor.size());
  std::vector<const Tensor<Real>*> inputs;
  for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? nullptr : &values.at(name));

  const Call<Real> call(NodeContext(node, graph_->opset, std::max<std::int64_t>(max_elements_ - live, 0)),
                        std::move(inputs));
  PANTANAL_TRY(interpreter::Tensors<Real> results, operators_[index]->run(call));
  if (results.size() < node.outputs.size())
    return call.error(ErrorCode::corrupt, std::to_string(node.outputs.size()) + " outputs",
                      std::to_string(results.size()));
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    if (!node.outputs[i].empty()) values[node.outputs[i]] = std::move(results[i]);
  return {};
}

template <class Real>
Result<std::map<std::string, NdArray<Real>>> Interpreter<Real>::compute_all(
    const Inputs& inputs, std::span<const std::string> outputs) const {
  PANTANAL_TRY_STATUS(check_inputs(inputs));
  PANTANAL_TRY(const std::vector<bool> needed, needed_nodes(outputs));
  std::map<std::string, std::size_t> uses = count_uses(*graph_, needed, outputs);
  Tensors values;
  for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
    if (!needed[i]) continue;
    const Node& node = graph_->nodes[i];
    for (const std::string& name : node.inputs) PANTANAL_TRY_STATUS(load(name, inputs, values));
    PANTANAL_TRY_STATUS(compute(i, values));
    for (const std::string& name : node.inputs)
      if (--uses[name] == 0) values.erase(name);
    for (const std::string& name : node.outputs)
      if (!uses.contains(name)) values.erase(name);
  }
  std::map<std::string, NdArray<Real>> results;
  for (const std::string& name : outputs) {
    PANTANAL_TRY_STATUS(load(name, inputs, values));
    results[name] = to_array(values.at(name));
  }
  return results;
}

template <class Real>
Result<std::map<std::string, NdArray<Real>>> Interpreter<Real>::run(
    const Inputs& inputs, std::span<const std::string> outputs) const {
  try {
    return compute_all(inputs, outputs);
  } catch (const std::exception&) {  // bad_alloc or length_error: nothing else here throws
    return Error{ErrorCode::unsupported, "graph", "values that do not fit into memory", "a smaller batch"};
  }
}

template class Interpreter<float>;
template class Interpreter<double>;

}  // namespace pantanal::convert
