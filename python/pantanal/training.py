"""Training ProtoSSM and ResidualSSM, as a competition notebook trains them in PyTorch, and Perch itself.

    from pantanal import training

    config = {"n_sites": 10}                                     # the published sizes but for this
    state = training.initial_proto_ssm(config, seed=0)
    model = training.train_proto_ssm(state, config, emb, labels, logits=logits, seed=0, progress=print)
    model.state, model.history["train_loss"]

`config` holds constructor arguments, `options` the fields of the C++ options (train/training.hpp, train/train_proto_ssm.hpp);
what is left out is the published run's. The same seed gives the same bytes with any number of threads. Ctrl-C ends a training
after the epoch it is in, with the best state so far. While a training computes, other Python threads run.
"""

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy.typing as npt

from pantanal import _training
from pantanal._training_base import (
    Config,
    FloatArray,
    Progress,
    State,
    TrainedModel,
    floats,
    ids,
    maybe_floats,
    state_arrays,
    trained,
)
from pantanal._training_perch import (
    calibrated_perch,
    initial_perch,
    perch_inputs,
    perch_loss_and_grads,
    train_perch,
    with_new_label_head,
)


__all__ = [
    "AdamW",
    "CosineAnnealingWarmRestarts",
    "EnsembleWeight",
    "OneCycleLR",
    "OutOfFold",
    "TrainedModel",
    "calibrated_perch",
    "initial_perch",
    "initial_proto_ssm",
    "initial_residual_ssm",
    "optimize_ensemble_weight",
    "perch_inputs",
    "perch_loss_and_grads",
    "proto_ssm_loss_and_grads",
    "residual_ssm_loss_and_grads",
    "run_proto_ssm_oof",
    "start_prototypes",
    "train_perch",
    "train_proto_ssm",
    "train_residual_ssm",
    "with_new_label_head",
]


class OutOfFold(NamedTuple):
    """Predictions of files by models that have not seen their group."""

    logits: FloatArray  #: [files, windows, classes]
    folds: List[int]  #: of each file
    histories: List[Dict[str, List[float]]]
    gates: List[List[float]]  #: sigmoid(fusion_alpha) of each fold
    interrupted: bool  #: folds after the one it came in are zero


class EnsembleWeight(NamedTuple):
    weight: float
    auc: float
    weights: List[float]
    aucs: List[float]


def _files(data: Mapping[str, Any], what: str = "") -> "_training.Files":
    known = {"emb", "logits", "labels", "site_ids", "hours", "families"}
    if unknown := set(data) - known:
        raise ValueError(f"{what}: found {sorted(unknown)}, expected {sorted(known)}")
    emb = floats(what + "emb", data["emb"])
    if emb.ndim != 3:
        raise ValueError(f"{what}emb: found shape {emb.shape}, expected (files, windows, d_input)")
    return _training.Files(emb, maybe_floats(what + "logits", data.get("logits")), floats(what + "labels", data["labels"]),
                           ids(what + "site_ids", data.get("site_ids")), ids(what + "hours", data.get("hours")),
                           maybe_floats(what + "families", data.get("families")))


def initial_proto_ssm(config: Config, seed: int) -> State:
    """Parameters that a ProtoSSM's training starts from, drawn as PyTorch's modules draw theirs."""
    return _training.initial_proto_ssm(json.dumps(dict(config)), seed)


def initial_residual_ssm(config: Config, seed: int) -> State:
    """The same of a ResidualSSM, whose head starts at zero."""
    return _training.initial_residual_ssm(json.dumps(dict(config)), seed)


def start_prototypes(state: Mapping[str, npt.ArrayLike], config: Config, emb: npt.ArrayLike, labels: npt.ArrayLike,
                     dropout: float = 0.12, seed: int = 0) -> State:
    """`state` with the prototypes of classes that have a positive window along the mean of their projections."""
    return _training.start_prototypes(state_arrays(state), json.dumps(dict(config)), _files({"emb": emb, "labels": labels}),
                                      dropout, seed)


