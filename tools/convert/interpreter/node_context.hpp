// NodeContext: a node's attributes, read with their types and defaults, and Errors that name the node.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert::interpreter {

class NodeContext {
 public:
  /// `max_elements`: how many elements the node may still allocate.
  NodeContext(const Node& node, std::int64_t opset, std::int64_t max_elements)
      : node_(&node), opset_(opset), max_elements_(max_elements) {}

  std::int64_t opset() const { return opset_; }
  std::size_t output_count() const { return node_->outputs.size(); }

  /// An Error about this node.
  Error error(ErrorCode code, std::string found, std::string expected) const;
  /// An Error about one of its attributes.
  Error attribute_error(std::string_view attribute, std::string found, std::string expected) const;

  bool has(std::string_view attribute) const { return find(attribute) != nullptr; }
  Result<std::int64_t> integer(std::string_view attribute, std::int64_t fallback) const;
  Result<std::int64_t> required_integer(std::string_view attribute) const;
  Result<float> real(std::string_view attribute, float fallback) const;
  Result<std::string> text(std::string_view attribute, std::string fallback) const;
  Result<std::optional<std::vector<std::int64_t>>> integers(std::string_view attribute) const;
  /// The tensor, or nothing if the attribute is absent.
  Result<const Constant*> constant(std::string_view attribute) const;

  /// Elements of a new tensor of this shape; an Error if an extent is negative or the node may not allocate
  /// so many.
  Result<std::size_t> size_of(const Shape& shape) const;
  /// An Error if the product of these extents, operations on elements, would take minutes.
  Status check_work(std::initializer_list<std::int64_t> extents) const;
  /// `axis`, which may count from the end, as an index below `rank`.
  Result<std::size_t> axis(std::int64_t axis, std::size_t rank) const;
  /// Likewise, all different.
  Result<std::vector<std::size_t>> axes(const std::vector<std::int64_t>& axes, std::size_t rank) const;

 private:
  const Attribute* find(std::string_view attribute) const;
  template <class T>
  Result<const T*> get(std::string_view attribute, const char* type) const;

  const Node* node_;
  std::int64_t opset_;
  std::int64_t max_elements_;
};

}  // namespace pantanal::convert::interpreter
