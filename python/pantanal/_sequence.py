"""Sequence models over the windows of a file: a selective state space layer, ProtoSSM, ResidualSSM, and the scan.

The models are the PyTorch modules of a competition notebook, for inference: same constructor arguments, same names in the
state dict, dropout off (docs/sequence_models.md).
Threads may share a model: while a call computes, other Python threads run, and other calls wait for their turn.
"""

import os
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from pantanal import _pantanal
from pantanal._arrays import FloatArray, IdArray, extent, floats, ids

StateDict = Mapping[str, npt.ArrayLike]
Path = Union[str, "os.PathLike[str]"]
FORMS = ("notebook", "mamba")


def _is_mamba(form: str) -> bool:
    if form not in FORMS:
        raise ValueError(f"form: found {form!r}, expected one of {', '.join(FORMS)}")
    return form == "mamba"


class _Model:
    """What the models share: parameters."""

    _model: Union[_pantanal.SelectiveSsm, _pantanal.ProtoSsm, _pantanal.ResidualSsm]
    _buffers: Tuple[str, ...] = ()
    _loaded = False

    def load_state_dict(self, state_dict: Union[StateDict, Path]) -> None:
        """Takes the parameters of a PyTorch module of the same sizes. They are copied.

        Args:
            state_dict: `module.state_dict()`, a dict from names to arrays or to tensors in CPU memory, or the path of the
                .safetensors file that it was saved to.

        Raises:
            MismatchError: a tensor is missing, is of another shape, or is one that the model does not have: the message
                names it.
            ValueError: a parameter is not floating-point or holds NaN or infinity.
            TypeError: a name is not a string.
            FileNotFoundError, CorruptError: no such file, or a damaged one or one with NaN or infinity in it.
        """
        if isinstance(state_dict, (str, os.PathLike)):
            self._model.load_file(os.fspath(state_dict))
        else:
            for name in state_dict:
                if not isinstance(name, str):
                    raise TypeError(f"state_dict: found the name {name!r}, expected a string")
            wanted = {name: value for name, value in state_dict.items() if name not in self._buffers}
            self._model.load({name: floats(f"state_dict[{name!r}]", value) for name, value in wanted.items()})
        self._loaded = True

    def parameter_shapes(self) -> Dict[str, Tuple[int, ...]]:
        """Name and shape of every parameter that `load_state_dict` must be given."""
        return {name: tuple(shape) for name, shape in self._model.parameters}

    def count_parameters(self) -> int:
        """How many numbers the parameters are."""
        return sum(int(np.prod(shape)) for shape in self.parameter_shapes().values())

    def _require_parameters(self) -> None:
        if not self._loaded:
            raise RuntimeError(f"{type(self).__name__} has no parameters yet: call load_state_dict first")

    def _meta(self, site_ids: Any, hours: Any, files: int) -> Tuple[Optional[IdArray], Optional[IdArray]]:
        if (site_ids is None) != (hours is None):
            missing = "site_ids" if site_ids is None else "hours"
            raise ValueError(f"{missing}: found None, expected one per file, or neither site_ids nor hours")
        if site_ids is None:
            return None, None
        return ids("site_ids", site_ids, files), ids("hours", hours, files)


class SelectiveSSM(_Model):
    """A selective state space layer [B, T, d_model] -> [B, T, d_model] (Gu and Dao 2023, arXiv:2312.00752, section 3).

        x_ssm, z = in_proj(x); x_conv = silu(causal conv1d(x_ssm)); dt = softplus(dt_proj(x_conv))
        h_t = h_{t-1} exp(-dt_t exp(A_log)) + u_t dt_t B_proj(x_conv)_t; y_t = sum over states of h_t C_proj(x_conv)_t + u_t D

    Args:
        d_model, d_state, d_conv: features, states per feature, width of the convolution.
        form: "notebook": u is x and y the result; z and out_proj have parameters but no effect. "mamba": u is x_conv and
            out_proj(y silu(z)) the result.
        threads: threads to share the sequences; 0 stands for as many as the CPU has. Results do not depend on it.

    Raises:
        ValueError: an argument out of its range, or a PANTANAL_ISA that names no instruction set; the message names it
            (UnsupportedError: a set that this CPU lacks).
    """

    def __init__(
        self, d_model: int, d_state: int = 16, d_conv: int = 4, *, form: str = "notebook", threads: int = 0
    ) -> None:
        self.d_model = extent("d_model", d_model)
        self._model: _pantanal.SelectiveSsm = _pantanal.SelectiveSsm(
            d_model=self.d_model,
            d_state=extent("d_state", d_state),
            d_conv=extent("d_conv", d_conv),
            mamba=_is_mamba(form),
            threads=extent("threads", threads, 0),
        )

    def forward(self, x: npt.ArrayLike, *, backwards: bool = False) -> FloatArray:
        """y [B, T, d_model] of x [B, T, d_model], float32. `backwards` runs from the last step to the first.

        Raises:
            ValueError: `x` has another shape or type, holds NaN or infinity, or gives a result beyond float32.
            RuntimeError: no parameters have been loaded.
        """
        self._require_parameters()
        array = floats("x", x, ("B", "T", self.d_model))
        y = np.empty(array.shape, np.float32)
        self._model.run(array, bool(backwards), y)
        return y

    __call__ = forward


