// One ONNX tensor message as a Constant. Private to the reader.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Checks the shape, the kind of data and their number before allocating anything. `where` names the tensor.
Result<Constant> constant_from(const onnx::TensorProto& tensor, const std::string& where);

}  // namespace pantanal::convert
