"""The notebook's submit mode in Python, stage by stage with its time: ONNX Runtime, soundfile, PyTorch, scikit-learn, NumPy.

Its steps are those of tools/fixtures/pipeline_oracle.py and bench/compare_training.py, in the configuration of the printed run, with
the priors looked up once per site and hour. Nothing is printed or logged, which the notebook does at length.
"""

import csv
import pathlib
import pickle
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools" / "fixtures"), str(ROOT / "bench"), str(ROOT / "tests" / "train")]
import pipeline_oracle as oracle  # noqa: E402

WEIGHTS = {"lambda_event": 0.45, "lambda_texture": 1.1, "lambda_proxy_texture": 0.9, "smooth_texture": 0.35, "smooth_event": 0.15}
SHIFTS = (0, 1, -1, 2, -2)


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


class Competition:
    """The tables, the training soundscapes' cached outputs, and how Perch's labels become classes."""

    def __init__(self, data, cache, labels):
        self.classes = rows_of(data / "sample_submission.csv")[0][1:]
        header, *rows = rows_of(data / "taxonomy.csv")
        taxonomy = {row[0]: (row[header.index("scientific_name")], row[header.index("class_name")]) for row in rows}
        windows, self.y_sc, _, full_rows = oracle.window_labels(rows_of(data / "train_soundscapes_labels.csv")[1:], self.classes)
        self.places_sc = [(window[3], window[4]) for window in windows]
        self.y = self.y_sc[full_rows]
        self.names = [windows[row][1] for row in full_rows]
        self.places = [self.places_sc[row] for row in full_rows]
        self.names_sc = np.array([window[1] for window in windows])
        self.indices, self.proxies = oracle.map_to_perch(taxonomy, self.classes, labels, {})
        self.lists = oracle.fusion_classes(taxonomy, self.classes, self.indices, self.proxies, self.y_sc)
        self.texture = np.array([taxonomy[c][1] in oracle.TEXTURE for c in self.classes])
        arrays = np.load(cache / "full_perch_arrays.npz")
        rows = {row[0]: i for i, row in enumerate(rows_of(cache / "full_perch_meta.csv")[1:])}
        order = [rows[windows[row][0]] for row in full_rows]
        self.raw, self.emb = arrays["scores_full_raw"][order], arrays["emb_full"][order]
        self.sites = list(dict.fromkeys(site for site, _ in self.places))

    def prior(self, places, places_sc, y_sc):
        distinct = list(dict.fromkeys(places))
        logits = dict(zip(distinct, oracle.prior_logits(distinct, places_sc, y_sc)))
        return np.array([logits[place] for place in places])

    def fused(self, raw, places, places_sc=None, y_sc=None):
        """(prior, base) of raw scores, with all labelled windows' tables or the given ones."""
        prior = self.prior(places, self.places_sc if places_sc is None else places_sc, self.y_sc if y_sc is None else y_sc)
        return prior, oracle.fuse(raw, prior, self.lists, WEIGHTS)

    def ids(self, places):
        import torch

        firsts = places[:: oracle.WINDOWS]
        sites = [self.sites.index(site) + 1 if site in self.sites else 0 for site, _ in firsts]
        return torch.tensor(sites).clamp(max=19), torch.tensor([hour % 24 for _, hour in firsts])


class Clock(dict):
    """Seconds by stage."""

    def lap(self, stage, start):
        now = time.perf_counter()
        self[stage] = self.get(stage, 0) + now - start
        return now


def by_file(x):
    import torch

    return torch.from_numpy(np.ascontiguousarray(oracle.by_file(x)))


def out_of_fold(c):
    from sklearn.model_selection import GroupKFold

    prior, base = np.zeros_like(c.raw), np.zeros_like(c.raw)
    for _, held in GroupKFold(5).split(c.raw, groups=c.names):
        kept = ~np.isin(c.names_sc, [c.names[i] for i in held])
        tables = [place for place, keep in zip(c.places_sc, kept) if keep]
        prior[held] = c.prior([c.places[i] for i in held], tables, c.y_sc[kept])
        base[held] = oracle.fuse(c.raw[held], prior[held], c.lists, WEIGHTS)
    return prior, base


