"""Writes Perch v2 without its label head as a LiteRT (.tflite) file, to time LiteRT with XNNPACK beside us.

    pip install onnx ai-edge-litert flatbuffers
    python bench/make_perch_tflite.py clean_headless.onnx clean_headless.tflite

The source is the folded graph of tools/fixtures/make_perch_onnx.py --preset clean --no-head. Layouts change from NCHW to NHWC; dense layers
become 1x1 convolutions, so that nothing is reshaped; a convolution's padding must be TensorFlow's SAME or none.
"""

import argparse
import pathlib

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper

SPECTROGRAM, EMBEDDING = "spectrogram", "embedding"
OP = schema.BuiltinOperator


class Writer:
    """A model of one subgraph, [1, h, w, channels] throughout."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.description = 3, "Perch v2"
        self.model.buffers, self.model.operatorCodes, self.model.subgraphs = [schema.BufferT()], [], [self.graph]
        self.graph.tensors, self.graph.operators = [], []
        self.codes, self.shapes = {}, []

    def tensor(self, shape, data=None, kind=schema.TensorType.FLOAT32):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = f"t{len(self.graph.tensors)}", list(shape), 0
        tensor.type = schema.TensorType.INT32 if data is not None and data.dtype == np.int32 else kind
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        self.shapes.append(tuple(shape))
        return len(self.graph.tensors) - 1

    def constant(self, data):
        return self.tensor(data.shape, data)

    def operator(self, code, inputs, shape, options=None, kind=schema.TensorType.FLOAT32):
        if code not in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
            self.codes[code] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(entry)
        operator, output = schema.OperatorT(), self.tensor(shape, kind=kind)
        operator.opcodeIndex, operator.inputs, operator.outputs = self.codes[code], list(inputs), [output]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(operator)
        return output

    def bytes(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def padding_of(node, size):
    """SAME or VALID, with the sizes that come out of it."""
    attributes = {a.name: list(a.ints) for a in node.attribute if a.ints}
    kernel, stride, pads = attributes["kernel_shape"], attributes["strides"], attributes["pads"]
    same = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, stride)]
    if not any(pads):
        out = [(n - k) // s + 1 for n, k, s in zip(size, kernel, stride)]
        is_same = not any(same)
    else:
        if pads != [same[0] // 2, same[1] // 2, same[0] - same[0] // 2, same[1] - same[1] // 2]:
            raise SystemExit(f"{node.output[0]}: padding {pads}, expected TensorFlow's for {size}: {same}")
        out, is_same = [-(-n // s) for n, s in zip(size, stride)], True
    return (schema.Padding.SAME if is_same else schema.Padding.VALID), stride, out


class Converter:
    def __init__(self, graph):
        self.writer = Writer()
        self.weights = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.values = {}

    def shape(self, index):
        return self.writer.shapes[index]

    def convolve(self, x, weight, bias, node=None):
        """`weight` as ONNX has it, [out, in / groups, h, w]."""
        _, height, width, channels = self.shape(x)
        depthwise = weight.shape[1] == 1 and weight.shape[0] == channels and channels > 1
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        padding, stride, out = schema.Padding.VALID, [1, 1], [height, width]
        if node is not None:
            padding, stride, out = padding_of(node, (height, width))
        options.padding, (options.strideH, options.strideW) = padding, stride
        options.dilationHFactor = options.dilationWFactor = 1
        if depthwise:
            options.depthMultiplier = 1
        axes = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
        inputs = [x, self.writer.constant(np.ascontiguousarray(weight.transpose(axes))), self.writer.constant(bias)]
        code = OP.DEPTHWISE_CONV_2D if depthwise else OP.CONV_2D
        return self.writer.operator(code, inputs, (1, *out, weight.shape[0]), options)

    def conv(self, node):
        weight = self.weights[node.input[1]]
        bias = self.weights[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
        return self.convolve(self.values[node.input[0]], weight, bias, node)

    def gemm(self, node):
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        weight = self.weights[node.input[1]]
        weight = weight if transposed else weight.T
        return self.convolve(self.values[node.input[0]], weight[:, :, None, None], self.weights[node.input[2]])

    def pool(self, node):
        x = self.values[node.input[0]]
        options = schema.ReducerOptionsT()
        options.keepDims = True
        axes = self.writer.constant(np.array([1, 2], np.int32))
        return self.writer.operator(OP.MEAN, [x, axes], (1, 1, 1, self.shape(x)[-1]), options)

    def logistic(self, node):
        x = self.values[node.input[0]]
        return self.writer.operator(OP.LOGISTIC, [x], self.shape(x))

    def binary(self, node):
        inputs = [self.values[name] for name in node.input]
        multiplies = node.op_type == "Mul"
        return self.writer.operator(OP.MUL if multiplies else OP.ADD, inputs, np.maximum(*map(self.shape, inputs)).tolist(),
                                    schema.MulOptionsT() if multiplies else schema.AddOptionsT())

    def same(self, node):
        """Reshapes between [c] and [c, 1, 1], which NHWC with all four axes does without."""
        return self.values[node.input[0]]

    def spectrogram(self, audio):
        """[1, 160000] -> [1, 500, 128, 1]: hops side by side make frames; see the spec of Perch v2's front end."""
        w, constant = self.writer, self.writer.constant
        window, mel = (next(v for v in self.weights.values() if v.shape == shape) for shape in ((1, 1, 640), (513, 128)))
        floor, scale = np.float32(1e-5), np.float32(0.1)

        def integers(*values):
            return constant(np.array(values, np.int32))

        def reshape(x, *shape):
            options = schema.ReshapeOptionsT()
            options.newShape = list(shape)
            return w.operator(OP.RESHAPE, [x, integers(*shape)], shape, options)

        padded = w.operator(OP.PAD, [audio, constant(np.array([[0, 0], [160, 160]], np.int32))], (1, 160320), schema.PadOptionsT())
        hops = reshape(padded, 501, 320)
        halves = [w.operator(OP.SLICE, [hops, integers(i, 0), integers(500, 320)], (500, 320), schema.SliceOptionsT()) for i in (0, 1)]
        side_by_side = schema.ConcatenationOptionsT()
        side_by_side.axis = 1
        frames = w.operator(OP.CONCATENATION, halves, (500, 640), side_by_side)
        windowed = w.operator(OP.MUL, [frames, constant(window.reshape(1, 640))], (500, 640), schema.MulOptionsT())
        spectrum = w.operator(OP.RFFT2D, [reshape(windowed, 500, 1, 640), integers(1, 1024)], (500, 1, 513), schema.Rfft2dOptionsT(),
                              schema.TensorType.COMPLEX64)
        magnitude = reshape(w.operator(OP.COMPLEX_ABS, [spectrum], (500, 1, 513)), 500, 513)
        mels = w.operator(OP.FULLY_CONNECTED, [magnitude, constant(np.ascontiguousarray(mel.T))], (500, 128), schema.FullyConnectedOptionsT())
        floored = w.operator(OP.MAXIMUM, [mels, constant(np.array([floor]))], (500, 128), schema.MaximumMinimumOptionsT())
        logarithm = w.operator(OP.LOG, [floored], (500, 128))
        scaled = w.operator(OP.MUL, [logarithm, constant(np.array([scale]))], (500, 128), schema.MulOptionsT())
        return reshape(scaled, 1, 500, 128, 1)

    def run(self, nodes):
        ways = {"Conv": self.conv, "Gemm": self.gemm, "GlobalAveragePool": self.pool, "Sigmoid": self.logistic, "Mul": self.binary,
                "Add": self.binary, "Flatten": self.same, "Unsqueeze": self.same, "Reshape": self.same}
        audio = self.writer.tensor((1, 160000))
        self.values[SPECTROGRAM] = self.spectrogram(audio)
        for node in nodes:
            if node.input and node.input[0] in self.values and EMBEDDING not in self.values:
                self.values[node.output[0]] = ways[node.op_type](node)
        return self.writer.bytes([audio], [self.values[EMBEDDING]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=pathlib.Path)
    parser.add_argument("tflite", type=pathlib.Path)
    options = parser.parse_args()
    graph = onnx.load(str(options.onnx)).graph
    options.tflite.write_bytes(Converter(graph).run(graph.node))


if __name__ == "__main__":
    main()
