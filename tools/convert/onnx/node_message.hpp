// How messages name a node and its values: safe to print whatever the file says, and enough to find it in a
// viewer.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// `text` in single quotes, cut to 120 bytes, with control characters replaced.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 120;
  std::string shown = "'";
  for (const char c : text.substr(0, longest))
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return shown + (text.size() > longest ? "...'" : "'");
}

/// The operator, with its domain unless that is the default one.
inline std::string operator_name(const Node& node) {
  return node.domain.empty() ? node.op : node.domain + "." + node.op;
}

/// "node 'node_Conv_23' (Conv, output 'x')".
inline std::string describe(const Node& node) {
  std::string text = "node ";
  if (!node.name.empty()) text += in_quotes(node.name) + " ";
  text += "(" + operator_name(node);
  if (!node.outputs.empty()) text += ", output " + in_quotes(node.outputs.front());
  return text + ")";
}

/// An Error about `node`.
inline Error node_error(const Node& node, std::string found, std::string expected,
                        ErrorCode code = ErrorCode::unsupported) {
  return {code, describe(node), std::move(found), std::move(expected)};
}

}  // namespace pantanal::convert
