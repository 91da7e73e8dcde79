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
        f"Name: {name}",
        f"Version: {version}",
        "Provides-Extra: more",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    path, about = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{about}/METADATA", "\n".join(["Metadata-Version: 2.1", *facts, ""]))
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_newer_release_stops_no_installation(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        release(tmp_path, "tool", "1.0") + release(tmp_path, "plugin", "1.0", "tool[more]>=1")
    )
    release(tmp_path, "tool", "1.1")
    done = subprocess.run(
        ["make", "-f", ROOT / "Makefile", "install", f"LOCK={lock}"],
        cwd=tmp_path,
        env=os.environ
        | {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [*tmp_path.glob(".venv/lib/*/site-packages/tool-1.0.dist-info")]