class ProtoSSM(_Model):
    """Scores the windows of each file in the light of the others: bidirectional state space layers, attention, prototypes.

        h = gelu(norm(input_proj(emb))) + pos_enc (+ meta of the file); h = ssm_norm(ssm_merge([fwd(h), bwd(h)]) + h), for
        every layer; h = cross_attn(h); sim = cos(h, prototypes) softplus(proto_temp) + class_bias
        species = sigmoid(fusion_alpha) sim + (1 - sigmoid(fusion_alpha)) perch_logits, or sim without perch_logits

    Args:
        d_input, d_model, d_state, n_ssm_layers, n_classes, n_windows, n_sites, meta_dim, use_cross_attn, cross_attn_heads:
            sizes, as in the notebook, in its order and with its defaults. n_windows is the most that a file may have.
        dropout: taken for the notebook's sake; it is off in inference.
        n_families: outputs of the family head, what the notebook's init_family_head adds; 0 for none.
        n_prototypes: prototypes per class, the nearest of which gives sim; `prototypes` is then [n_classes, n_prototypes,
            d_model].
        d_conv, form: of the state space layers, see SelectiveSSM.
        threads: threads to share the files; 0 stands for as many as the CPU has. Results do not depend on it.

    Raises:
        ValueError: an argument out of its range, or a PANTANAL_ISA that names no instruction set; the message names it
            (UnsupportedError: a set that this CPU lacks).
    """

    _buffers = ("class_to_family",)

    def __init__(
        self,
        d_input: int = 1536,
        d_model: int = 192,
        d_state: int = 16,
        n_ssm_layers: int = 2,
        n_classes: int = 234,
        n_windows: int = 12,
        dropout: float = 0.2,
        n_sites: int = 20,
        meta_dim: int = 16,
        use_cross_attn: bool = True,
        cross_attn_heads: int = 4,
        *,
        n_families: int = 0,
        n_prototypes: int = 1,
        d_conv: int = 4,
        form: str = "notebook",
        threads: int = 0,
    ) -> None:
        self.d_input, self.d_model = extent("d_input", d_input), extent("d_model", d_model)
        self.n_classes, self.n_families = extent("n_classes", n_classes), extent("n_families", n_families, 0)
        self._model: _pantanal.ProtoSsm = _pantanal.ProtoSsm(
            d_input=self.d_input,
            d_model=self.d_model,
            d_state=extent("d_state", d_state),
            n_ssm_layers=extent("n_ssm_layers", n_ssm_layers, 0),
            n_classes=self.n_classes,
            n_windows=extent("n_windows", n_windows),
            n_sites=extent("n_sites", n_sites),
            meta_dim=extent("meta_dim", meta_dim),
            use_cross_attn=bool(use_cross_attn),
            cross_attn_heads=extent("cross_attn_heads", cross_attn_heads),
            n_families=self.n_families,
            n_prototypes=extent("n_prototypes", n_prototypes),
            d_conv=extent("d_conv", d_conv),
            mamba=_is_mamba(form),
            threads=extent("threads", threads, 0),
        )

    def forward(
        self,
        emb: npt.ArrayLike,
        perch_logits: Optional[npt.ArrayLike] = None,
        site_ids: Optional[npt.ArrayLike] = None,
        hours: Optional[npt.ArrayLike] = None,
    ) -> Tuple[FloatArray, Optional[FloatArray], FloatArray]:
        """(species_logits [F, T, n_classes], family_logits [F, n_families] or None, h_temporal [F, T, d_model]), float32.

        Args:
            emb: embeddings [F, T, d_input] of the T windows of F files.
            perch_logits: [F, T, n_classes], to be fused with the model's own.
            site_ids, hours: [F], whole numbers from 0 to n_sites - 1 and from 0 to 23; both or neither.

        Raises:
            ValueError: an array has another shape or type or holds NaN or infinity, there are more windows than
                n_windows, or a site or an hour is out of range; the message says which, and where.
            RuntimeError: no parameters have been loaded.
        """
        arrays = self._inputs(emb, perch_logits, site_ids, hours)
        files, steps = arrays[0].shape[:2]
        species = np.empty((files, steps, self.n_classes), np.float32)
        families = np.empty((files, self.n_families), np.float32) if self.n_families else None
        hidden = np.empty((files, steps, self.d_model), np.float32)
        self._model.run(*arrays, species, families, hidden)
        return species, families, hidden

    __call__ = forward

    def temporal_shift_tta(
        self,
        emb: npt.ArrayLike,
        perch_logits: Optional[npt.ArrayLike] = None,
        site_ids: Optional[npt.ArrayLike] = None,
        hours: Optional[npt.ArrayLike] = None,
        shifts: Sequence[int] = (0, 1, -1),
    ) -> FloatArray:
        """The mean species_logits [F, T, n_classes] over `shifts`: windows rolled by each as with numpy.roll, and back.

        Arguments and errors are those of `forward`. What the shifts have in common is computed once.
        """
        arrays = self._inputs(emb, perch_logits, site_ids, hours)
        rolls = [extent("shifts", shift, -(2**31)) for shift in shifts]
        steps = max(1, arrays[0].shape[1])
        species = np.empty((*arrays[0].shape[:2], self.n_classes), np.float32)
        self._model.temporal_shift_tta(*arrays, [roll % steps for roll in rolls], species)
        return species

    def _inputs(
        self, emb: Any, perch_logits: Any, site_ids: Any, hours: Any
    ) -> Tuple[FloatArray, Optional[FloatArray], Optional[IdArray], Optional[IdArray]]:
        self._require_parameters()
        emb = floats("emb", emb, ("F", "T", self.d_input))
        if perch_logits is not None:
            perch_logits = floats("perch_logits", perch_logits, (*emb.shape[:2], self.n_classes))
        return (emb, perch_logits, *self._meta(site_ids, hours, len(emb)))


