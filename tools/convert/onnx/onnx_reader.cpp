#include "onnx/onnx_reader.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>
#include <set>
#include <utility>

#include "onnx/node_message.hpp"
#include "onnx/onnx_tensor.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal::convert {
namespace {

constexpr std::int64_t oldest_opset = 7;  // broadcasting as in NumPy, BatchNormalization without is_test

/// Parses a message of any size that protobuf allows.
template <class Message>
Status parse(std::span<const std::byte> bytes, const std::string& where, const char* kind, Message& message) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return Error{ErrorCode::unsupported, where, std::to_string(bytes.size()) + " bytes", "less than 2 GiB"};
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream input(&stream);
  input.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (bytes.empty() || !message.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage())
    return Error{ErrorCode::corrupt, where,
                 std::to_string(bytes.size()) + " bytes that are not an ONNX " + kind,
                 std::string("an ONNX ") + kind + "; the file may be cut off or of another format"};
  return {};
}

/// Moves a ModelProto into a Graph piece by piece, so that weights are never held twice.
class GraphReader {
 public:
  GraphReader(onnx::ModelProto& model, std::string where) : model_(model), where_(std::move(where)) {}

  Result<Graph> read() && {
    if (!model_.has_graph())
      return error(ErrorCode::corrupt, where_, "a model without a graph", "an ONNX model");
    PANTANAL_TRY_STATUS(read_opset());
    if (model_.functions_size() > 0)
      return error(ErrorCode::unsupported, where_,
                   std::to_string(model_.functions_size()) + " functions of the model's own",
                   "a flat graph; inline them first, in Python onnx.inliner.inline_local_functions(model)");
    if (model_.graph().sparse_initializer_size() > 0)
      return error(ErrorCode::unsupported, where_, "sparse initializers", "dense ones");
    PANTANAL_TRY_STATUS(read_initializers());
    for (onnx::NodeProto& node : *model_.mutable_graph()->mutable_node())
      PANTANAL_TRY_STATUS(read_node(node));
    PANTANAL_TRY_STATUS(read_values(model_.graph().input(), graph_.inputs));
    PANTANAL_TRY_STATUS(read_values(model_.graph().output(), graph_.outputs));
    std::erase_if(graph_.inputs, [&](const Value& input) { return graph_.constants.contains(input.name); });
    return std::move(graph_);
  }

 private:
  static Error error(ErrorCode code, std::string where, std::string found, std::string expected) {
    return {code, std::move(where), std::move(found), std::move(expected)};
  }

  Status read_opset() {
    for (const auto& set : model_.opset_import())
      if (set.domain().empty() || set.domain() == "ai.onnx") graph_.opset = set.version();
    if (graph_.opset >= oldest_opset) return {};
    return error(ErrorCode::unsupported, where_, "operator set " + std::to_string(graph_.opset),
                 std::to_string(oldest_opset) + " or newer; onnx.version_converter can raise it");
  }

  Status read_initializers() {
    for (onnx::TensorProto& tensor : *model_.mutable_graph()->mutable_initializer()) {
      const std::string where = where_ + ": initializer " + in_quotes(tensor.name());
      PANTANAL_TRY(Constant constant, constant_from(tensor, where));
      PANTANAL_TRY_STATUS(add_constant(tensor.name(), std::move(constant), where));
      tensor.Clear();
    }
    return {};
  }

  Status add_constant(const std::string& name, Constant constant, const std::string& where) {
    if (!defined_.insert(name).second || name.empty())
      return error(ErrorCode::corrupt, where, "the name " + in_quotes(name) + " a second time",
                   "one value of each name");
    graph_.constants.emplace(name, std::move(constant));
    return {};
  }

