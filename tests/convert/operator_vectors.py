"""The file of operator test cases that operator_vectors.hpp reads.

A case is an ONNX model that carries its own data: initializers `feed:NAME` hold the inputs, `expect:NAME` the outputs.
The file is a sequence of cases, each: length of the name (uint32, little-endian), the name, length of the model
(uint32), the model.
"""
import struct

import onnx
from onnx import TensorProto, numpy_helper

NUMERIC = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BOOL, TensorProto.INT8, TensorProto.INT16,
           TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32,
           TensorProto.UINT64}

#: What the interpreter has.
OPERATORS = set("""
    Abs Add And AveragePool BatchNormalization Cast CastLike Ceil Clip Concat Constant ConstantOfShape Conv Cos DFT Div
    Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor Gather Gemm GlobalAveragePool GlobalMaxPool Greater
    GreaterOrEqual HardSigmoid HardSwish Identity LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul Max
    MaxPool Mean Min Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Shape Sigmoid Sign Sin Size
    Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Swish Tanh Tile Transpose Unsqueeze Where Xor""".split())


def pack(model, inputs, outputs):
    """`model` with its data; inputs and outputs map names to arrays."""
    packed = onnx.ModelProto()
    packed.CopyFrom(model)
    graph = packed.graph
    for prefix, arrays in (("feed:", inputs), ("expect:", outputs)):
        graph.initializer.extend(numpy_helper.from_array(array, prefix + name) for name, array in arrays.items())
    del graph.value_info[:]
    return packed.SerializeToString(deterministic=True)


def write(path, cases):
    """Writes (name, packed model) pairs."""
    with open(path, "wb") as file:
        for name, model in cases:
            encoded = name.encode()
            file.write(struct.pack("<I", len(encoded)) + encoded + struct.pack("<I", len(model)) + model)


def report(counts):
    """One line per operator, most cases first."""
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:5d} {name}")
