// Graph: a light, protobuf-free picture of an ONNX model, shared by the recogniser and the interpreter.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "pantanal/core/shape.hpp"

namespace pantanal::convert {

/// Element types kept apart: every float type is widened to float or double, every integer to int64.
enum class DataType { float32, float64, int64, boolean };

/// A constant: dense, row-major. Exactly one of the vectors is used, the one `type` names (booleans in
/// `ints`).
struct Constant {
  DataType type = DataType::float32;
  Shape shape;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> ints;
};

using Attribute =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, Constant>;

/// One operator. Names of absent optional inputs and outputs are empty.
struct Node {
  std::string name;    ///< as in the file, for messages only
  std::string op;      ///< ONNX operator of the default domain, e.g. "Conv"
  std::string domain;  ///< "" for the default domain
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute> attributes;
};

/// A graph input or output. Symbolic or unknown extents are -1.
struct Value {
  std::string name;
  Shape shape;
};

/// Nodes are in the file's order, which ONNX requires to be topological.
struct Graph {
  std::vector<Value> inputs, outputs;
  std::vector<Node> nodes;
  std::map<std::string, Constant> constants;  ///< initializers and Constant nodes, by value name
  std::int64_t opset = 0;                     ///< version of the default domain
};

}  // namespace pantanal::convert
