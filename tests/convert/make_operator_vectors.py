"""Makes random cases of the interpreter's operators, with the outputs ONNX Runtime gives.

    python tests/convert/make_operator_vectors.py tests/golden/operators/operator_vectors.bin

Every operator is drawn CASES times from its own seeded stream, over the operator sets in which its form changed.
Draws that ONNX Runtime refuses are drawn again, at most ATTEMPTS times.
"""
import argparse
import collections
import pathlib
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

import operator_vectors

CASES = 12
ATTEMPTS = 200
DRAWS = {}


def draws(*names):
    """Registers a function (rng, operator) -> (opset, node or nodes, inputs) for operators."""
    def register(function):
        DRAWS.update({name: function for name in names})
        return function
    return register


def reals(rng, *shape, low=-3.0, high=3.0):
    return rng.uniform(low, high, shape).astype(np.float32)


def extents(rng, least=0, most=4):
    return [int(extent) for extent in rng.integers(1, 5, rng.integers(least, most + 1))]


def broadcastable(rng, shape):
    """A shape that broadcasts to `shape`: some extents 1, some leading axes dropped."""
    kept = [extent if rng.random() < 0.6 else 1 for extent in shape]
    return kept[rng.integers(0, len(kept) + 1):] if kept and rng.random() < 0.4 else kept


def pick(rng, *choices):
    return choices[rng.integers(len(choices))]


def some(rng, **attributes):
    """Each attribute with probability a half, so that defaults are met too."""
    return {name: value for name, value in attributes.items() if rng.random() < 0.5}


def node(operator, inputs, outputs=("y",), **attributes):
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def signed(rng, axis, rank):
    """An axis, counted from the front or from the back."""
    return int(axis - rank if rng.random() < 0.5 else axis)


def some_axes(rng, rank, least=0):
    count = rng.integers(min(least, rank), rank + 1)
    return [signed(rng, axis, rank) for axis in rng.permutation(rank)[:count]]


@draws("Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "HardSwish", "Neg", "Relu", "Round", "Sigmoid", "Sign", "Sin",
       "Softplus", "Tanh", "Identity", "Log", "Sqrt", "Reciprocal")
def draw_unary(rng, operator):
    positive = operator in ("Log", "Sqrt", "Reciprocal")
    x = reals(rng, *extents(rng), low=0.05 if positive else -9.0, high=9.0)
    return 14, node(operator, ["x"]), {"x": x}


@draws("Elu", "LeakyRelu", "HardSigmoid")
def draw_activation(rng, operator):
    attributes = some(rng, alpha=float(rng.uniform(0, 2)))
    if operator == "HardSigmoid":
        attributes |= some(rng, beta=float(rng.uniform(0, 1)))
    return 16, node(operator, ["x"], **attributes), {"x": reals(rng, *extents(rng))}


@draws("Clip")
def draw_clip(rng, operator):
    x = reals(rng, *extents(rng))
    if rng.random() < 0.4:
        return pick(rng, 7, 10), node(operator, ["x"], **some(rng, min=-1.0, max=0.5)), {"x": x}
    names = ["x", pick(rng, "low", ""), pick(rng, "high", "")]
    inputs = {"x": x, "low": np.float32(rng.uniform(-2, 1)), "high": np.float32(rng.uniform(-1, 2))}
    return 13, node(operator, names), {name: inputs[name] for name in names if name}


@draws("Add", "Sub", "Mul", "Div", "Min", "Max", "Mean", "Sum")
def draw_arithmetic(rng, operator):
    shape = extents(rng)
    shapes = [broadcastable(rng, shape) for _ in range(rng.integers(1, 5) if operator in ("Min", "Max", "Mean", "Sum")
                                                       else 2)]
    integers = operator not in ("Mean", "Sum") and rng.random() < 0.4
    make = (lambda s: rng.choice([-7, -3, -2, -1, 1, 2, 5], s)) if integers else (lambda s: reals(rng, *s))
    inputs = {f"x{i}": np.asarray(make(s)) for i, s in enumerate(shapes)}
    return 13, node(operator, inputs), inputs


