"""The installer uses the pinned versions, even after newer releases."""

import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

from tests.servers import ROOT


def release(folder: Path, name: str, version: str, *needs: str) -> str:
    """Publish an empty package in a folder, and return the line that pins it."""
    facts = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        "Provides-Extra: more",
    ]
    facts.extend(f"Requires-Dist: {need}" for need in needs)
    metadata = "".join(f"{fact}\n" for fact in facts)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{about}/METADATA", metadata)
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name}=={version} --hash=sha256:{digest}\n"


def test_a_newer_release_stops_no_installation(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        release(tmp_path, "tool", "1.0") + release(tmp_path, "plugin", "1.0", "tool[more]>=1")
    )
    release(tmp_path, "tool", "1.1")
    environment = dict(os.environ)
    environment.update(PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    done = subprocess.run(
        ["make", "-f", ROOT / "Makefile", "install", f"LOCK={lock}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob(".venv/lib/*/site-packages/tool-1.0.dist-info"))
