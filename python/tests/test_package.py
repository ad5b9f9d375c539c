"""The package itself."""

import pathlib
import re

from conftest import ROOT

import pantanal


def test_has_the_projects_version():
    declared = re.search(r"project\(pantanal VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    assert pantanal.__version__ == declared[1]


def test_exports_what_it_promises():
    for name in pantanal.__all__:
        assert getattr(pantanal, name).__doc__


def test_is_typed_and_holds_nothing_else():
    folder = pathlib.Path(pantanal.__file__).parent
    names = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    modules = {name for name in names if name.startswith(("_pantanal.", "_ml.", "_training.")) and name.endswith(".so")}
    assert len(modules) == 3
    assert names - modules == {
        "__init__.py",
        "_arrays.py",
        "_errors.py",
        "_ml.pyi",
        "_ml_base.py",
        "_ml_classify.py",
        "_ml_neural.py",
        "_ml_select.py",
        "_ml_transform.py",
        "_pantanal.pyi",
        "_perch.py",
        "_sequence.py",
        "_training.pyi",
        "_training_base.py",
        "_training_perch.py",
        "py.typed",
        "training.py",
    }


def test_errors_share_a_base():
    for error in (pantanal.CorruptError, pantanal.UnsupportedError, pantanal.MismatchError, pantanal.InternalError):
        assert issubclass(error, pantanal.PantanalError)