@draws("Pow")
def draw_pow(rng, operator):
    shape = extents(rng)
    base = pick(rng, reals(rng, *broadcastable(rng, shape), low=0.1), rng.integers(-3, 4, broadcastable(rng, shape)))
    exponent = pick(rng, reals(rng, *broadcastable(rng, shape), low=0.0), rng.integers(0, 4, broadcastable(rng, shape)))
    if base.dtype != np.float32 and exponent.dtype == np.float32:
        exponent = np.floor(np.abs(exponent))
    return 15, node(operator, ["x", "p"]), {"x": base, "p": exponent}


@draws("Mod")
def draw_mod(rng, operator):
    shape = extents(rng)
    if rng.random() < 0.5:
        inputs = {"a": reals(rng, *shape), "b": reals(rng, *broadcastable(rng, shape), low=0.5)}
        return 13, node(operator, inputs, fmod=1), inputs
    inputs = {"a": rng.integers(-20, 20, shape), "b": rng.choice([-5, -3, 2, 4], broadcastable(rng, shape))}
    inputs = {name: np.asarray(array) for name, array in inputs.items()}
    return 13, node(operator, inputs, **some(rng, fmod=1)), inputs


@draws("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
def draw_comparison(rng, operator):
    shape = extents(rng)
    inputs = {name: rng.integers(-2, 3, broadcastable(rng, shape)) for name in "ab"}
    if rng.random() < 0.5:
        inputs = {name: np.asarray(array, np.float32) for name, array in inputs.items()}
    return 13, node(operator, inputs), inputs


@draws("And", "Or", "Xor", "Not")
def draw_logic(rng, operator):
    shape = extents(rng)
    names = "a" if operator == "Not" else "ab"
    inputs = {name: np.asarray(rng.random(broadcastable(rng, shape)) < 0.5) for name in names}
    return 13, node(operator, inputs), inputs


@draws("Where")
def draw_where(rng, operator):
    shape = extents(rng)
    inputs = {"c": np.asarray(rng.random(broadcastable(rng, shape)) < 0.5),
              "x": reals(rng, *broadcastable(rng, shape)), "y": reals(rng, *broadcastable(rng, shape))}
    return 16, node(operator, inputs, ["z"]), inputs


@draws("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
       "ReduceSum", "ReduceSumSquare")
def draw_reduction(rng, operator):
    x = reals(rng, *extents(rng, 1), low=0.1 if operator == "ReduceLogSum" else -3.0)
    axes = some_axes(rng, x.ndim, 1)
    if rng.random() < 0.5:
        opset = pick(rng, 7, 11, 12) if operator == "ReduceSum" else pick(rng, 7, 11, 13, 17)
        axes = axes if opset >= 11 else [axis % x.ndim for axis in axes]
        return opset, node(operator, ["x"], **some(rng, axes=axes, keepdims=0)), {"x": x}
    inputs = {"x": x} | some(rng, axes=np.array(pick(rng, axes, []), np.int64))
    return pick(rng, 18, 20), node(operator, inputs, **some(rng, keepdims=0, noop_with_empty_axes=1)), inputs


@draws("Softmax", "LogSoftmax")
def draw_softmax(rng, operator):
    x = reals(rng, *extents(rng, 1))
    opset = pick(rng, 7, 11, 13)
    axis = int(rng.integers(x.ndim))
    axis = axis if opset < 11 else signed(rng, axis, x.ndim)
    return opset, node(operator, ["x"], **some(rng, axis=axis)), {"x": x}


@draws("LpNormalization")
def draw_lp_normalization(rng, operator):
    x = reals(rng, *extents(rng, 1))
    return 13, node(operator, ["x"], **some(rng, axis=signed(rng, rng.integers(x.ndim), x.ndim), p=1)), {"x": x}


@draws("BatchNormalization")
def draw_batch_normalization(rng, operator):
    x = reals(rng, *extents(rng, 2))
    inputs = {"x": x} | {name: reals(rng, x.shape[1], low=0.1) for name in ("scale", "bias", "mean", "variance")}
    return pick(rng, 7, 9, 14, 15), node(operator, inputs, **some(rng, epsilon=0.01, momentum=0.5)), inputs


@draws("Conv")
def draw_conv(rng, operator):
    rank, groups = int(rng.integers(1, 4)), pick(rng, 1, 1, 2, 3)
    channels = int(groups * rng.integers(1, 3))
    filters = int(groups * rng.integers(1, 4))
    kernel = [int(k) for k in rng.integers(1, 4, rank)]
    attributes = some(rng, strides=[int(s) for s in rng.integers(1, 4, rank)],
                      dilations=[int(d) for d in rng.integers(1, 3, rank)], kernel_shape=kernel)
    attributes |= pick(rng, {}, {"pads": [int(p) for p in rng.integers(0, 3, 2 * rank)]},
                       {"auto_pad": pick(rng, "SAME_UPPER", "SAME_LOWER", "VALID")})
    inputs = {"x": reals(rng, rng.integers(1, 3), channels, *rng.integers(5, 9, rank)),
              "w": reals(rng, filters, channels // groups, *kernel)} | some(rng, b=reals(rng, filters))
    return pick(rng, 7, 11), node(operator, inputs, **attributes | ({"group": groups} if groups > 1 else {})), inputs


@draws("MaxPool", "AveragePool")
def draw_pool(rng, operator):
    rank, opset = int(rng.integers(1, 4)), pick(rng, 7, 10, 12, 19)
    kernel = [int(k) for k in rng.integers(1, 4, rank)]
    attributes = {"kernel_shape": kernel} | some(rng, strides=[int(s) for s in rng.integers(1, 4, rank)])
    attributes |= pick(rng, {}, {"pads": [int(rng.integers(0, (k + 1) // 2)) for k in kernel * 2]},
                       {"auto_pad": pick(rng, "SAME_UPPER", "SAME_LOWER", "VALID")})
    if opset >= 10:
        attributes |= some(rng, ceil_mode=1)
    # ONNX Runtime pads as if there were no dilations when auto_pad is SAME; the specification counts them.
    dilatable = not attributes.get("auto_pad", "").startswith("SAME")
    if dilatable and (opset == 19 or (operator == "MaxPool" and opset >= 10)):
        attributes |= some(rng, dilations=[int(d) for d in rng.integers(1, 3, rank)])
    outputs = ["y"]
    if operator == "AveragePool":
        attributes |= some(rng, count_include_pad=1)
    elif opset >= 10 and rng.random() < 0.5:
        outputs.append("indices")
        attributes |= some(rng, storage_order=1)
    inputs = {"x": reals(rng, rng.integers(1, 3), rng.integers(1, 3), *rng.integers(5, 9, rank))}
    return opset, node(operator, inputs, outputs, **attributes), inputs


@draws("GlobalAveragePool", "GlobalMaxPool")
def draw_global_pool(rng, operator):
    return 13, node(operator, ["x"]), {"x": reals(rng, *extents(rng, 3, 5))}


@draws("MatMul")
def draw_matmul(rng, operator):
    rows, depth, columns = (int(n) for n in rng.integers(1, 6, 3))
    batch = extents(rng, 0, 2)
    a = pick(rng, [depth], [*broadcastable(rng, batch), rows, depth])
    b = pick(rng, [depth], [*broadcastable(rng, batch), depth, columns], [depth, columns])
    return 13, node(operator, ["a", "b"]), {"a": reals(rng, *a), "b": reals(rng, *b)}


@draws("Gemm")
def draw_gemm(rng, operator):
    rows, depth, columns = (int(n) for n in rng.integers(1, 6, 3))
    attributes = some(rng, alpha=0.5, beta=2.0, transA=1, transB=1)
    a = [depth, rows] if "transA" in attributes else [rows, depth]
    b = [columns, depth] if "transB" in attributes else [depth, columns]
    inputs = {"a": reals(rng, *a), "b": reals(rng, *b)}
    opset = pick(rng, 7, 11, 13)
    if opset < 11 or rng.random() < 0.6:
        inputs["c"] = reals(rng, *broadcastable(rng, [rows, columns]))
    return opset, node(operator, inputs, **attributes), inputs


@draws("Einsum")
def draw_einsum(rng, operator):
    sizes = {letter: int(rng.integers(1, 5)) for letter in "bhwcnkABij"}
    equation = pick(rng, "bhwc,ck->bhwk", "bij,bjk->bik", "ij,jk", "bhwc,c->bhw", "ij->ji", "ij->", "ij->i", "i,j->ij",
                    "...ij,...jk->...ik", "b...,b...->b...", "ii->i", "bi,bi->b", "AB,B", " i j , j -> i ", "bij,kj->bik",
                    "ijk,ijn->kn", "bhwc,nc->bnhw")
    shapes = []
    for term in equation.split("->")[0].replace(" ", "").split(","):
        term = term.replace("...", "hw")
        shapes.append([sizes[letter] for letter in term])
    inputs = {f"x{i}": reals(rng, *shape) for i, shape in enumerate(shapes)}
    return 12, node(operator, inputs, equation=equation), inputs


@draws("DFT")
def draw_dft(rng, operator):
    onesided = int(rng.random() < 0.4)
    parts = 1 if onesided else pick(rng, 1, 2)
    x = reals(rng, *rng.integers(1, 4, rng.integers(1, 3)), rng.integers(2, 12), parts)
    axis = int(rng.integers(1, x.ndim - 1)) if x.ndim > 2 and rng.random() < 0.5 else x.ndim - 2
    attributes = {"onesided": onesided} if onesided else some(rng, inverse=1)
    length = pick(rng, None, int(rng.integers(1, 16)))
    inputs = {"x": x}
    names = ["x"]
    if length:
        inputs["n"] = np.int64(length)
        names.append("n")
    if rng.random() < 0.5:
        return 17, node(operator, names, axis=axis, **attributes), inputs
    inputs["axis"] = np.int64(pick(rng, axis, axis - x.ndim))
    return 20, node(operator, [*names, *([] if length else [""]), "axis"], **attributes), inputs


@draws("Reshape")
def draw_reshape(rng, operator):
    x = reals(rng, *extents(rng, 1))
    shape = list(rng.permutation(x.shape))
    if rng.random() < 0.5:
        shape[rng.integers(len(shape))] = -1
    else:
        shape = [0 if rng.random() < 0.5 else extent for extent in x.shape] + [1]
    inputs = {"x": x, "shape": np.array(shape, np.int64)}
    return pick(rng, 7, 13, 14), node(operator, inputs), inputs


@draws("Flatten")
def draw_flatten(rng, operator):
    x = reals(rng, *extents(rng, 1))
    axis = int(rng.integers(x.ndim + 1))
    opset = pick(rng, 9, 11, 13)
    return opset, node(operator, ["x"], **some(rng, axis=axis - x.ndim if opset >= 11 and axis < x.ndim else axis)), \
        {"x": x}


@draws("Squeeze", "Unsqueeze")
def draw_squeeze(rng, operator):
    shape = [extent if rng.random() < 0.5 else 1 for extent in extents(rng, 1)]
    if operator == "Squeeze":
        ones = [axis for axis, extent in enumerate(shape) if extent == 1]
        axes = [signed(rng, axis, len(shape)) for axis in ones[:rng.integers(1, 4)]]
    else:
        rank = len(shape) + int(rng.integers(1, 3))
        axes = [signed(rng, axis, rank) for axis in rng.permutation(rank)[:rank - len(shape)]]
    if rng.random() < 0.5:
        attributes = {"axes": axes} if axes else {}
        return 11, node(operator, ["x"], **attributes), {"x": reals(rng, *shape)}
    inputs = {"x": reals(rng, *shape)} | ({"axes": np.array(axes, np.int64)} if axes else {})
    return 13, node(operator, inputs), inputs


@draws("Transpose")
def draw_transpose(rng, operator):
    x = reals(rng, *extents(rng, 1, 5))
    return 13, node(operator, ["x"], **some(rng, perm=[int(axis) for axis in rng.permutation(x.ndim)])), {"x": x}


@draws("Expand")
def draw_expand(rng, operator):
    shape = extents(rng, 1)
    inputs = {"x": reals(rng, *broadcastable(rng, shape)), "shape": np.array(broadcastable(rng, shape), np.int64)}
    return 13, node(operator, inputs), inputs


@draws("Tile")
def draw_tile(rng, operator):
    x = pick(rng, reals(rng, *extents(rng, 1)), rng.integers(-5, 5, extents(rng, 1)))
    inputs = {"x": x, "repeats": rng.integers(0, 4, x.ndim)}
    return 13, node(operator, inputs), inputs


@draws("Gather")
def draw_gather(rng, operator):
    x = pick(rng, reals(rng, *extents(rng, 1)), rng.integers(-5, 5, extents(rng, 1)))
    axis = int(rng.integers(x.ndim))
    inputs = {"x": x, "i": np.asarray(rng.integers(-x.shape[axis], x.shape[axis], extents(rng, 0, 2)))}
    return pick(rng, 11, 13), node(operator, inputs, **some(rng, axis=signed(rng, axis, x.ndim)) if rng.random() < 0.5
                                   else {"axis": axis}), inputs


@draws("Slice")
def draw_slice(rng, operator):
    x = reals(rng, *rng.integers(1, 7, rng.integers(1, 4)))
    axes = [axis % x.ndim for axis in some_axes(rng, x.ndim, 1)]
    starts = [int(v) for v in rng.integers(-8, 8, len(axes))]
    ends = [int(pick(rng, v, v, 2**31 - 1, -2**31)) for v in rng.integers(-8, 8, len(axes))]
    if rng.random() < 0.3:
        return 9, node(operator, ["x"], starts=starts, ends=ends, axes=axes), {"x": x}
    inputs = {"x": x, "starts": np.array(starts), "ends": np.array(ends),
              "axes": np.array([signed(rng, axis, x.ndim) for axis in axes])}
    if rng.random() < 0.7:
        inputs["steps"] = rng.choice([-3, -2, -1, 1, 2, 3], len(axes))
    return pick(rng, 10, 11, 13), node(operator, inputs), inputs


@draws("Concat")
def draw_concat(rng, operator):
    shape = extents(rng, 1)
    axis = int(rng.integers(len(shape)))
    inputs = {}
    for i in range(rng.integers(1, 5)):
        part = list(shape)
        part[axis] = int(rng.integers(0, 4))
        inputs[f"x{i}"] = reals(rng, *part)
    return 13, node(operator, inputs, axis=signed(rng, axis, len(shape))), inputs


@draws("Split")
def draw_split(rng, operator):
    shape = extents(rng, 1)
    axis, parts, opset = int(rng.integers(len(shape))), int(rng.integers(1, 4)), pick(rng, 7, 11, 13, 18)
    lengths = [int(length) for length in rng.integers(0 if opset > 11 else 1, 4, parts)]
    attributes = {"axis": axis if opset < 11 else signed(rng, axis, len(shape))}
    form = pick(rng, "listed", "equal")
    if form == "equal":
        length = int(rng.integers(1, 4))
        lengths = [length] * parts
        if opset == 18:
            attributes["num_outputs"] = parts
            lengths[-1] = int(rng.integers(1, length + 1))
    shape[axis] = sum(lengths)
    inputs = {"x": reals(rng, *shape)}
    if form == "listed":
        inputs |= {} if opset < 13 else {"split": np.array(lengths)}
        attributes |= {"split": lengths} if opset < 13 else {}
    return opset, node(operator, inputs, [f"y{i}" for i in range(parts)], **attributes), inputs


@draws("Pad")
def draw_pad(rng, operator):
    x = reals(rng, *rng.integers(3, 6, rng.integers(1, 4)))
    mode = pick(rng, "constant", "edge", "reflect", "wrap")
    pads = [int(p) for p in rng.integers(-1 if mode == "constant" else 0, 3, 2 * x.ndim)]
    if mode != "wrap" and rng.random() < 0.4:
        return pick(rng, 7, 10), node(operator, ["x"], pads=pads, **some(rng, mode=mode, value=1.5)), {"x": x}
    opset = 19 if mode == "wrap" else pick(rng, 11, 13, 18, 19)
    inputs = {"x": x, "pads": np.array(pads)}
    if mode == "constant" and rng.random() < 0.5:
        inputs["value"] = np.float32(rng.uniform(-2, 2))
    names = list(inputs)
    if opset >= 18 and rng.random() < 0.5:
        axes = rng.permutation(x.ndim)[:rng.integers(1, x.ndim + 1)]
        inputs["pads"] = np.array(pads[:2 * len(axes)])
        inputs["axes"] = np.array([signed(rng, axis, x.ndim) for axis in axes])
        names += ([] if "value" in inputs else [""]) + ["axes"]
    return opset, node(operator, names, mode=mode), inputs


@draws("Cast")
def draw_cast(rng, operator):
    source = pick(rng, reals(rng, *extents(rng), low=-300.0, high=300.0), rng.integers(-300, 300, extents(rng)),
                  np.asarray(rng.random(extents(rng)) < 0.5))
    to = pick(rng, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)
    if source.dtype == np.int64:
        to = pick(rng, to, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)
    return 13, node(operator, ["x"], to=to), {"x": source}


@draws("Shape")
def draw_shape(rng, operator):
    x = reals(rng, *extents(rng))
    return 15, node(operator, ["x"], **some(rng, start=int(rng.integers(-5, 6)), end=int(rng.integers(-5, 6)))), {"x": x}


@draws("Size")
def draw_size(rng, operator):
    return 13, node(operator, ["x"]), {"x": reals(rng, *extents(rng))}


@draws("Range")
def draw_range(rng, operator):
    kind = pick(rng, np.int64, np.float32)
    numbers = rng.integers(-9, 10, 2) if kind == np.int64 else rng.uniform(-9, 9, 2)
    inputs = {"start": kind(numbers[0]), "limit": kind(numbers[1]),
              "delta": kind(pick(rng, -2, -1, 1, 3) * (1 if kind == np.int64 else 0.7))}
    return 11, node(operator, inputs), inputs


@draws("ConstantOfShape")
def draw_constant_of_shape(rng, operator):
    value = pick(rng, np.array([1.5], np.float32), np.array([-7], np.int64), np.array([True]))
    attributes = some(rng, value=onnx.numpy_helper.from_array(value))
    return 9, node(operator, ["shape"], **attributes), {"shape": np.array(extents(rng), np.int64)}


@draws("Dropout")
def draw_dropout(rng, operator):
    x = reals(rng, *extents(rng))
    if rng.random() < 0.5:
        return pick(rng, 7, 10), node(operator, ["x"], **some(rng, ratio=0.25)), {"x": x}
    return 13, node(operator, ["x", "ratio"], pick(rng, ["y"], ["y", "mask"])), {"x": x, "ratio": np.float32(0.25)}


@draws("dynamic batch")
def draw_dynamic_batch(rng, operator):
    """Shapes taken from the input, cut up and put together again, as exporters carry a dynamic batch."""
    x = reals(rng, rng.integers(1, 4), *rng.integers(1, 4, 3))
    nodes = [node("Shape", ["x"], ["shape"]),
             node("Gather", ["shape", "first"], ["n"], axis=0),
             node("Slice", ["shape", "one", "end"], ["image"]),
             node("ReduceProd", ["image"], ["area"], keepdims=1),
             node("Unsqueeze", ["n", "zero"], ["n1"]),
             node("Concat", ["n1", "area"], ["flat"], axis=0),
             node("Cast", ["flat"], ["flat32"], to=TensorProto.INT32),
             node("Cast", ["flat32"], ["flat64"], to=TensorProto.INT64),
             node("Reshape", ["x", "flat64"], ["matrix"]),
             node("Expand", ["row", "flat"], ["rows"]),
             node("Mul", ["matrix", "rows"], ["product"]),
             node("Neg", ["product"], ["negative"]),
             node("Exp", ["negative"], ["e"]),
             node("Add", ["e", "row"], ["e1"]),
             node("Div", ["product", "e1"], ["y"])]
    inputs = {"x": x, "first": np.int64(0), "zero": np.array([0]), "one": np.array([1]), "end": np.array([4]),
              "row": np.ones(1, np.float32)}
    return 13, nodes, inputs


@draws("separable block")
def draw_separable_block(rng, operator):
    """Expansion, depthwise convolution, squeeze-and-excite and projection between transposes, around a skip."""
    channels, wide = int(rng.integers(2, 5)), int(rng.integers(4, 8))
    kernel = pick(rng, 3, 5)
    inputs = {"x": reals(rng, pick(rng, 1, 2), *rng.integers(4, 8, 2), channels),
              "expand": reals(rng, wide, channels, 1, 1), "scale": reals(rng, wide, low=0.5),
              "shift": reals(rng, wide), "depthwise": reals(rng, wide, 1, kernel, kernel, low=-1.0, high=1.0),
              "reduce": reals(rng, wide, 2), "restore": reals(rng, 2, wide),
              "project": reals(rng, channels, wide, 1, 1), "axes": np.array([1, 2])}
    nodes = [node("Transpose", ["x"], ["x_nchw"], perm=[0, 3, 1, 2]),
             node("Conv", ["x_nchw", "expand"], ["e"]),
             node("Transpose", ["e"], ["e_nhwc"], perm=[0, 2, 3, 1]),
             node("Mul", ["e_nhwc", "scale"], ["scaled"]), node("Add", ["scaled", "shift"], ["shifted"]),
             node("Sigmoid", ["shifted"], ["gate"]), node("Mul", ["shifted", "gate"], ["swish"]),
             node("Transpose", ["swish"], ["swish_nchw"], perm=[0, 3, 1, 2]),
             node("Conv", ["swish_nchw", "depthwise"], ["d"], group=wide, pads=[kernel // 2] * 4),
             node("Transpose", ["d"], ["d_nhwc"], perm=[0, 2, 3, 1]),
             node("ReduceMean", ["d_nhwc", "axes"], ["mean"], keepdims=1),
             node("MatMul", ["mean", "reduce"], ["reduced"]), node("Relu", ["reduced"], ["positive"]),
             node("MatMul", ["positive", "restore"], ["restored"]), node("Sigmoid", ["restored"], ["excite"]),
             node("Mul", ["d_nhwc", "excite"], ["excited"]),
             node("Transpose", ["excited"], ["excited_nchw"], perm=[0, 3, 1, 2]),
             node("Conv", ["excited_nchw", "project"], ["p"]),
             node("Transpose", ["p"], ["p_nhwc"], perm=[0, 2, 3, 1]), node("Add", ["p_nhwc", "x"], ["y"])]
    return 18, nodes, inputs


def run(model, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def build(rng, draw, operator):
    """One case as it is stored; raises what ONNX Runtime raises."""
    opset, nodes, inputs = draw(rng, operator)
    nodes = nodes if isinstance(nodes, list) else [nodes]
    inputs = {name: np.asarray(array) for name, array in inputs.items()}
    declared = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                for name, array in inputs.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in nodes[-1].output]
    graph = helper.make_graph(nodes, "case", declared, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    found = run(model, inputs)
    if any(array.dtype.kind == "f" and not np.isfinite(array).all() for array in found.values()):
        raise ValueError("not finite")
    return opset, operator_vectors.pack(model, inputs, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)

    cases, counts = [], collections.Counter()
    for operator in sorted(DRAWS):
        rng = np.random.Generator(np.random.PCG64([2, zlib.crc32(operator.encode())]))
        refusals = collections.Counter()
        for _ in range(ATTEMPTS):
            if counts[operator] == CASES:
                break
            try:
                opset, case = build(rng, DRAWS[operator], operator)
            except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
                refusals[str(error).replace("\n", " ")[:160]] += 1
                continue
            cases.append((f"{operator} {counts[operator]} (operator set {opset})", case))
            counts[operator] += 1
        for message, count in refusals.items():
            print(f"{operator}: refused {count} times: {message}")
    operator_vectors.write(arguments.out, cases)
    operator_vectors.report(counts)
    print(f"{len(cases)} cases, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
