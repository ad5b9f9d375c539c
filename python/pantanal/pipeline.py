"""The steps of a competition's pipeline as functions over NumPy arrays, under the names that the published notebook gives them.

    from pantanal import pipeline

    labels = pipeline.read_window_labels("train_soundscapes_labels.csv", classes)
    tables = pipeline.fit_prior_tables([w.site for w in labels.windows], [w.hour_utc for w in labels.windows], labels.y_sc)
    base, prior = pipeline.fuse_scores_with_tables(scores, sites, hours, tables, fusion_classes)
    probs = pipeline.postprocess(logits, pipeline.class_temperatures(texture), thresholds)

Scores are [windows, classes], float32, the windows of one file after the other, as a rule twelve; labels are 0 and 1 of the
same shape. A site that is not known is None, an hour -1. Nothing changes its arguments. Arrays of another shape, NaN and
infinity raise ValueError or MismatchError, which name what was found. What is odd in the notebook is kept.
"""

import os
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from pantanal import _pipeline
from pantanal._arrays import floats
from pantanal._pipeline import FusionClasses, PriorTables, Taxonomy
from pantanal._sequence import ProtoSSM

FloatArray = npt.NDArray[np.float32]
Sites = Sequence[Optional[str]]
Path = Union[str, "os.PathLike[str]"]

N_WINDOWS = 12
THRESHOLDS = (0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70)


def _scores(name: str, value: npt.ArrayLike) -> FloatArray:
    return floats(name, value, ("windows", "classes"))


def _column(name: str, value: npt.ArrayLike) -> FloatArray:
    return floats(name, value, ("values",))


def _labels(name: str, value: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    array = np.asarray(value)
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name}: found shape {array.shape} of {array.dtype}, expected (windows, classes) of 0 and 1")
    return np.ascontiguousarray(array, np.uint8)


def _sites(sites: Sites) -> List[Optional[str]]:
    """None for what pandas has for a missing text too."""
    return [None if site is None or site != site else str(site) for site in sites]


def _hours(hours: Sequence[int]) -> List[int]:
    return [int(hour) for hour in hours]


def _indices(values: Sequence[int]) -> List[int]:
    return [int(value) for value in values]


class SoundscapeFilename(NamedTuple):
    """What a soundscape's name says; None and -1 for what it does not."""

    file_id: Optional[str]
    site: Optional[str]
    date: Optional[str]  #: yyyymmdd
    time_utc: Optional[str]  #: hhmmss
    hour_utc: int
    month: int


def parse_soundscape_filename(name: str) -> SoundscapeFilename:
    """The parts of BC2026_(Train|Test)_FILEID_SITE_YYYYMMDD_HHMMSS.ogg; text after .ogg is accepted."""
    return SoundscapeFilename(*_pipeline.parse_soundscape_filename(name))


def parse_soundscape_labels(cell: str) -> List[str]:
    """The labels of one cell, separated by ';'. An empty cell has one label, "nan"."""
    return _pipeline.parse_soundscape_labels(cell)


def union_labels(cells: Sequence[str]) -> List[str]:
    """The labels of all cells, each once, sorted."""
    return _pipeline.union_labels(list(cells))


class LabelledWindow(NamedTuple):
    """A window of the label table, the union of all lines that name it."""

    row_id: str
    filename: str
    site: Optional[str]
    hour_utc: int
    end_sec: int
    labels: List[str]


class WindowLabels:
    """The label table: the notebook's sc_clean, Y_SC and Y_FULL. `build_window_labels` and `read_window_labels` make it."""

    def __init__(self, compiled: "_pipeline.WindowLabels") -> None:
        self._compiled = compiled
        self.windows = [LabelledWindow(*window) for window in compiled.windows]
        self.y_sc: npt.NDArray[np.uint8] = compiled.y_sc  #: [windows, classes]
        self.y_full: npt.NDArray[np.uint8] = compiled.y_full  #: of the files with exactly twelve windows
        self.full_files: List[str] = compiled.full_files
        self.full_rows: List[int] = compiled.full_rows  #: their windows, by file and end


