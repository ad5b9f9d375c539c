// GraphBuilder: writes graphs node by node, for tests of what reads them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "onnx/graph.hpp"

namespace pantanal::convert::fixtures {

using Integers = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
using Attributes = std::map<std::string, Attribute>;

class GraphBuilder {
 public:
  explicit GraphBuilder(std::int64_t opset = 18) { graph.opset = opset; }

  /// A constant's name.
  std::string constant(Constant value) {
    const std::string name = next("c");
    graph.constants.emplace(name, std::move(value));
    return name;
  }
  std::string floats(Shape shape, std::vector<float> values) {
    return constant({DataType::float32, std::move(shape), std::move(values), {}, {}});
  }
  std::string scalar(float value) { return floats({}, {value}); }
  std::string ints(Integers values) {
    return constant({DataType::int64, {static_cast<std::int64_t>(values.size())}, {}, {}, std::move(values)});
  }
  std::string integer(std::int64_t value) { return constant({DataType::int64, {}, {}, {}, {value}}); }

  /// A node with one output, whose name this is.
  std::string add(const std::string& op, Names inputs, Attributes attributes = {}) {
    return add_many(op, std::move(inputs), 1, std::move(attributes)).front();
  }
  Names add_many(const std::string& op, Names inputs, std::size_t outputs, Attributes attributes = {}) {
    Names names;
    for (std::size_t i = 0; i < outputs; ++i) names.push_back(next("v"));
    graph.nodes.push_back(
        {"n" + std::to_string(graph.nodes.size()), op, "", std::move(inputs), names, std::move(attributes)});
    return names;
  }

  std::string transpose(const std::string& x, Integers order) {
    return add("Transpose", {x}, {{"perm", std::move(order)}});
  }
  std::string reshape(const std::string& x, Integers shape) {
    return add("Reshape", {x, ints(std::move(shape))});
  }
  std::string unsqueeze(const std::string& x, Integers axes) {
    return add("Unsqueeze", {x, ints(std::move(axes))});
  }
  std::string squeeze(const std::string& x, Integers axes) {
    return add("Squeeze", {x, ints(std::move(axes))});
  }
  std::string reduce(const std::string& op, const std::string& x, Integers axes, bool keep) {
    return add(op, {x, ints(std::move(axes))}, {{"keepdims", std::int64_t{keep}}});
  }

  /// Declares `value` an output, under a name of its own if one is given.
  void output(const std::string& value, const std::string& name = "") {
    if (name.empty()) return graph.outputs.push_back({value, {}});
    graph.nodes.push_back({"out_" + name, "Identity", "", {value}, {name}, {}});
    graph.outputs.push_back({name, {}});
  }

  Graph graph;

 private:
  std::string next(const char* prefix) { return prefix + std::to_string(count_++); }
  std::size_t count_ = 0;
};

/// The node that makes `value`, which must exist.
inline Node& producer(Graph& graph, const std::string& value) {
  for (Node& node : graph.nodes)
    for (const std::string& output : node.outputs)
      if (output == value) return node;
  return graph.nodes.at(graph.nodes.size());
}

}  // namespace pantanal::convert::fixtures