def train_proto_ssm(state: Mapping[str, npt.ArrayLike], config: Config, emb: npt.ArrayLike, labels: npt.ArrayLike, *,
                    logits: Optional[npt.ArrayLike] = None, site_ids: Optional[npt.ArrayLike] = None,
                    hours: Optional[npt.ArrayLike] = None, families: Optional[npt.ArrayLike] = None,
                    validation: Optional[Mapping[str, npt.ArrayLike]] = None, progress: Progress = None,
                    **options: Any) -> TrainedModel:
    """Trains a ProtoSSM that starts as `state`, all files at once, one step per epoch.

    Args:
        emb: [files, windows, d_input].
        labels: [files, windows, classes], 0 to 1.
        logits: [files, windows, classes], which the model fuses with its own and is held to.
        site_ids, hours: [files], both or neither.
        families: [files, n_families], 0 to 1.
        validation: the same arrays of other files, by name; their loss decides which state is best.
        progress: called after each epoch with a dict: epoch, train_loss, val_loss, val_auc, lr, eta_seconds and more.
        options: n_epochs, lr, dropout, patience, seed, threads, mixup_alpha, focal_gamma, checkpoint, resume, ...

    Raises:
        ValueError: an array of another shape, NaN, an option that does not exist or makes no sense.
        MismatchError: `state` is not that of `config`, or a checkpoint that of other options.
    """
    files = _files({"emb": emb, "logits": logits, "labels": labels, "site_ids": site_ids, "hours": hours,
                    "families": families})
    held = None if validation is None else _files(validation, "validation.")
    return trained(_training.train_proto_ssm(state_arrays(state), json.dumps(dict(config)), json.dumps(options), files, held,
                                              progress))


def train_residual_ssm(state: Mapping[str, npt.ArrayLike], config: Config, emb: npt.ArrayLike,
                       first_pass_scores: npt.ArrayLike, residuals: npt.ArrayLike, *,
                       site_ids: Optional[npt.ArrayLike] = None, hours: Optional[npt.ArrayLike] = None,
                       progress: Progress = None, **options: Any) -> TrainedModel:
    """Trains a ResidualSSM on residuals [files, windows, classes], label minus sigmoid of the first pass's scores.

    15 % of the files, drawn as torch.randperm with seed 123 draws, decide which state is best. Raises as train_proto_ssm.
    """
    return trained(_training.train_residual_ssm(
        state_arrays(state), json.dumps(dict(config)), json.dumps(options), floats("emb", emb),
        floats("first_pass_scores", first_pass_scores), floats("residuals", residuals), ids("site_ids", site_ids),
        ids("hours", hours), progress))


def run_proto_ssm_oof(config: Config, emb: npt.ArrayLike, labels: npt.ArrayLike, groups: Sequence[str], *,
                      logits: Optional[npt.ArrayLike] = None, site_ids: Optional[npt.ArrayLike] = None,
                      hours: Optional[npt.ArrayLike] = None, families: Optional[npt.ArrayLike] = None, n_splits: int = 5,
                      shifts: Sequence[int] = (0, 1, -1, 2, -2), progress: Progress = None, **options: Any) -> OutOfFold:
    """GroupKFold by `groups`, one name per file, a fresh model each fold; logits averaged over shifts of the windows."""
    files = _files({"emb": emb, "logits": logits, "labels": labels, "site_ids": site_ids, "hours": hours,
                    "families": families})
    found = _training.run_proto_ssm_oof(json.dumps(dict(config)), json.dumps(options), files, [str(g) for g in groups],
                                        n_splits, list(shifts), progress)
    return OutOfFold(found[0], found[1], [json.loads(h) for h in found[2]], found[3], found[4])