def build_window_labels(rows: Sequence[Sequence[str]], classes: Sequence[str]) -> WindowLabels:
    """Groups (filename, start, end, primary_label) rows by the first three. Raises CorruptError for a time that is none."""
    return WindowLabels(_pipeline.build_window_labels([list(row) for row in rows], list(classes)))


def read_window_labels(path: Path, classes: Sequence[str]) -> WindowLabels:
    """The table in a file with the columns filename, start, end and primary_label."""
    return WindowLabels(_pipeline.read_window_labels(os.fspath(path), list(classes)))


def active_classes(y: npt.ArrayLike) -> List[int]:
    """Columns of `y` with a positive."""
    return _pipeline.active_classes(_labels("y", y))


def read_taxonomy(path: Path) -> Taxonomy:
    """taxonomy.csv. Its `entries` are (primary_label, scientific_name, class_name, group), group the finest of family, order
    and class that there is."""
    return _pipeline.read_taxonomy(os.fspath(path))


def texture_classes(taxonomy: Taxonomy, classes: Sequence[str]) -> List[bool]:
    """Whether each class sings in textures (Amphibia, Insecta), or in events."""
    return _pipeline.texture_classes(taxonomy, list(classes))


def build_taxonomy_groups(taxonomy: Taxonomy, classes: Sequence[str]) -> Tuple[List[str], List[int]]:
    """The groups that a family head tells apart, sorted, and each class's."""
    return _pipeline.build_taxonomy_groups(taxonomy, list(classes))


class PerchMapping(NamedTuple):
    """Which of Perch's labels each class takes its score from."""

    bc_indices: npt.NDArray[np.int64]  #: [classes], -1 for none
    proxies: List[Tuple[int, str, List[int]]]  #: class, genus, its labels: for classes without one of their own
    n_labels: int


def map_to_perch(taxonomy: Taxonomy, classes: Sequence[str], perch_labels: Sequence[str],
                 synonyms: Optional[Mapping[str, str]] = None,
                 proxy_taxa: Sequence[str] = ("Amphibia", "Insecta", "Aves")) -> PerchMapping:
    """Maps classes by exact scientific name, a synonym's if there is one; by genus where a class of `proxy_taxa` has no label
    and is no sonotype (no "son" in its name)."""
    return PerchMapping(*_pipeline.map_to_perch(taxonomy, list(classes), list(perch_labels), dict(synonyms or {}),
                                                list(proxy_taxa)))


def map_perch_logits(logits: npt.ArrayLike, mapping: PerchMapping, proxy_reduce: str = "max") -> FloatArray:
    """Competition scores [windows, classes] of Perch's logits [windows, labels]; `proxy_reduce` "max" or "mean" of a genus."""
    if proxy_reduce not in ("max", "mean"):
        raise ValueError(f"proxy_reduce: found {proxy_reduce!r}, expected 'max' or 'mean'")
    return _pipeline.map_perch_logits(_scores("logits", logits), *_mapping(mapping), proxy_reduce == "mean")


def _mapping(mapping: PerchMapping) -> Tuple[npt.NDArray[np.int64], List[Tuple[int, str, List[int]]], int]:
    return np.ascontiguousarray(mapping.bc_indices, np.int64), list(mapping.proxies), int(mapping.n_labels)


def build_fusion_classes(mapping: PerchMapping, texture: Sequence[bool], active: Sequence[int]) -> FusionClasses:
    """Sorts the classes for `fuse_scores_with_tables`; the lists are in `.lists`, by name."""
    return _pipeline.build_fusion_classes(*_mapping(mapping), [bool(t) for t in texture], _indices(active))


def fit_prior_tables(sites: Sites, hours: Sequence[int], y: npt.ArrayLike) -> PriorTables:
    """How often each class was heard: overall (`global_p`), per `site`, `hour` and `site_hour`: {key: (windows, shares)}."""
    return _pipeline.fit_prior_tables(_sites(sites), _hours(hours), _labels("y", y))


def prior_logits_from_tables(sites: Sites, hours: Sequence[int], tables: PriorTables, eps: float = 1e-4) -> FloatArray:
    """log p - log(1 - p) [rows, classes], p the global share drawn to that of the hour and of the site by n/(n + 8), then of
    both by n/(n + 4), and clipped to [eps, 1 - eps]."""
    return _pipeline.prior_logits_from_tables(_sites(sites), _hours(hours), tables, eps)


