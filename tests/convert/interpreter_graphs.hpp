// Small graphs for the interpreter's tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "interpreter/interpreter.hpp"
#include "onnx/graph.hpp"

namespace pantanal::convert::fixtures {

using Names = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;
using Attributes = std::map<std::string, Attribute>;

inline Constant integers(Shape shape, Integers values) {
  return {DataType::int64, std::move(shape), {}, {}, std::move(values)};
}
inline Constant integer_list(Integers values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return integers({count}, std::move(values));
}
inline Constant booleans(Shape shape, Integers values) {
  return {DataType::boolean, std::move(shape), {}, {}, std::move(values)};
}
inline Constant floats(Shape shape, std::vector<float> values) {
  return {DataType::float32, std::move(shape), std::move(values), {}, {}};
}
/// Floats 0, 1, 2, ...
inline Constant counted(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(*element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return floats(shape, std::move(values));
}

inline Node node(std::string op, Names inputs, Names outputs, Attributes attributes = {}) {
  return {"the " + op, std::move(op), "", std::move(inputs), std::move(outputs), std::move(attributes)};
}

/// One node whose inputs are the constants "0", "1", ... and whose outputs are "y" and, if there are more,
/// "y1", ...
inline Graph one_node(const std::string& op, const std::vector<Constant>& inputs, Attributes attributes = {},
                      std::int64_t opset = 18, std::size_t outputs = 1) {
  Graph graph;
  graph.opset = opset;
  Names in, out = {"y"};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    in.push_back(std::to_string(i));
    graph.constants[in.back()] = inputs[i];
  }
  for (std::size_t i = 1; i < outputs; ++i) out.push_back("y" + std::to_string(i));
  graph.nodes.push_back(node(op, in, out, std::move(attributes)));
  return graph;
}

/// "y" of a graph without inputs.
inline Result<NdArray<double>> evaluate(const Graph& graph, std::int64_t max_elements = 1 << 20) {
  PANTANAL_TRY(const auto interpreter, Interpreter<double>::create(graph, max_elements));
  const Names outputs = {"y"};
  PANTANAL_TRY(auto values, interpreter.run({}, outputs));
  return std::move(values.at("y"));
}

}  // namespace pantanal::convert::fixtures