def optimize_ensemble_weight(proto: npt.ArrayLike, mlp: npt.ArrayLike, labels: npt.ArrayLike) -> EnsembleWeight:
    """The w of 0, 0.05, ... 1 whose w proto + (1-w) mlp has the greatest macro AUC; all three [rows, classes]."""
    target = floats("labels", labels)
    if target.ndim != 2:
        raise ValueError(f"labels: found shape {target.shape}, expected (rows, classes)")
    return EnsembleWeight(*_training.optimize_ensemble_weight(floats("proto", proto), floats("mlp", mlp), target,
                                                              target.shape[1]))


def proto_ssm_loss_and_grads(state: Mapping[str, npt.ArrayLike], config: Config, emb: npt.ArrayLike,
                             labels: npt.ArrayLike, *, logits: Optional[npt.ArrayLike] = None,
                             site_ids: Optional[npt.ArrayLike] = None, hours: Optional[npt.ArrayLike] = None,
                             families: Optional[npt.ArrayLike] = None, **options: Any) -> Tuple[float, State]:
    """The training loss of one batch as it is, and its gradients; parameters without one (PyTorch's None) are absent."""
    files = _files({"emb": emb, "logits": logits, "labels": labels, "site_ids": site_ids, "hours": hours,
                    "families": families})
    return _training.proto_ssm_loss_and_grads(state_arrays(state), json.dumps(dict(config)), json.dumps(options), files)


def residual_ssm_loss_and_grads(state: Mapping[str, npt.ArrayLike], config: Config, emb: npt.ArrayLike,
                                first_pass_scores: npt.ArrayLike, residuals: npt.ArrayLike, *,
                                site_ids: Optional[npt.ArrayLike] = None, hours: Optional[npt.ArrayLike] = None,
                                **options: Any) -> Tuple[float, State]:
    """The mean squared error of one batch, and its gradients."""
    return _training.residual_ssm_loss_and_grads(
        state_arrays(state), json.dumps(dict(config)), json.dumps(options), floats("emb", emb),
        floats("first_pass_scores", first_pass_scores), floats("residuals", residuals), ids("site_ids", site_ids),
        ids("hours", hours))


class OneCycleLR:
    """PyTorch's, with cosine annealing: `lr(step)` and `beta1(step)` of the step after `step` others."""

    def __init__(self, max_lr: float, total_steps: int, pct_start: float = 0.3) -> None:
        self._arguments = max_lr, total_steps, pct_start
        _training.one_cycle(*self._arguments, 0)

    def lr(self, step: int) -> float:
        return _training.one_cycle(*self._arguments, step)[0]

    def beta1(self, step: int) -> float:
        return _training.one_cycle(*self._arguments, step)[1]


class CosineAnnealingWarmRestarts:
    """PyTorch's: `lr(step)` of the step after `step` others."""

    def __init__(self, lr: float, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        self._arguments = lr, T_0, T_mult, eta_min
        _training.warm_restarts(*self._arguments, 0)

    def lr(self, step: int) -> float:
        return _training.warm_restarts(*self._arguments, step)


class AdamW:
    """PyTorch's AdamW on a dict of arrays, which it copies.

    Args:
        state: names to arrays.
        max_norm: what the gradients' global norm is clipped to before each step; None: not at all.
    """

    def __init__(self, state: Mapping[str, npt.ArrayLike], lr: float = 1e-3, betas: Tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, max_norm: Optional[float] = None) -> None:
        self.lr, self.beta1, self.max_norm = lr, betas[0], max_norm
        self._optimizer = _training.Optimizer(state_arrays(state), betas[1], eps, weight_decay)

    def step(self, gradients: Mapping[str, npt.ArrayLike]) -> None:
        """One step with the current lr and beta1; a gradient for every parameter."""
        self._optimizer.step(state_arrays(gradients), self.lr, self.beta1, self.max_norm)

    def state_dict(self) -> State:
        """A copy of the parameters."""
        return self._optimizer.parameters()
