"""ggml's ggml_ssm_scan through its shared libraries, whoever built them.

Its operator is Mamba-1's recurrence with a softplus of dt inside and without the skip u·D; a channel is a head of width 1.
"""

import ctypes
import pathlib

import numpy as np

FLOAT32, INT32 = 0, 26


class InitParams(ctypes.Structure):
    _fields_ = [("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool)]


class GgmlScan:
    """One problem of (batch, steps, channels, states); run() computes it, output() is y."""

    def __init__(self, folder, u, dt, a, b, c, threads):
        folder = pathlib.Path(folder)
        self.base = ctypes.CDLL(str(folder / "libggml-base.so"), mode=ctypes.RTLD_GLOBAL)
        self.cpu = ctypes.CDLL(str(folder / "libggml-cpu.so"), mode=ctypes.RTLD_GLOBAL)
        self.threads = threads
        (batch, steps, channels), states = u.shape, a.shape[1]
        floats = 3 * u.size + 2 * b.size + a.size + 3 * batch * channels * states
        self.context = self._call("ggml_init", ctypes.c_void_p, InitParams(4 * floats + (64 << 20), None, False))
        s = self._tensor(np.zeros((batch, channels, 1, states), np.float32))
        x = self._tensor(u.reshape(batch, steps, channels, 1))
        inputs = [s, x, self._tensor(dt), self._tensor(a)]
        inputs += [self._tensor(m.reshape(batch, steps, 1, states)) for m in (b, c)]
        inputs.append(self._tensor(np.arange(batch, dtype=np.int32)))
        pointers = [ctypes.c_void_p(p) for p in inputs]
        self.result = self._call("ggml_ssm_scan", ctypes.c_void_p, self.context, *pointers, ctypes.c_int64(1))
        self.graph = self._call("ggml_new_graph", ctypes.c_void_p, self.context)
        self._call("ggml_build_forward_expand", None, self.graph, self.result)
        self.shape = u.shape

    def _call(self, name, result, *arguments):
        library = self.cpu if name.startswith("ggml_graph_compute") else self.base
        function = getattr(library, name)
        function.restype = result
        wrapped = [ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 32 else a for a in arguments]
        return function(*wrapped)

    def _tensor(self, array):
        array = np.ascontiguousarray(array)
        extents = (ctypes.c_int64 * array.ndim)(*array.shape[::-1])
        kind = INT32 if array.dtype == np.int32 else FLOAT32
        tensor = self._call(
            "ggml_new_tensor", ctypes.c_void_p, self.context, ctypes.c_int(kind), ctypes.c_int(array.ndim), extents
        )
        ctypes.memmove(self._call("ggml_get_data", ctypes.c_void_p, tensor), array.ctypes.data, array.nbytes)
        return tensor

    def run(self):
        status = self._call(
            "ggml_graph_compute_with_ctx", ctypes.c_int, self.context, self.graph, ctypes.c_int(self.threads)
        )
        if status != 0:
            raise RuntimeError(f"ggml_graph_compute_with_ctx returned {status}")

    def output(self):
        data = self._call("ggml_get_data", ctypes.c_void_p, self.result)
        count = int(np.prod(self.shape))
        return np.ctypeslib.as_array(ctypes.cast(data, ctypes.POINTER(ctypes.c_float)), (count,)).reshape(self.shape).copy()

    def close(self):
        self._call("ggml_free", None, self.context)
