// Reads ONNX files into a Graph, with the ONNX project's own message classes.
// Source: https://github.com/onnx/onnx/blob/main/docs/IR.md
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// The graph of an .onnx file of less than 2 GiB. Constant nodes become constants; initializers that are also
/// listed as inputs are constants only; value_info is not read, since it may be stale. Every float16,
/// bfloat16, float32 becomes float, every integer int64. Errors: not an ONNX model; a tensor whose data do
/// not fit its shape; external data, sparse or string tensors, subgraphs, functions, an operator set below 7:
/// what it is and what to do instead.
Result<Graph> read_onnx(const std::filesystem::path& path);

/// Likewise, of a serialised ModelProto. `where` starts the errors'.
Result<Graph> parse_onnx(std::span<const std::byte> model, std::string_view where);

/// One serialised TensorProto, as in the ONNX project's test vectors.
Result<Constant> parse_onnx_tensor(std::span<const std::byte> tensor, std::string_view where);

}  // namespace pantanal::convert
