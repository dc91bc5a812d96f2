"""`make` first checks the machine, and reports what is missing in one sentence."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.settings import BASE_DIR

RUN = "import runpy; runpy.run_path('onai/local/make/bootstrap.py', run_name='__main__')"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone with nothing installed and an empty list of requirements."""
    return _new_clone(tmp_path)


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = _new_clone(tmp_path_factory.mktemp("installed"))
    done = _bootstrap(clone)
    assert done.returncode == 0, done.stderr
    return clone


@pytest.fixture
def installed(installed_once: Path, tmp_path: Path) -> Path:
    """A clone in which `make` has run before."""
    return Path(shutil.copytree(installed_once, tmp_path / "clone", symlinks=True))


def _new_clone(folder: Path) -> Path:
    (folder / "onai" / "local" / "make").mkdir(parents=True)
    shutil.copy(BASE_DIR / "onai/local/make/bootstrap.py", folder / "onai/local/make")
    (folder / "empty.txt").write_text("")
    return folder


def _bootstrap(clone: Path, preparation: str = "") -> "subprocess.CompletedProcess[str]":
    script = f"import sys; sys.argv = ['bootstrap', 'empty.txt']\n{preparation}\n{RUN}"
    # The system's Python, as in a fresh clone, not that of a virtual environment.
    python = Path(sys.base_prefix) / "bin" / "python3"
    return subprocess.run(
        [str(python), "-c", script],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _told(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    [sentence] = done.stderr.strip().splitlines()
    return sentence


def test_an_old_python_is_reported(clone: Path) -> None:
    done = _bootstrap(clone, "sys.version_info = (3, 9, 2)")

    assert "needs Python 3.11 or newer" in _told(done)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_module_is_reported(clone: Path, module: str) -> None:
    done = _bootstrap(clone, f"sys.modules[{module!r}] = None")

    assert "apt-get install python3-venv" in _told(done)


def test_a_full_disk_is_reported_before_anything_is_written(clone: Path) -> None:
    full = "import shutil; shutil.disk_usage = lambda path: type('U', (), {'free': 10**6})"

    done = _bootstrap(clone, full)

    assert "The disk is too full" in _told(done)
    assert not (clone / ".venv").exists()


def test_a_disk_that_fills_up_is_reported(clone: Path) -> None:
    full = "import venv\ndef create(*a, **k): raise OSError(28, 'No space left')"

    done = _bootstrap(clone, f"{full}\nvenv.create = create")

    assert "The disk is full" in _told(done)


def test_a_second_run_installs_nothing_and_prints_nothing(clone: Path) -> None:
    first = _bootstrap(clone)
    assert first.returncode == 0, first.stderr
    assert "creating .venv" in first.stdout

    # Fast, because it neither builds nor runs anything.
    idle = "import subprocess, venv\nsubprocess.run = subprocess.Popen = venv.create = None"
    second = _bootstrap(clone, idle)

    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_changed_requirements_are_installed(installed: Path) -> None:
    (installed / "empty.txt").write_text("# changed\n")

    done = _bootstrap(installed)

    assert done.returncode == 0, done.stderr
    assert "installing empty.txt" in done.stdout
    assert "creating .venv" not in done.stdout
    assert _bootstrap(installed).stdout == ""


def test_a_requirement_without_its_hash_is_refused(installed: Path) -> None:
    wheel = installed / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0"
        )
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    (installed / "empty.txt").write_text(f"tiny @ {wheel.as_uri()}\n")

    done = _bootstrap(installed)

    assert done.returncode == 1
    assert "Hashes are required" in done.stderr
    assert "could not be installed" in done.stderr
