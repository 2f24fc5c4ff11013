"""The measurement as Markdown tables, on standard output."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from stage.template import Template

from .measure import WARM_REQUESTS, Build, Run, median

VCPU_MB = 1769  # AWS: the memory at which a function has one vCPU
HASHING = ("Signup", "Login", "VerifyPage", "SetPassword")  # hashing a password takes 19 MiB
# Budgets, in MB (10^6 bytes) and milliseconds.
ZIP_MB = 6
INIT_MS = 10
FIRST_OVER_WARM_MS = 40
MEMORY_MB = 30
HASHING_MEMORY_MB = 60


def print_report(
    measured: Mapping[tuple[Build, str], Sequence[Run]], template: Template, root_certificates: int
) -> None:
    builds = list(dict.fromkeys(build for build, _ in measured))
    several = len(builds) > 1
    rows = {
        f"{function} ({build.name})" if several else function: (function, median(list(runs)))
        for (build, function), runs in measured.items()
    }
    print_header(len(next(iter(measured.values()))), root_certificates)
    print_sizes(builds)
    print_times(rows)
    print_budgets(rows)
    print_scaled(rows, template)


def print_header(runs: int, root_certificates: int) -> None:
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    print(
        f"{now} UTC, {os.cpu_count()} cores, {cpu_model()}, load {os.getloadavg()[0]:.1f}. "
        f"Medians of {runs} runs; warm: of {WARM_REQUESTS} requests in each. "
        f"{root_certificates} root certificates. Times in ms, sizes in MB (10^6 bytes).\n"
    )


def print_sizes(builds: Sequence[Build]) -> None:
    rows = []
    for build in builds:
        binary, archive = build.size() / 1e6, build.zip_size() / 1e6
        rows.append([build.name, f"{binary:.1f}", f"{archive:.3f}", verdict(archive <= ZIP_MB)])
    print_table(["build", "binary", "zip", f"zip ≤ {ZIP_MB}"], rows)


def print_times(rows: Mapping[str, tuple[str, Run]]) -> None:
    columns = ["function", "init alone (CPU)", "init (CPU)", "first (CPU)", "warm (CPU)"]
    cells = [
        [
            name,
            f"{run.init_alone:.1f} ({run.init_alone_cpu:.1f})",
            f"{run.init:.1f} ({run.init_cpu:.1f})",
            f"{run.first:.1f} ({run.first_cpu:.1f})",
            f"{run.warm:.1f} ({run.warm_cpu:.1f})",
            f"{run.peak_memory:.1f}",
        ]
        for name, (_, run) in rows.items()
    ]
    print_table([*columns, "peak memory"], cells)


def print_budgets(rows: Mapping[str, tuple[str, Run]]) -> None:
    columns = [
        "function",
        f"init alone ≤ {INIT_MS}",
        f"init ≤ {INIT_MS}",
        f"first ≤ warm + {FIRST_OVER_WARM_MS}",
        f"memory ≤ {MEMORY_MB}, hashing {HASHING_MEMORY_MB}",
    ]
    cells = []
    for name, (function, run) in rows.items():
        memory = HASHING_MEMORY_MB if function in HASHING else MEMORY_MB
        kept = [
            run.init_alone <= INIT_MS,
            run.init <= INIT_MS,
            run.first <= run.warm + FIRST_OVER_WARM_MS,
            run.peak_memory <= memory,
        ]
        cells.append([name, *(verdict(it) for it in kept)])
    print_table(columns, cells)


def print_scaled(rows: Mapping[str, tuple[str, Run]], template: Template) -> None:
    """CPU time divided by the share of a vCPU that a function has on Lambda."""
    columns = ["function", "MemorySize", "of a vCPU", "CPU of first / share", "CPU of warm / share"]
    cells = []
    for name, (function, run) in rows.items():
        memory_mb = template.memory_mb(function)
        share = memory_mb / VCPU_MB
        scaled = [f"{cpu / share:.0f}" for cpu in (run.first_cpu, run.warm_cpu)]
        cells.append([name, str(memory_mb), f"{share:.0%}", *scaled])
    print_table(columns, cells)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" + "---:|" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def verdict(kept: bool) -> str:
    return "pass" if kept else "FAIL"


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown CPU"
