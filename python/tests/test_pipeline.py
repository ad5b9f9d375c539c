"""pantanal.pipeline against the NumPy oracle, on the drawn competitions of tests/golden/pipeline."""

import csv
import sys

import numpy as np
import pytest
from conftest import ROOT

import pantanal
from pantanal import pipeline

sys.path.insert(0, str(ROOT / "tools" / "fixtures"))
oracle = pytest.importorskip("pipeline_oracle")


def lines(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


class Case:
    """A drawn competition: tables, Perch's logits and labels, and what the oracle makes of them."""

    def __init__(self, folder):
        self.folder = folder
        self.p = {key: float(value) for key, value in lines(folder / "parameters.csv") if key != "reduce"}
        self.reduce = dict(lines(folder / "parameters.csv"))["reduce"]
        self.synonyms = dict(lines(folder / "synonyms.csv"))
        self.classes = lines(folder / "sample_submission.csv")[0][1:]
        self.perch_labels = [row[0] for row in lines(folder / "perch_labels.csv")[1:]]
        self.taxonomy = pipeline.read_taxonomy(folder / "taxonomy.csv")
        self.rows = lines(folder / "labels.csv")[1:]
        self.labels = pipeline.read_window_labels(folder / "labels.csv", self.classes)
        self.meta = lines(folder / "meta.csv")
        self.names, self.folds = [m[1] for m in self.meta], [int(m[2]) for m in self.meta]
        names = [pipeline.parse_soundscape_filename(name) for name in self.names]
        self.sites, self.hours = [n.site for n in names], [n.hour_utc for n in names]
        self.mapping = pipeline.map_to_perch(self.taxonomy, self.classes, self.perch_labels, self.synonyms)
        self.texture = pipeline.texture_classes(self.taxonomy, self.classes)
        self.fusion = pipeline.build_fusion_classes(self.mapping, self.texture, pipeline.active_classes(self.labels.y_sc))
        windows = self.labels.windows
        self.tables = pipeline.fit_prior_tables([w.site for w in windows], [w.hour_utc for w in windows], self.labels.y_sc)

    def array(self, name):
        return np.array(lines(self.folder / f"{name}.csv"), np.float32)

    def weights(self):
        return {name: self.p[name] for name in self.p if name.startswith(("lambda_", "smooth_"))}


@pytest.fixture(params=["case_1", "case_2"])
def case(request):
    return Case(ROOT / "tests" / "golden" / "pipeline" / request.param)


def close(found, expected):
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_names_and_labels(case):
    for name in [row[0] for row in lines(ROOT / "tests" / "golden" / "pipeline" / "filenames.csv")]:
        assert tuple(pipeline.parse_soundscape_filename(name)) == oracle.parse_soundscape_filename(name), name
    for cell, _ in lines(ROOT / "tests" / "golden" / "pipeline" / "label_cells.csv"):
        assert pipeline.parse_soundscape_labels(cell) == oracle.parse_soundscape_labels(cell)
    assert pipeline.union_labels(["b; a", "a;c"]) == ["a", "b", "c"]
    windows, y, files, rows = oracle.window_labels(case.rows, case.classes)
    for found in (case.labels, pipeline.build_window_labels(case.rows, case.classes)):
        assert [(w.row_id, w.filename, w.end_sec, w.site, w.hour_utc, w.labels) for w in found.windows] == windows
        assert np.array_equal(found.y_sc, y) and np.array_equal(found.y_full, y[rows])
        assert found.full_files == files and found.full_rows == rows
    assert pipeline.active_classes(y) == np.flatnonzero(y.any(axis=0)).tolist()


def test_mapping_and_fusion_classes(case):
    taxonomy = {entry[0]: (entry[1], entry[2]) for entry in case.taxonomy.entries}
    indices, proxies = oracle.map_to_perch(taxonomy, case.classes, case.perch_labels, case.synonyms)
    assert case.mapping.bc_indices.tolist() == indices.tolist()
    assert {c: labels for c, _, labels in case.mapping.proxies} == proxies
    assert case.fusion.lists == oracle.fusion_classes(taxonomy, case.classes, indices, proxies, case.labels.y_sc)
    logits = case.array("logits")
    for reduce in ("max", "mean"):
        close(pipeline.map_perch_logits(logits, case.mapping, reduce), oracle.map_perch_logits(logits, indices, proxies, reduce))
    names, groups = pipeline.build_taxonomy_groups(case.taxonomy, case.classes)
    group = {entry[0]: entry[3] for entry in case.taxonomy.entries}
    assert names == sorted(set(group.values())) and [names[g] for g in groups] == [group[c] for c in case.classes]


def test_priors_and_fusion(case):
    y, windows = case.labels.y_sc, case.labels.windows
    places = [(w.site, w.hour_utc) for w in windows]
    close(case.tables.global_p, y.mean(axis=0).astype(np.float32))
    for site in {s for s, _ in places if s}:
        own = np.array([s == site for s, _ in places])
        n, p = case.tables.site[site]
        assert n == own.sum()
        close(p, y[own].mean(axis=0).astype(np.float32))
    prior = pipeline.prior_logits_from_tables(case.sites, case.hours, case.tables)
    close(prior, oracle.prior_logits(list(zip(case.sites, case.hours)), places, y))
    raw = case.array("raw")
    base, again = pipeline.fuse_scores_with_tables(raw, case.sites, case.hours, case.tables, case.fusion, **case.weights())
    close(base, oracle.fuse(raw, prior, case.fusion.lists, case.p))
    close(again, prior)
    base, prior = pipeline.build_oof_base_prior(raw, case.names, case.folds, case.labels, case.fusion, **case.weights())
    close(base, case.array("oof_base"))
    close(prior, case.array("oof_prior"))
    columns = [0, 3]
    close(pipeline.smooth_cols_fixed12(raw, columns, 0.3), oracle.smooth(raw, columns, 0.3, "mean"))
    close(pipeline.smooth_events_fixed12(raw, columns, 0.3), oracle.smooth(raw, columns, 0.3, "max"))


def test_features_and_blends(case):
    raw, prior, base = (case.array(name)[:, 0] for name in ("raw", "prior", "base"))
    projected = case.array("projected")
    expected = oracle.class_features(projected, raw, prior, base)
    close(pipeline.build_class_features(projected, raw, prior, base), expected)
    close(np.stack(pipeline.seq_features_1d(base), 1), expected[:, projected.shape[1] + 3 : projected.shape[1] + 8])
    p = case.array("probe")[0]
    close(pipeline.probability_to_logit(p), oracle.probability_to_logit(p))
    mlp = pipeline.blend_probe(case.array("base"), 0, p, case.p["probe_alpha"])
    close(mlp, case.array("mlp"))
    first = pipeline.blend_scores(case.array("proto"), mlp, case.p["weight"])
    close(first, case.array("first_pass"))
    close(pipeline.add_correction(first, case.array("correction"), case.p["correction"]), case.array("final"))


def test_postprocessing(case):
    logits, thresholds, p = case.array("post_0"), case.array("thresholds")[0], case.p
    temperatures = pipeline.class_temperatures(case.texture, p["event_temperature"], p["texture_temperature"])
    steps = [pipeline.temperature_sigmoid(logits, temperatures)]
    close(steps[0], oracle.temperature_sigmoid(logits, temperatures))
    close(pipeline.sigmoid(logits / temperatures), steps[0])
    steps.append(pipeline.file_level_confidence_scale(steps[-1], top_k=int(p["top_k"])))
    steps.append(pipeline.rank_aware_scaling(steps[-1], power=p["power"]))
    close(pipeline.delta_shift_smooth(steps[-1], alpha=p["shift"]), oracle.delta_shift_smooth(steps[-1], p["shift"]))
    steps.append(pipeline.adaptive_delta_smooth(steps[-1], base_alpha=p["alpha"]))
    steps.append(pipeline.apply_per_class_thresholds(steps[-1], thresholds))
    for i, step in enumerate(steps, 1):
        close(step, case.array(f"post_{i}"))
    whole = pipeline.postprocess(logits, temperatures, thresholds, file_level_top_k=int(p["top_k"]), rank_aware_power=p["power"],
                                 delta_shift_alpha=p["alpha"])
    close(whole, steps[-1])
    close(pipeline.postprocess(logits, temperatures, np.full(len(thresholds), 0.5, np.float32), file_level_top_k=0,
                               rank_aware_scale=False, delta_smoothing="off"), steps[0])


def test_thresholds(case):
    oof, y, grid = case.array("oof"), case.labels.y_full, pipeline.THRESHOLDS
    found, f1 = pipeline.optimize_per_class_thresholds(oof, y, grid)
    expected = oracle.optimize_thresholds(oof, y, grid)
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(f1, expected[:, 1], rtol=1e-9)
    squares = pipeline.calibrate_and_optimize_thresholds(oof, y, grid, 3, lambda p, truth: p * p)
    np.testing.assert_allclose(squares, case.array("calibrated_thresholds")[0], rtol=1e-6)
    isotonic = pipeline.calibrate_and_optimize_thresholds(oof, y, grid, 3)
    regression = lambda p, truth: pantanal.IsotonicRegression(out_of_bounds="clip").fit(p, truth).predict(p)  # noqa: E731
    np.testing.assert_allclose(isotonic, oracle.calibrated_thresholds(oof, y.astype(float), grid, regression, 3), rtol=1e-6)
    with pytest.raises(ZeroDivisionError):
        pipeline.calibrate_and_optimize_thresholds(oof, y, grid, 3, lambda p, truth: 1 / 0)


def test_files(case, tmp_path):
    files = pipeline.reshape_to_files(case.names)
    expected = oracle.file_ids(list(zip(case.names, case.sites, case.hours)), int(case.p["site_limit"]))
    assert files == [name for name, _, _ in expected]
    mapping = pipeline.build_site_mapping(case.sites)
    ids, hours = pipeline.get_file_metadata(case.names, case.sites, case.hours, files, mapping, int(case.p["site_limit"]))
    assert list(zip(files, ids.tolist(), hours.tolist())) == expected
    row_ids, probs = [m[0] for m in case.meta], case.array("post_5")
    assert pipeline.align_rows(row_ids[::-1], row_ids) == list(range(len(row_ids)))[::-1]
    pipeline.write_submission(tmp_path / "s.csv", case.classes, row_ids, probs)
    found_rows, found = pipeline.validate_submission(tmp_path / "s.csv", case.classes, row_ids)
    assert found_rows == row_ids and np.array_equal(found, probs)


def test_temporal_shift_tta():
    model = pantanal.ProtoSSM(6, 8, 2, 1, 3, use_cross_attn=False, n_prototypes=2)
    random = np.random.default_rng(0)
    model.load_state_dict({name: random.standard_normal(shape).astype(np.float32)
                           for name, shape in model.parameter_shapes().items()})
    emb, logits = (random.standard_normal((2, 12, n)).astype(np.float32) for n in (6, 3))
    ids = np.array([1, 2]), np.array([3, 4])
    found = pipeline.temporal_shift_tta(emb, logits, model, *ids, shifts=[0, 1])
    rolled = model(np.roll(emb, 1, axis=1), np.roll(logits, 1, axis=1), *ids)[0]
    close(found, (model(emb, logits, *ids)[0] + np.roll(rolled, -1, axis=1)) / 2)


def test_errors_name_what_is_wrong(case):
    probs = case.array("post_1")
    with pytest.raises(ValueError, match="NaN"):
        pipeline.rank_aware_scaling(np.full_like(probs, np.nan))
    with pytest.raises(pantanal.MismatchError, match="whole files"):
        pipeline.adaptive_delta_smooth(probs[:13])
    with pytest.raises(ValueError, match="probs: found shape"):
        pipeline.adaptive_delta_smooth(probs[0])
    with pytest.raises(ValueError, match="sites, hours"):
        pipeline.prior_logits_from_tables(["S01"], [], case.tables)
    with pytest.raises(ValueError, match="y: found"):
        pipeline.active_classes(probs)
    with pytest.raises(FileNotFoundError, match="x_5"):
        pipeline.align_rows(["x_5"], ["y_5"])
    with pytest.raises(ValueError, match="proxy_reduce.*'min'"):
        pipeline.map_perch_logits(case.array("logits"), case.mapping, "min")
    with pytest.raises(ValueError, match="bc_indices"):
        pipeline.map_perch_logits(case.array("logits"), case.mapping._replace(bc_indices=np.array([99])))
