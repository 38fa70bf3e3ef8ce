# SPDX-License-Identifier: GPL-2.0-or-later
"""Fuzzing in short: hypothesis bends the seeds of each target, atheris looks for new ways in.

`make soak` (VOSD_SOAK) gives each target ten minutes (reliability.md row 2) and each property ten
thousand examples (row 3).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

ROOT = Path(__file__).parents[2]
SECONDS, EXAMPLES = (600, 10_000) if os.environ.get("VOSD_SOAK") else (4, 400)
HAVE_ATHERIS = importlib.util.find_spec("atheris") is not None

#: a wound: where, how many octets go, what comes instead, how often
wounds = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.integers(0, 12),
        st.binary(max_size=6) | st.sampled_from([b"\r\n", b"\r\n ", b'"', b"<", b";", b"%", b"\0"]),
        st.sampled_from([1, 1, 1, 2, 300]),
    ),
    max_size=4,
)


def wounded(seed: bytes, places: list[tuple[int, int, bytes, int]]) -> bytes:
    for at, gone, put, times in places:
        at %= len(seed) + 1
        seed = seed[:at] + put * times + seed[at + gone :]
    return seed


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_hold(target: str) -> None:
    """The corpus is there and passes; cut anywhere it still does."""
    assert len(seeds(target)) >= 3
    for seed in seeds(target):
        for at in range(len(seed) + 1):
            TARGETS[target](seed[:at])


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wounded_seeds(target: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(seeds(target)))
    TARGETS[target](wounded(seed, data.draw(wounds)))


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.binary(max_size=300))
def test_noise(target: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.skipif(not HAVE_ATHERIS, reason="did not run: no atheris here; hypothesis did")
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("target", TARGETS)
def test_atheris(target: str, tmp_path: Path) -> None:
    """libFuzzer ends with 0 when nothing broke; the input that broke it is in its output."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", target, str(SECONDS), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