def fuse_scores_with_tables(base_scores: npt.ArrayLike, sites: Sites, hours: Sequence[int], tables: PriorTables,
                            classes: FusionClasses, *, lambda_event: float = 0.45, lambda_texture: float = 1.1,
                            lambda_proxy_texture: float = 0.9, smooth_texture: float = 0.35,
                            smooth_event: float = 0.15) -> Tuple[FloatArray, FloatArray]:
    """(base, prior) [windows, classes]: priors added to active classes, put in the place of those without label or proxy, -8 in
    that of unmapped inactive ones; then active textures smoothed by means and events by maxima along each file."""
    weights = lambda_event, lambda_texture, lambda_proxy_texture, smooth_texture, smooth_event
    return _pipeline.fuse_scores_with_tables(_scores("base_scores", base_scores), _sites(sites), _hours(hours), tables, classes,
                                             weights)


def build_oof_base_prior(scores: npt.ArrayLike, filenames: Sequence[str], fold_id: Sequence[int], labels: WindowLabels,
                         classes: FusionClasses, *, lambda_event: float = 0.45, lambda_texture: float = 1.1,
                         lambda_proxy_texture: float = 0.9, smooth_texture: float = 0.35,
                         smooth_event: float = 0.15) -> Tuple[FloatArray, FloatArray]:
    """(base, prior) of every row, from tables that have not seen its fold's files. `filenames` [rows] tell site and hour."""
    weights = lambda_event, lambda_texture, lambda_proxy_texture, smooth_texture, smooth_event
    return _pipeline.build_oof_base_prior(_scores("scores", scores), list(filenames), _indices(fold_id), labels._compiled,
                                          classes, weights)


def smooth_cols_fixed12(scores: npt.ArrayLike, cols: Sequence[int], alpha: float = 0.35,
                        n_windows: int = N_WINDOWS) -> FloatArray:
    """(1 - alpha) x + alpha/2 (previous + next window) in the columns `cols`, edges repeated."""
    return _pipeline.smooth_cols_fixed12(_scores("scores", scores), _indices(cols), alpha, n_windows)


def smooth_events_fixed12(scores: npt.ArrayLike, cols: Sequence[int], alpha: float = 0.15,
                          n_windows: int = N_WINDOWS) -> FloatArray:
    """(1 - alpha) x + alpha max(previous, x, next) in the columns `cols`, edges repeated."""
    return _pipeline.smooth_events_fixed12(_scores("scores", scores), _indices(cols), alpha, n_windows)


def seq_features_1d(v: npt.ArrayLike, n_windows: int = N_WINDOWS) -> Tuple[FloatArray, ...]:
    """(prev, next, mean, max, std), each [windows], of one class's scores `v`; the last three are of the window's file."""
    return _pipeline.seq_features_1d(_column("v", v), n_windows)


def build_class_features(emb_proj: npt.ArrayLike, raw_col: npt.ArrayLike, prior_col: npt.ArrayLike,
                         base_col: npt.ArrayLike) -> FloatArray:
    """A probe's features [windows, d + 14]: `emb_proj` [windows, d]; raw, prior, base; prev, next, mean, max, std of base; base
    minus mean, prev, next; raw prior, raw base, prior base."""
    return _pipeline.build_class_features(_scores("emb_proj", emb_proj), _column("raw_col", raw_col),
                                          _column("prior_col", prior_col), _column("base_col", base_col))


def probability_to_logit(p: npt.ArrayLike) -> FloatArray:
    """log(p + 1e-7) - log(1 - p + 1e-7) of probabilities [n]."""
    return _pipeline.probability_to_logit(_column("p", p))


def blend_probe(base: npt.ArrayLike, class_index: int, probabilities: npt.ArrayLike, alpha: float = 0.45) -> FloatArray:
    """`base` with its column `class_index` as (1 - alpha) base + alpha logit of the probe's probabilities [windows]."""
    return _pipeline.blend_probe(_scores("base", base), int(class_index), _column("probabilities", probabilities), alpha)


