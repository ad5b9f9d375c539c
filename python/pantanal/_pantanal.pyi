from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

version: str

class Perch:
    def __init__(self, path: str, threads: int, packed_weights: str) -> None: ...
    @property
    def packed_weights_problem(self) -> str: ...
    @property
    def labels(self) -> List[str]: ...
    @property
    def architecture_json(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def spatial_extent(self) -> Tuple[int, int]: ...
    def run(
        self,
        windows: npt.NDArray[np.float32],
        embedding: Optional[npt.NDArray[np.float32]],
        spatial_embedding: Optional[npt.NDArray[np.float32]],
        spectrogram: Optional[npt.NDArray[np.float32]],
        label: Optional[npt.NDArray[np.float32]],
    ) -> None: ...

class SelectiveSsm:
    def __init__(self, d_model: int, d_state: int, d_conv: int, mamba: bool, threads: int) -> None: ...
    @property
    def parameters(self) -> List[Tuple[str, List[int]]]: ...
    def load(self, arrays: Dict[str, npt.NDArray[np.float32]]) -> None: ...
    def load_file(self, path: str) -> None: ...
    def run(self, x: npt.NDArray[np.float32], backwards: bool, y: npt.NDArray[np.float32]) -> None: ...

class ProtoSsm:
    def __init__(
        self,
        d_input: int,
        d_model: int,
        d_state: int,
        n_ssm_layers: int,
        n_classes: int,
        n_windows: int,
        n_sites: int,
        meta_dim: int,
        use_cross_attn: bool,
        cross_attn_heads: int,
        n_families: int,
        n_prototypes: int,
        d_conv: int,
        mamba: bool,
        threads: int,
    ) -> None: ...
    @property
    def parameters(self) -> List[Tuple[str, List[int]]]: ...
    def load(self, arrays: Dict[str, npt.NDArray[np.float32]]) -> None: ...
    def load_file(self, path: str) -> None: ...
    def run(
        self,
        emb: npt.NDArray[np.float32],
        perch_logits: Optional[npt.NDArray[np.float32]],
        site_ids: Optional[npt.NDArray[np.int64]],
        hours: Optional[npt.NDArray[np.int64]],
        species_logits: npt.NDArray[np.float32],
        family_logits: Optional[npt.NDArray[np.float32]],
        h_temporal: npt.NDArray[np.float32],
    ) -> None: ...
    def temporal_shift_tta(
        self,
        emb: npt.NDArray[np.float32],
        perch_logits: Optional[npt.NDArray[np.float32]],
        site_ids: Optional[npt.NDArray[np.int64]],
        hours: Optional[npt.NDArray[np.int64]],
        shifts: Sequence[int],
        species_logits: npt.NDArray[np.float32],
    ) -> None: ...

class ResidualSsm:
    def __init__(
        self,
        d_input: int,
        d_scores: int,
        d_model: int,
        d_state: int,
        n_classes: int,
        n_windows: int,
        n_sites: int,
        meta_dim: int,
        n_ssm_layers: int,
        d_conv: int,
        mamba: bool,
        clamp_ids: bool,
        threads: int,
    ) -> None: ...
    @property
    def parameters(self) -> List[Tuple[str, List[int]]]: ...
    def load(self, arrays: Dict[str, npt.NDArray[np.float32]]) -> None: ...
    def load_file(self, path: str) -> None: ...
    def run(
        self,
        emb: npt.NDArray[np.float32],
        first_pass_scores: npt.NDArray[np.float32],
        site_ids: Optional[npt.NDArray[np.int64]],
        hours: Optional[npt.NDArray[np.int64]],
        correction: npt.NDArray[np.float32],
    ) -> None: ...

def selective_scan(
    u: npt.NDArray[np.float32],
    delta: npt.NDArray[np.float32],
    A: npt.NDArray[np.float32],
    B: npt.NDArray[np.float32],
    C: npt.NDArray[np.float32],
    D: Optional[npt.NDArray[np.float32]],
    z: Optional[npt.NDArray[np.float32]],
    delta_bias: Optional[npt.NDArray[np.float32]],
    delta_softplus: bool,
    initial_state: Optional[npt.NDArray[np.float32]],
    y: npt.NDArray[np.float32],
    final_state: Optional[npt.NDArray[np.float32]],
    threads: int,
) -> None: ...
def load_audio(path: str, rate: int) -> npt.NDArray[np.float32]: ...