  Status read_node(onnx::NodeProto& proto) {
    Node node;
    node.name = proto.name();
    node.op = proto.op_type();
    node.domain = proto.domain() == "ai.onnx" ? std::string() : proto.domain();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    const std::string where = where_ + ": " + describe(node);
    for (const onnx::AttributeProto& attribute : proto.attribute())
      PANTANAL_TRY_STATUS(read_attribute(attribute, where, node));
    proto.clear_attribute();
    if (node.op == "Constant" && node.domain.empty()) return read_constant_node(node, where);
    for (const std::string& output : node.outputs)
      if (!output.empty() && !defined_.insert(output).second)
        return error(ErrorCode::corrupt, where, "the output " + in_quotes(output) + " a second time",
                     "one value of each name");
    graph_.nodes.push_back(std::move(node));
    return {};
  }

  Status read_attribute(const onnx::AttributeProto& proto, const std::string& where, Node& node) {
    const std::string attribute = where + ", attribute " + in_quotes(proto.name());
    Attribute& value = node.attributes[proto.name()];
    switch (proto.type()) {
      case onnx::AttributeProto::INT:
        value = std::int64_t{proto.i()};
        return {};
      case onnx::AttributeProto::FLOAT:
        value = proto.f();
        return {};
      case onnx::AttributeProto::STRING:
        value = proto.s();
        return {};
      case onnx::AttributeProto::INTS:
        value = std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
        return {};
      case onnx::AttributeProto::FLOATS:
        value = std::vector<float>(proto.floats().begin(), proto.floats().end());
        return {};
      case onnx::AttributeProto::TENSOR: {
        PANTANAL_TRY(value, constant_from(proto.t(), attribute));
        return {};
      }
      default:
        return error(ErrorCode::unsupported, attribute,
                     "an attribute of type " + onnx::AttributeProto::AttributeType_Name(proto.type()),
                     "integers, numbers, a string or a tensor; Perch v2 has no control flow");
    }
  }

  /// Constant nodes hold their value in one of several attributes.
  Status read_constant_node(Node& node, const std::string& where) {
    if (node.outputs.size() != 1 || node.attributes.size() != 1)
      return error(ErrorCode::corrupt, where, std::to_string(node.attributes.size()) + " attributes",
                   "one output and one value");
    auto& [name, value] = *node.attributes.begin();
    Constant constant;
    if (auto* tensor = std::get_if<Constant>(&value)) {
      constant = std::move(*tensor);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      constant.type = DataType::int64;
      constant.ints = {*integer};
    } else if (const auto* real = std::get_if<float>(&value)) {
      constant.floats = {*real};
    } else if (auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
      constant = {
          DataType::int64, {static_cast<std::int64_t>(integers->size())}, {}, {}, std::move(*integers)};
    } else if (auto* reals = std::get_if<std::vector<float>>(&value)) {
      constant = {DataType::float32, {static_cast<std::int64_t>(reals->size())}, std::move(*reals), {}, {}};
    } else {
      return error(ErrorCode::unsupported, where, "a constant string", "numbers");
    }
    return add_constant(node.outputs.front(), std::move(constant), where);
  }

  template <class Infos>
  Status read_values(const Infos& infos, std::vector<Value>& values) {
    for (const onnx::ValueInfoProto& info : infos) {
      Value value{info.name(), {}};
      for (const auto& dim : info.type().tensor_type().shape().dim())
        value.shape.push_back(dim.has_dim_value() && dim.dim_value() > 0 ? dim.dim_value() : -1);
      values.push_back(std::move(value));
    }
    return {};
  }

  onnx::ModelProto& model_;
  std::string where_;
  Graph graph_;
  std::set<std::string> defined_;
};

}  // namespace

Result<Graph> parse_onnx(std::span<const std::byte> bytes, std::string_view where) {
  onnx::ModelProto model;
  PANTANAL_TRY_STATUS(parse(bytes, std::string(where), "model", model));
  return GraphReader(model, std::string(where)).read();
}

Result<Graph> read_onnx(const std::filesystem::path& path) {
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  return parse_onnx(file.bytes(), path.string());
}

Result<Constant> parse_onnx_tensor(std::span<const std::byte> bytes, std::string_view where) {
  onnx::TensorProto tensor;
  PANTANAL_TRY_STATUS(parse(bytes, std::string(where), "tensor", tensor));
  return constant_from(tensor, std::string(where));
}

}  // namespace pantanal::convert