def blend_scores(proto: npt.ArrayLike, mlp: npt.ArrayLike, weight: float = 0.5) -> FloatArray:
    """weight proto + (1 - weight) mlp."""
    return _pipeline.blend_scores(_scores("proto", proto), _scores("mlp", mlp), weight)


def add_correction(first_pass: npt.ArrayLike, correction: npt.ArrayLike, weight: float = 0.35) -> FloatArray:
    """first_pass + weight correction, the ResidualSSM's."""
    return _pipeline.add_correction(_scores("first_pass", first_pass), _scores("correction", correction), weight)


def temporal_shift_tta(emb_files: npt.ArrayLike, logits_files: npt.ArrayLike, model: ProtoSSM,
                       site_ids: npt.ArrayLike, hours: npt.ArrayLike, shifts: Sequence[int] = (0, 1, -1)) -> FloatArray:
    """The mean of a ProtoSSM's logits over circular shifts of the windows: its temporal_shift_tta, in the notebook's order."""
    return model.temporal_shift_tta(emb_files, logits_files, site_ids, hours, shifts)


def sigmoid(x: npt.ArrayLike) -> FloatArray:
    """1 / (1 + exp(-x)), x clipped to +-30: the notebook's."""
    array = np.clip(np.asarray(x, np.float32), -30, 30)
    return 1 / (1 + np.exp(-array))


def class_temperatures(texture: Sequence[bool], event: float = 1.10, texture_temperature: float = 0.95) -> FloatArray:
    """A temperature per class."""
    return np.where(np.asarray(texture, bool), texture_temperature, event).astype(np.float32)


def temperature_sigmoid(logits: npt.ArrayLike, temperatures: npt.ArrayLike) -> FloatArray:
    """sigmoid(logits / temperature of the class)."""
    return _pipeline.temperature_sigmoid(_scores("logits", logits), _column("temperatures", temperatures))


def file_level_confidence_scale(preds: npt.ArrayLike, n_windows: int = N_WINDOWS, top_k: int = 2) -> FloatArray:
    """x times the mean of the class's `top_k` largest values in the file."""
    return _pipeline.file_level_confidence_scale(_scores("preds", preds), n_windows, top_k)


def rank_aware_scaling(scores: npt.ArrayLike, n_windows: int = N_WINDOWS, power: float = 0.4) -> FloatArray:
    """x times (largest value of the class in the file)^power. No ranks are involved."""
    return _pipeline.rank_aware_scaling(_scores("scores", scores), n_windows, power)


def adaptive_delta_smooth(probs: npt.ArrayLike, n_windows: int = N_WINDOWS, base_alpha: float = 0.20) -> FloatArray:
    """(1 - a) x + a mean(previous, next) in a file's inner windows, a = base_alpha (1 - largest value of the window)."""
    return _pipeline.adaptive_delta_smooth(_scores("probs", probs), n_windows, base_alpha)


def delta_shift_smooth(scores: npt.ArrayLike, n_windows: int = N_WINDOWS, alpha: float = 0.15) -> FloatArray:
    """(1 - alpha) x + alpha/2 (previous + next) in every window and class, edges repeated."""
    return _pipeline.delta_shift_smooth(_scores("scores", scores), n_windows, alpha)


def optimize_per_class_thresholds(oof_scores: npt.ArrayLike, y_true: npt.ArrayLike, thresholds: Sequence[float] = THRESHOLDS
                                  ) -> Tuple[FloatArray, npt.NDArray[np.float64]]:
    """(thresholds, F1) [classes]: each class's first threshold at which the F1 of score > threshold is largest, else 0.5."""
    return _pipeline.optimize_per_class_thresholds(_scores("oof_scores", oof_scores), _labels("y_true", y_true),
                                                   [float(t) for t in thresholds])


