"""What leaves the machine: nothing by network, no path by file, the user's umask."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path

import pytest

from fuzzing.seeds import Seeds
from tests.faults.runs import run, run_anew

SITE = """
import socket, sys
def refuse(*arguments, **named):
    open({marker!r}, "a").write(repr((sys.argv, arguments)) + chr(10))
    raise OSError("no network here")
for name in ("connect", "connect_ex", "bind", "sendto"):
    pass
class NoSocket(socket.socket):
    def __init__(self, *arguments, **named):
        refuse(*arguments)
socket.socket = NoSocket
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""


def commands(seeds: Seeds, out: Path) -> list[tuple[object, ...]]:
    folder = seeds.folder
    located = ("--reference", folder / "ref.fa", "-q", "-o")
    results = [folder / "out" / f"S{number}.mrd.json" for number in range(3)]
    return [
        ("quantify", folder / "panel.toml", folder / "plain.cram", *located, out / "a"),
        ("levels", folder / "panel.toml", folder / "out" / "S0.counts.tsv", "-q",
         "-o", out / "b"),
        ("timeline", *results, "--format", "html,json,tsv,pdf,fhir", "-q",
         "-o", out / "c"),
        ("panel", "import", folder / "out" / "S0.vcf", "-o", out / "p.toml"),
        ("panel", "check", folder / "panel.toml", "--reference", folder / "ref.fa"),
        ("protocols", "list"),
    ]  # fmt: skip


@pytest.mark.slow
def test_no_command_opens_a_socket(tmp_path: Path, seeds: Seeds) -> None:
    marker = tmp_path / "sockets"
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE.format(marker=str(marker)))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    probe = run_anew("--version", environment=environment)
    assert probe.code == 0
    for command in commands(seeds, tmp_path / "out"):
        ended = run_anew(*command, environment=environment)
        assert ended.code == 0, ended.err
    assert not marker.exists(), marker.read_text()


@pytest.mark.parametrize("address", ["http://localhost:9/a", "s3://x/a", "ftp://x/a"])
def test_an_address_is_no_file(
    tmp_path: Path, streams: Path, seeds: Seeds, address: str
) -> None:
    panel, bam = seeds.folder / "panel.toml", seeds.folder / "plain.bam"
    for command in (
        ("quantify", panel, f"{address}.bam", "--reference", seeds.reference),
        ("quantify", panel, bam, "--reference", f"{address}.fa"),
        ("panel", "import", f"{address}.vcf"),
        ("timeline", f"{address}.json"),
    ):
        ended = run(streams, *command, "-o", tmp_path / "out")
        assert ended.code == 1
        assert re.search("no such (reference )?file", ended.sentence.lower())


def test_no_path_in_what_is_shared(tmp_path: Path, streams: Path, seeds: Seeds) -> None:
    secret = tmp_path / "mme-dupont-1961"
    shutil.copytree(seeds.folder, secret)
    out = tmp_path / "shared"
    held = seeds._replace(folder=secret)
    for command in commands(held, out)[:4]:
        ended = run(streams, *command)
        assert ended.code == 0, ended.err
    told = [path for path in out.rglob("*") if path.is_file()]
    assert len(told) > 10
    for path in told:
        if path.name.endswith(".provenance.json"):
            assert b"dupont" in path.read_bytes()
        else:
            content = path.read_bytes()
            assert b"dupont" not in content, path.name
            assert str(tmp_path).encode() not in content, path.name


def test_files_have_the_permissions_of_the_umask(
    tmp_path: Path, streams: Path, seeds: Seeds
) -> None:
    out = tmp_path / "out"
    for command in commands(seeds, out)[:4]:
        assert run(streams, *command, setup=lambda: os.umask(0o077)).code == 0
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*.*")}
    assert modes == {0o600}
    assert {stat.S_IMODE((out / name).stat().st_mode) for name in "abc"} == {0o700}