class Probes:
    def __init__(self, c, prior, base, most, min_pos=5):
        from sklearn.decomposition import PCA
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import StandardScaler

        self.scaler = StandardScaler().fit(c.emb)
        scaled = self.scaler.transform(c.emb)
        self.pca = PCA(min(128, len(scaled) - 1)).fit(scaled)
        projected = self.pca.transform(scaled).astype(np.float32)
        self.models = {}
        probed = np.flatnonzero(c.y.sum(0) >= min_pos)
        self.count = len(probed)
        for k in probed[np.linspace(0, len(probed) - 1, min(most, len(probed))).astype(int)]:
            x = oracle.class_features(projected, c.raw[:, k], prior[:, k], base[:, k])
            y = c.y[:, k]
            positives = int(y.sum())
            times = max((len(y) - positives) // positives, 1)
            x, y = np.vstack([x, *[x[y == 1]] * times]), np.concatenate([y, np.ones(positives * times, y.dtype)])
            self.models[k] = MLPClassifier((256, 128), learning_rate_init=5e-4, alpha=0.005, max_iter=500, early_stopping=True,
                                           validation_fraction=0.15, n_iter_no_change=20, random_state=42).fit(x, y)

    def scores(self, emb, raw, prior, base):
        projected = self.pca.transform(self.scaler.transform(emb)).astype(np.float32)
        scores = base.copy()
        for k, model in self.models.items():
            p = model.predict_proba(oracle.class_features(projected, raw[:, k], prior[:, k], base[:, k]))[:, 1]
            scores[:, k] = 0.55 * base[:, k] + 0.45 * oracle.probability_to_logit(p.astype(np.float32))
        return scores


def proto_logits(model, emb, raw, ids, shifts):
    import torch

    model.eval()
    with torch.no_grad():
        all_shifts = [model(emb.roll(s, 1), raw.roll(s, 1), *ids)[0].roll(-s, 1) for s in shifts]
    return torch.stack(all_shifts).mean(0).flatten(0, 1).numpy()


def train_residual(models, c, emb, first_pass, ids, epochs):
    import torch

    model = models.ResidualSsm({"d_input": c.emb.shape[1], "d_scores": len(c.classes), "d_model": 128, "d_state": 16, "d_conv": 4,
                                "n_windows": 12, "n_sites": 20, "meta_dim": 8, "n_classes": len(c.classes)})
    torch.nn.init.zeros_(model.output_head.weight), torch.nn.init.zeros_(model.output_head.bias)
    scores = by_file(first_pass)
    target = by_file(c.y.astype(np.float32)) - torch.sigmoid(scores)
    order = torch.randperm(len(emb), generator=torch.Generator().manual_seed(123))
    held, kept = order[: max(1, int(0.15 * len(emb)))], order[max(1, int(0.15 * len(emb))):]
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-4, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-4, epochs=epochs, steps_per_epoch=1, pct_start=0.1)
    loss_on = lambda files: torch.nn.functional.mse_loss(  # noqa: E731
        model(emb[files], scores[files], ids[0][files], ids[1][files]), target[files])
    best, state = float("inf"), None
    for _ in range(epochs):
        model.train()
        optimizer.zero_grad()
        loss_on(kept).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            loss = loss_on(held).item()
        if loss < best:
            best, state = loss, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    return model.eval()


def postprocess(logits, texture):
    probs = oracle.temperature_sigmoid(logits, np.where(texture, np.float32(0.95), np.float32(1.10)))
    probs = np.clip(oracle.file_level_confidence_scale(probs, 2), 0, 1)
    probs = np.clip(oracle.rank_aware_scaling(probs, 0.4), 0, 1)
    probs = np.clip(oracle.adaptive_delta_smooth(probs, 0.2), 0, 1)
    return oracle.apply_thresholds(probs, np.full(probs.shape[1], 0.5))


def run_perch(paths, graphs, threads, clock):
    """Decodes and runs every graph on all windows; the outputs are the first one's."""
    import onnxruntime
    import soundfile

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    settings.log_severity_level = 3
    results = []
    for name, graph in graphs.items():
        start = time.perf_counter()
        session = onnxruntime.InferenceSession(str(graph), settings, providers=["CPUExecutionProvider"])
        clock.lap(f"load {name}", start)
        for path in paths:
            start = time.perf_counter()
            samples, _ = soundfile.read(path, dtype="float32")
            windows = np.pad(samples, (0, max(0, 1920000 - len(samples))))[:1920000].reshape(12, 160000)
            start = clock.lap("decode", start) if name == next(iter(graphs)) else time.perf_counter()
            outputs = session.run(["embedding", "label"], {"inputs": windows})
            clock.lap(f"perch, {name}", start)
            if name == next(iter(graphs)):
                results.append(outputs)
        del session
    return [np.concatenate(x) for x in zip(*results)]