def calibrate_and_optimize_thresholds(oof_probs: npt.ArrayLike, y_full: npt.ArrayLike,
                                      threshold_grid: Sequence[float] = THRESHOLDS, n_windows: int = N_WINDOWS,
                                      calibrate: Optional[Callable[[FloatArray, npt.NDArray[np.uint8]], npt.ArrayLike]] = None
                                      ) -> FloatArray:
    """Thresholds [classes] at which the F1 of calibrated file maxima >= threshold is largest, for classes with 3 or more
    positive files; 0.5 for others. `calibrate` takes maxima and labels of a class's files; as it is, an isotonic regression."""
    if calibrate is None:
        from pantanal import IsotonicRegression

        def calibrate(p: FloatArray, y: npt.NDArray[np.uint8]) -> npt.ArrayLike:
            return IsotonicRegression(out_of_bounds="clip").fit(p, y.astype(np.float32)).predict(p)

    own = calibrate
    return _pipeline.calibrate_and_optimize_thresholds(
        _scores("oof_probs", oof_probs), _labels("y_full", y_full), lambda p, y: _column("calibrate", own(p, y)),
        [float(t) for t in threshold_grid], n_windows)


def apply_per_class_thresholds(scores: npt.ArrayLike, thresholds: npt.ArrayLike) -> FloatArray:
    """Moves each class's threshold t to 0.5: 0.5 + 0.5 (x - t)/(1 - t) above it, 0.5 x/t below."""
    return _pipeline.apply_per_class_thresholds(_scores("scores", scores), _column("thresholds", thresholds))


def postprocess(logits: npt.ArrayLike, temperatures: npt.ArrayLike, thresholds: npt.ArrayLike, *, file_level_top_k: int = 2,
                rank_aware_scale: bool = True, rank_aware_power: float = 0.4, delta_smoothing: str = "adaptive",
                delta_shift_alpha: float = 0.20) -> FloatArray:
    """Probabilities of final logits, all steps in the notebook's order: temperature_sigmoid, file_level_confidence_scale (off
    with 0), rank_aware_scaling, `delta_smoothing` "off", "adaptive" or "shift", apply_per_class_thresholds."""
    kinds = ("off", "adaptive", "shift")
    if delta_smoothing not in kinds:
        raise ValueError(f"delta_smoothing: found {delta_smoothing!r}, expected one of {kinds}")
    return _pipeline.postprocess(_scores("logits", logits), _column("temperatures", temperatures),
                                 _column("thresholds", thresholds), file_level_top_k, bool(rank_aware_scale), rank_aware_power,
                                 kinds.index(delta_smoothing), delta_shift_alpha)


def build_site_mapping(sites: Sites) -> Dict[Optional[str], int]:
    """Ids of sites from 1, in order of appearance; None is a site like any other."""
    return _pipeline.build_site_mapping(_sites(sites))


def reshape_to_files(filenames: Sequence[str], n_windows: int = N_WINDOWS) -> List[str]:
    """The files whose rows these are: so that [N, C] is [len(files), n_windows, C]. Raises MismatchError if a file has another
    number of windows, or is in two places."""
    return _pipeline.reshape_to_files(list(filenames), n_windows)


def get_file_metadata(filenames: Sequence[str], sites: Sites, hours: Sequence[int], files: Sequence[str],
                      site_mapping: Mapping[Optional[str], int], n_sites_max: int
                      ) -> Tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(site ids, hours) [files] of rows' `filenames`, `sites` and `hours`: 0 for a site without id, n_sites_max - 1 at most;
    the hour modulo 24."""
    return _pipeline.get_file_metadata(list(filenames), _sites(sites), _hours(hours), list(files), dict(site_mapping),
                                       n_sites_max)


def align_rows(wanted: Sequence[str], available: Sequence[str]) -> List[int]:
    """Where each of `wanted` is in `available`. Raises FileNotFoundError, which names it, for a row that is not there."""
    return _pipeline.align_rows(list(wanted), list(available))


def write_submission(path: Path, classes: Sequence[str], row_ids: Sequence[str], probs: npt.ArrayLike) -> None:
    """Writes submission.csv, whole or not at all. Raises ValueError for what is no probability, and names it."""
    _pipeline.write_submission(os.fspath(path), list(classes), list(row_ids), _scores("probs", probs))


def validate_submission(path: Path, classes: Sequence[str], row_ids: Sequence[str]) -> Tuple[List[str], FloatArray]:
    """(row_ids, probabilities) of a submission, held to the classes and to the rows that must be there."""
    return _pipeline.validate_submission(os.fspath(path), list(classes), list(row_ids))
