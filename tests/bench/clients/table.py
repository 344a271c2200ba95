"""What clients that nobody here wrote do with every named recipe: writes the tables of docs/clients.md.

    cargo build -p streamgram
    python3 tests/bench/clients/table.py [target/debug/streamgram]

Needs Python 3.10, Node, Go, socat and nc (netcat-openbsd)."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NAMED = ROOT / "protocol/src/fault/named.rs"
DOCUMENT = ROOT / "docs/clients.md"
BINARY = sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/debug/streamgram"

SEED = 27  # with it, a reply in three is lost, one comes twice, and one is empty
LINES = [b"one\n", b"two\n", b"three\n"]
PAUSE = 0.05  # seconds between two lines
PATIENCE = 8  # seconds that a client may take
RUNS = 3  # of each client; a cell has every outcome that was seen
AT_ONCE = 4  # clients that run at the same time


def recipes(protocol):
    """The names of `NAMED`."""
    return re.findall(rf'\b{protocol}\(\s*"(\w+)"', NAMED.read_text())


def commands(go):
    """The clients: their names, and their commands over TCP and UDP; those without a library read lines."""
    library = lambda *program: [[*program, protocol, "PORT"] for protocol in ("tcp", "udp")]
    return {
        "asyncio": (*library("python3", HERE / "streams.py"), True),
        "Node": (*library("node", HERE / "streams.mjs"), True),
        "Go": (*library(go), True),
        "socat": (["socat", "-", "TCP:127.0.0.1:PORT"], ["socat", "-", "UDP:127.0.0.1:PORT"], False),
        "nc": (["nc", "-N", "127.0.0.1", "PORT"], ["nc", "-u", "-w", "2", "127.0.0.1", "PORT"], False),
    }


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return next(line for line in (done.stdout + done.stderr).splitlines() if line.strip())


def versions():
    socat = subprocess.run(["socat", "-V"], capture_output=True, text=True, check=True).stdout
    return ", ".join([
        first_line("python3", "--version"),
        "Node " + first_line("node", "--version").removeprefix("v"),
        "Go " + first_line("go", "version").split()[2].removeprefix("go"),
        "socat " + re.search(r"version (\S+)", socat)[1],
        "nc: " + first_line("nc", "-h"),
        "Linux " + os.uname().release,
    ])


def run(command, port, is_library):
    """Each output with its size, what was said, and the exit status; None if it had to be ended."""
    command = [str(word).replace("PORT", port) for word in command]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    with ThreadPoolExecutor(3) as threads:
        outputs = threads.submit(lambda: list(iter(lambda: os.read(process.stdout.fileno(), 65_536), b"")))
        errors = threads.submit(process.stderr.read)
        threads.submit(type_in, process, is_library)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = None
        return outputs.result(), errors.result().decode(errors="replace"), status


def type_in(process, is_library):
    try:
        for line in () if is_library else LINES:
            process.stdin.write(line)
            process.stdin.flush()
            time.sleep(PAUSE)
        process.stdin.close()
    except BrokenPipeError:
        pass


def measured(protocol, command, port, is_library):
    """What a client did, in words."""
    outputs, errors, status = run(command, port, is_library)
    if is_library:
        events = [json.loads(line) for line in b"".join(outputs).splitlines()]
        reads = [event["read"] for event in events if "read" in event]
        lines = sum(event.get("lines", 0) for event in events)
        said = [event.get("error") or event.get("end") for event in events if "read" not in event]
        said += [] if status in (0, 1, None) else [f"status {status}"]
        if any("stranger" in event for event in events):
            said.append("from the other port")
    else:
        reads = [len(output) for output in outputs]
        lines = b"".join(outputs).count(b"\n")
        said = [f"“{reason(errors)}”"] if errors.strip() else []
        said.append("" if status is None else f"status {status}")
    said = list(dict.fromkeys(filter(None, said)))
    said += ["waits on"] if status is None else []
    what = came_tcp(reads, lines) if protocol == "tcp" else came_udp(reads, is_library)
    return "; ".join([what, *said])


def reason(errors):
    """The last thing that was said, without what differs from run to run."""
    last = re.sub(r"^\S+ \S+ socat\[\d+\] |0x[0-9a-f]+, ", "", errors.splitlines()[-1])
    return re.sub(r"(127\.0\.0\.1:)\d+", r"\1PORT", last)


def came_tcp(reads, lines):
    if not reads:
        return "nothing"
    if lines < len(LINES):
        return f"{sum(reads)} bytes"
    return f"all lines, first read {reads[0]}"


def came_udp(reads, is_library):
    if not reads:
        return "nothing"
    if not is_library:
        return f"{sum(reads)} bytes"
    return "replies of " + ", ".join(map(str, reads)) + " bytes"


def outcomes(runs):
    return " / ".join(sorted({run.result() for run in runs}))


def table(protocol, clients):
    names = recipes(protocol)
    count = len(clients) * RUNS
    listens = [f"--fault-{protocol}=127.0.0.1:0;{name};seed={SEED}" for name in names for _ in range(count)]
    ports = ["--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"]
    server = subprocess.Popen([BINARY, *ports, *listens], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        # Every run has a faulty server of its own, so each meets the first plan of its recipe.
        faults = json.loads(server.stdout.readline())["faults"]
        ports = iter([fault["address"].rsplit(":", 1)[1] for fault in faults])
        with ThreadPoolExecutor(AT_ONCE) as threads:
            rows = {
                name: [
                    [
                        threads.submit(measured, protocol, tcp if protocol == "tcp" else udp, next(ports), library)
                        for _ in range(RUNS)
                    ]
                    for tcp, udp, library in clients.values()
                ]
                for name in names
            }
            lines = [["recipe", *clients]]
            lines += [[name, *map(outcomes, cells)] for name, cells in rows.items()]
    finally:
        server.terminate()
        server.wait()
    head, *rows = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([head, "|---" * (len(clients) + 1) + "|", *rows])


def main():
    with tempfile.TemporaryDirectory() as folder:
        go = Path(folder) / "streams"
        subprocess.run(["go", "build", "-o", go, HERE / "streams.go"], check=True)
        clients = commands(go)
        parts = {"versions": versions(), **{name: table(name, clients) for name in ("tcp", "udp")}}
    document = DOCUMENT.read_text()
    for name, text in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        document = re.sub(pattern, lambda found: f"{found[1]}{text}\n{found[2]}", document, flags=re.S)
    DOCUMENT.write_text(document)


if __name__ == "__main__":
    main()