def train_proto(c, folder, clock, epochs, timed):
    """`timed` of the `epochs` are trained, and the others reckoned to take as long each."""
    import compare_training
    import make_training_fixtures as fixtures
    import torch

    start = time.perf_counter()
    training = {"emb": by_file(c.emb), "logits": by_file(c.raw), "labels": by_file(c.y.astype(np.float32))}
    proto = compare_training.train_epochs(fixtures, training, timed, np.random.default_rng(0), True)[0]
    clock.lap("train: ProtoSSM", start)
    clock["train: ProtoSSM"] *= epochs / timed
    torch.save(proto.state_dict(), folder / "proto.pt")


def train_probes(c, folder, clock, timed):
    """`timed` of the probes are trained and applied, and the others reckoned to take as long each."""
    start = time.perf_counter()
    prior, base = out_of_fold(c)
    start = clock.lap("train: base", start)
    probes = Probes(c, prior, base, timed)
    clock.lap("train: probes", start)
    clock["train: probes"] *= probes.count / len(probes.models)
    clock["probes"] = probes.count
    (folder / "probes.pickle").write_bytes(pickle.dumps(probes))


def predict(c, folder, clock, data, graphs, threads, residual_epochs):
    import torch

    import make_training_fixtures as fixtures

    proto = fixtures.models.ProtoSsm(fixtures.FULL)
    proto.load_state_dict(torch.load(folder / "proto.pt"))
    probes = pickle.loads((folder / "probes.pickle").read_bytes())  # this program's own
    emb, raw = by_file(c.emb), by_file(c.raw)
    start = time.perf_counter()
    full_prior, full_base = c.fused(c.raw, c.places)
    first = 0.5 * proto_logits(proto, emb, raw, c.ids(c.places), (0,)) + \
        0.5 * probes.scores(c.emb, c.raw, full_prior, full_base)
    residual = train_residual(fixtures.models, c, emb, first.astype(np.float32), c.ids(c.places), residual_epochs)
    clock.lap("train: ResidualSSM", start)

    paths = sorted((data / "test_soundscapes").glob("*.ogg"))
    test_emb, labels_out = run_perch(paths, graphs, threads, clock)
    start = time.perf_counter()
    scores = oracle.map_perch_logits(labels_out, c.indices, c.proxies, "max").astype(np.float32)
    places = [oracle.parse_soundscape_filename(path.name)[1:5:3] for path in paths for _ in range(12)]
    test_prior, test_base = c.fused(scores, places)
    mlp = probes.scores(test_emb, scores, test_prior, test_base)
    start = clock.lap("fusion and probes", start)
    clock["fusion and probes"] *= probes.count / len(probes.models)
    ids = c.ids(places)
    logits = 0.5 * proto_logits(proto, by_file(test_emb), by_file(scores), ids, SHIFTS) + 0.5 * mlp
    start = clock.lap("ProtoSSM, 5 shifts", start)
    with torch.no_grad():
        logits += 0.35 * residual(by_file(test_emb), by_file(logits.astype(np.float32)), *ids).flatten(0, 1).numpy()
    start = clock.lap("ResidualSSM", start)
    probabilities = postprocess(logits.astype(np.float32), c.texture)
    start = clock.lap("post-processing", start)
    row_ids = [f"{path.stem}_{end}" for path in paths for end in range(5, 65, 5)]
    with open(folder / "theirs.csv", "w") as file:
        file.write(",".join(["row_id", *c.classes]) + "\n")
        for name, row in zip(row_ids, probabilities):
            file.write(name + "," + ",".join(map("{:.7g}".format, row)) + "\n")
    clock.lap("write", start)


def submit(part, data, cache, labels, graphs, folder, threads, epochs, residual_epochs, timed):
    """One part of the job, "proto", "probes" or, when those are done, "predict", its models kept in `folder` -> seconds by stage."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    clock, c = Clock(), Competition(data, cache, labels)
    if part == "proto":
        train_proto(c, folder, clock, epochs, timed["epochs"])
    elif part == "probes":
        train_probes(c, folder, clock, timed["probes"])
    else:
        predict(c, folder, clock, data, graphs, threads, residual_epochs)
    return clock
