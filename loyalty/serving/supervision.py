"""supervisord: starts the processes, starts them again when they die, gathers their logs, ends them together."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from loyalty.serving.home import Home, write_privately
from loyalty.serving.leftovers import MARK
from loyalty.serving.processes import BASE_DIR, Process

LOG_SIZE = "10MB"
LOG_COPIES = 3


def configuration(home: Home, processes: Iterable[Process]) -> str:
    """Return supervisord's configuration; the first process starts first and ends last."""
    sections = [
        "[supervisord]",
        f"logfile={_escaped(home.logs / 'supervisord.log')}",
        f"logfile_maxbytes={LOG_SIZE}",
        f"logfile_backups={LOG_COPIES}",
        f"pidfile={_escaped(home.directory / 'supervisord.pid')}",
        f"directory={_escaped(BASE_DIR)}",
        f"childlogdir={_escaped(home.logs)}",
        "nodaemon=true",
        "silent=true",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[unix_http_server]",
        f"file={_escaped(home.directory / 'supervisor.sock')}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]",
        f"serverurl=unix://{_escaped(home.directory / 'supervisor.sock')}",
    ]
    for place, process in enumerate(processes):
        sections += _section(home, process, priority=10 * (place + 1))
    return "\n".join(sections) + "\n"


def start(home: Home, processes: Iterable[Process], *, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start supervisord in a session of its own, so that Ctrl-C reaches ``serve`` alone."""
    path = home.directory / "supervisord.conf"
    write_privately(path, configuration(home, processes))
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "--configuration", str(path)],
        cwd=BASE_DIR,
        env={**environment, MARK: str(home.directory)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _section(home: Home, process: Process, *, priority: int) -> list[str]:
    environment = ",".join(f'{name}="{_escaped(value)}"' for name, value in process.environment.items())
    return [
        f"[program:{process.name}]",
        f"command={_escaped(shlex.join(process.command))}",
        *([f"environment={environment}"] if environment else []),
        f"priority={priority}",
        "autorestart=true",
        "startsecs=1",
        "startretries=1000000",
        "stopwaitsecs=15",
        "stopasgroup=true",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(home.logs / process.name)}.log",
        f"stdout_logfile_maxbytes={LOG_SIZE}",
        f"stdout_logfile_backups={LOG_COPIES}",
    ]


def _escaped(value: str | Path) -> str:
    return str(value).replace("%", "%%")
