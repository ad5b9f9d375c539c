"""Engines that compute Perch v2 beside us: each loads a file and returns a function of windows [n, 160000]."""

import pathlib

import numpy as np


def pantanal_runner(path, outputs, threads):
    import pantanal

    model = pantanal.Perch(path, threads=threads)
    return lambda windows: model.run(windows, outputs=outputs)


def onnxruntime_runner(path, outputs, threads):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return lambda windows: session.run(list(outputs), {"inputs": windows})


def _openvino_frontend(window, mel):
    """OpenVINO's own operators for [n, 160000] -> [n, 500, 128]: its reader fails at the DFT of the ONNX files (2026.4)."""
    import openvino.opset13 as op

    audio = op.parameter([-1, 160000], np.float32, name="inputs")
    nothing, edge = np.array([0, 160]), np.array([0, 160])
    hops = op.reshape(op.pad(audio, nothing, edge, "constant"), np.array([0, 501, 320]), True)
    parts = [op.slice(hops, np.array([i]), np.array([i + 500]), np.array([1]), np.array([1])) for i in (0, 1)]
    frames = op.multiply(op.concat(parts, 2), window.reshape(1, 1, 640))
    padded = op.pad(frames, np.array([0, 0, 0]), np.array([0, 0, 1024 - 640]), "constant")
    spectrum = op.rdft(padded, np.array([2]))
    magnitude = op.reduce_l2(spectrum, np.array([3]), False)
    mels = op.maximum(op.matmul(magnitude, mel, False, False), np.float32(1e-5))
    return audio, op.multiply(op.log(mels), np.float32(0.1))


def openvino_runner(path, outputs, threads):
    """`path` is a folded ONNX file; a copy without its front end is made beside it, of opset 18, since OpenVINO 2026.4 passes
    over the axes of an older one's reductions."""
    import onnx
    import onnx.version_converter
    import openvino
    from onnx import numpy_helper

    path = pathlib.Path(path)
    network = path.with_suffix(".network.onnx")
    if not network.exists():
        onnx.utils.extract_model(str(path), str(network), ["spectrogram"], list(outputs))
        onnx.save(onnx.version_converter.convert_version(onnx.load(str(network)), 18), str(network))
    weights = [numpy_helper.to_array(i) for i in onnx.load(str(path)).graph.initializer]
    window, mel = (next(v for v in weights if v.shape == shape) for shape in ((1, 1, 640), (513, 128)))
    core = openvino.Core()
    model = core.read_model(network)
    audio, spectrogram = _openvino_frontend(window, mel)
    model.get_parameters()[0].output(0).replace(spectrogram.output(0))
    whole = openvino.Model(model.get_results(), [audio], "perch")
    whole.reshape([1, 160000])
    compiled = core.compile_model(
        whole,
        "CPU",
        {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"},
    )

    def run(windows):  # one by one: of several at once, 2026.4 computes wrong logits of all but the first
        results = [compiled(window[None]) for window in windows]
        return [np.concatenate([result[name] for result in results]) for name in outputs]

    return run


def litert_runner(path, outputs, threads):
    """`path` is a file of make_perch_tflite.py, which takes one window at a time and knows the embedding only."""
    from ai_edge_litert.interpreter import Interpreter

    if tuple(outputs) != ("embedding",):
        raise ValueError(f"{path}: {outputs} asked for, an embedding is all there is")
    interpreter = Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(windows):
        embeddings = []
        for window in windows:
            interpreter.set_tensor(source, window[None])
            interpreter.invoke()
            embeddings.append(interpreter.get_tensor(target).reshape(-1))
        return [np.stack(embeddings)]

    return run


RUNNERS = {
    "pantanal": pantanal_runner,
    "onnxruntime": onnxruntime_runner,
    "openvino": openvino_runner,
    "litert": litert_runner,
}