class ResidualSSM(_Model):
    """What a file's first-pass scores lack: bidirectional state space layers, one as a rule, over embeddings and scores.

        h = gelu(norm(input_proj([emb, scores]))) (+ meta of the file) + pos_enc; h = ssm_norm(ssm_merge([fwd(h), bwd(h)]) + h),
        for every layer; correction = output_head(h)

    Args:
        d_input, d_scores, d_model, d_state, n_classes, n_windows, dropout, n_sites, meta_dim: as in the notebook, in its
            order and with its defaults; see ProtoSSM.
        n_ssm_layers: layers; of several, ssm_fwd and the like are lists, as in ProtoSSM.
        clamp_ids: move a site or hour out of range to the nearest in range, as the notebook does, and do not refuse it.
        d_conv, form, threads: see ProtoSSM.

    Raises:
        ValueError: an argument out of its range, or a PANTANAL_ISA that names no instruction set; the message names it
            (UnsupportedError: a set that this CPU lacks).
    """

    def __init__(
        self,
        d_input: int = 1536,
        d_scores: int = 234,
        d_model: int = 64,
        d_state: int = 8,
        n_classes: int = 234,
        n_windows: int = 12,
        dropout: float = 0.1,
        n_sites: int = 20,
        meta_dim: int = 8,
        *,
        n_ssm_layers: int = 1,
        clamp_ids: bool = False,
        d_conv: int = 4,
        form: str = "notebook",
        threads: int = 0,
    ) -> None:
        self.d_input, self.d_scores = extent("d_input", d_input), extent("d_scores", d_scores)
        self.n_classes = extent("n_classes", n_classes)
        self._model: _pantanal.ResidualSsm = _pantanal.ResidualSsm(
            d_input=self.d_input,
            d_scores=self.d_scores,
            d_model=extent("d_model", d_model),
            d_state=extent("d_state", d_state),
            n_classes=self.n_classes,
            n_windows=extent("n_windows", n_windows),
            n_sites=extent("n_sites", n_sites),
            meta_dim=extent("meta_dim", meta_dim),
            n_ssm_layers=extent("n_ssm_layers", n_ssm_layers),
            d_conv=extent("d_conv", d_conv),
            mamba=_is_mamba(form),
            clamp_ids=bool(clamp_ids),
            threads=extent("threads", threads, 0),
        )

    def forward(
        self,
        emb: npt.ArrayLike,
        first_pass_scores: npt.ArrayLike,
        site_ids: Optional[npt.ArrayLike] = None,
        hours: Optional[npt.ArrayLike] = None,
    ) -> FloatArray:
        """The correction [F, T, n_classes], float32, to add to first-pass logits.

        Args:
            emb: embeddings [F, T, d_input] of the T windows of F files.
            first_pass_scores: [F, T, d_scores].
            site_ids, hours: [F], whole numbers from 0 to n_sites - 1 and from 0 to 23; both or neither.

        Raises:
            ValueError, RuntimeError: as ProtoSSM.forward.
        """
        self._require_parameters()
        emb = floats("emb", emb, ("F", "T", self.d_input))
        scores = floats("first_pass_scores", first_pass_scores, (*emb.shape[:2], self.d_scores))
        correction = np.empty((*emb.shape[:2], self.n_classes), np.float32)
        self._model.run(emb, scores, *self._meta(site_ids, hours, len(emb)), correction)
        return correction

    __call__ = forward


