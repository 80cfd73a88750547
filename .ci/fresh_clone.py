"""What CI runs: `make test`, then `make run`, in a fresh copy under a fresh home.

Takes the last commit, nothing else: no cache, no setting and no installed package of whoever
calls it. Ends with 0 only if the tests pass, the demo answers, and Ctrl-C leaves nobody behind.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parents[1]
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PORT = 8700
TEST_MINUTES = 60
# The tests hold the starts and stops to their promise; here a busy machine gets more time.
START_SECONDS, LATER_SECONDS = 90, 20
STOP_SECONDS = 8


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)  # keep our lines among those of make
    with tempfile.TemporaryDirectory(prefix="aftercare-ci-") as folder:
        copy, home = Path(folder, "aftercare"), Path(folder, "home")
        copy.mkdir()
        home.mkdir()
        take_last_commit(copy)
        # A Python of pyenv or the like lies elsewhere than Debian's.
        path = f"{sys.base_prefix}/bin:{STANDARD_PATH}"
        env = {"HOME": str(home), "PATH": path, "CI": "true"}
        test(copy, env)
        run(copy, env, within=START_SECONDS)
        run(copy, env, within=LATER_SECONDS)  # on the same data
    print("CI: everything holds.")


def take_last_commit(copy: Path) -> None:
    git = ["git", "-c", f"safe.directory={HERE}", "-C", HERE, "archive", "HEAD"]
    with subprocess.Popen(git, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", copy], stdin=archive.stdout, check=True)
    if archive.returncode:
        sys.exit("CI: the last commit cannot be read.")


def test(copy: Path, env: dict[str, str]) -> None:
    began = time.monotonic()
    tests = subprocess.run(
        ["make", "test"], cwd=copy, env=env, timeout=TEST_MINUTES * 60, check=False
    )
    print(f"CI: make test ended with {tests.returncode} after {time.monotonic() - began:.0f} s")
    if tests.returncode:
        sys.exit(1)


def run(copy: Path, env: dict[str, str], *, within: float) -> None:
    printed = copy / "run.out"
    began = time.monotonic()
    with printed.open("wb") as output:
        demo = subprocess.Popen(
            ["make", "run", f"PORT={PORT}"],
            cwd=copy, env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        page = wait_for_patient_page(demo, printed, within)
        print(f"CI: make run printed its links after {time.monotonic() - began:.1f} s")
        print(f"CI: the patient page answered {status_of(page)}")
        os.killpg(demo.pid, signal.SIGINT)
        wait_until_gone(demo, copy)
    except Exception as error:
        print(printed.read_text())
        sys.exit(f"CI: {error}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)


def wait_for_patient_page(demo: subprocess.Popen[bytes], printed: Path, within: float) -> str:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and demo.poll() is None:
        text = printed.read_text()
        if "Ctrl-C stops everything" in text:
            return re.search(r"^Patient page\s+(http\S+)", text, re.MULTILINE)[1]
        time.sleep(0.1)
    ended = f"ended with {demo.returncode}" if demo.poll() is not None else "is slow"
    raise RuntimeError(f"no links within {within} s: make run {ended}")


def status_of(page: str) -> int:
    """Fetched by address, as a bare container need not know the name `localhost`."""
    url = urlsplit(page)
    client = HTTPConnection("127.0.0.1", url.port, timeout=10)
    client.request("GET", url.path, headers={"Host": url.netloc})
    status = client.getresponse().status
    client.close()
    if status != 200:
        raise RuntimeError(f"the patient page answered {status}")
    return status


def wait_until_gone(demo: subprocess.Popen[bytes], copy: Path) -> None:
    began = time.monotonic()
    while demo.poll() is None or living_in(copy):
        if time.monotonic() - began > STOP_SECONDS:
            raise RuntimeError(f"still running {STOP_SECONDS} s after Ctrl-C: {living_in(copy)}")
        time.sleep(0.05)
    print(f"CI: Ctrl-C stopped everything in {time.monotonic() - began:.1f} s")


def living_in(copy: Path) -> list[str]:
    """Processes that work in the copy, by number and command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(copy):
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append(f"{process.name} {line}")
    return found


if __name__ == "__main__":
    main()
