from typing import List, Optional, Tuple

import numpy as np
import numpy.typing as npt

version: str

class Perch:
    def __init__(self, path: str, threads: int) -> None: ...
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

def load_audio(path: str, rate: int) -> npt.NDArray[np.float32]: ...