def selective_scan(
    u: npt.ArrayLike,
    delta: npt.ArrayLike,
    A: npt.ArrayLike,
    B: npt.ArrayLike,
    C: npt.ArrayLike,
    D: Optional[npt.ArrayLike] = None,
    z: Optional[npt.ArrayLike] = None,
    delta_bias: Optional[npt.ArrayLike] = None,
    delta_softplus: bool = False,
    return_last_state: bool = False,
    *,
    initial_state: Optional[npt.ArrayLike] = None,
    threads: int = 0,
) -> Union[FloatArray, Tuple[FloatArray, FloatArray]]:
    """The selective scan y [batch, T, channels], float32 (Gu and Dao 2023, arXiv:2312.00752, algorithm 2):

        h_t = h_{t-1} exp(d_t A) + u_t d_t B_t;  y_t = (sum over states of h_t C_t + u_t D) silu(z_t)

    with d = delta + delta_bias, or the softplus of that. Arguments come in the order of mamba_ssm's selective_scan_fn. That
    has time last, though; here it is the second axis, as in PyTorch modules with batch_first: swapaxes(1, 2).

    Args:
        u, delta: [batch, T, channels].
        A: [channels, states], negative as a rule.
        B, C: [batch, T, states].
        D: [channels]; None stands for zeros.
        z: [batch, T, channels]; None leaves the gate out.
        delta_bias: [channels]; None stands for zeros.
        delta_softplus: whether the softplus of delta + delta_bias is the step, or that sum itself.
        return_last_state: also return h after the last step, [batch, channels, states]: the initial_state with which the
            sequences' next part gives what the whole would have given.
        initial_state: h before the first step, [batch, channels, states]; None stands for zeros.
        threads: threads to share sequences and channels; 0 stands for as many as the CPU has. Results do not depend on it.

    Raises:
        ValueError: an array has another shape or type, holds NaN or infinity, or the result exceeds float32; the message
            names the array.
    """
    u = floats("u", u, ("batch", "T", "channels"))
    batch, steps, channels = u.shape
    A = floats("A", A, (channels, "states"))
    states = A.shape[1]
    state_shape = (batch, channels, states)
    last_state = np.empty(state_shape, np.float32) if return_last_state else None
    y = np.empty(u.shape, np.float32)
    _pantanal.selective_scan(
        u,
        floats("delta", delta, u.shape),
        A,
        floats("B", B, (batch, steps, states)),
        floats("C", C, (batch, steps, states)),
        None if D is None else floats("D", D, (channels,)),
        None if z is None else floats("z", z, u.shape),
        None if delta_bias is None else floats("delta_bias", delta_bias, (channels,)),
        bool(delta_softplus),
        None if initial_state is None else floats("initial_state", initial_state, state_shape),
        y,
        last_state,
        extent("threads", threads, 0),
    )
    return y if last_state is None else (y, last_state)
