"""A process that has imported the product, and forks for each command line that it is sent.

Importing the product takes a second and a half, more than most commands take to run. A fork has the
imports already, and runs what the interpreter would run: `manage.py …`, `-m gunicorn …`.

`tests.support.forked_processes` starts this server and sends it each command line as JSON, with
three descriptors: the output, the errors, and a socket on which the server answers with the
process's id and then its exit code.
"""

import gc
import io
import json
import os
import runpy
import socket
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess

import django
from django.core.management import call_command

_IMPORTED = (
    "onai.wsgi",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "procrastinate.contrib.django.management.commands.procrastinate",
)


def main() -> None:
    django.setup()
    for module in _IMPORTED:
        import_module(module)
    call_command("check", stdout=io.StringIO())  # It looks at most there is.
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))


def _serve(orders: socket.socket) -> None:
    running: dict[int, tuple[ForkProcess, socket.socket]] = {}
    while True:
        for ready in connection.wait([orders, *running]):
            if isinstance(ready, int):
                process, fate = running.pop(ready)
                process.join()
                with fate:
                    _tell(fate, process.exitcode)
            else:
                order, descriptors, _, _ = socket.recv_fds(orders, 65_536, 3)
                if not order:
                    return  # Whoever started us is gone.
                output, errors, told = descriptors
                fate = socket.socket(fileno=told)
                process = get_context("fork").Process(
                    target=_run, args=(json.loads(order), output, errors), daemon=True
                )
                process.start()
                os.close(output)
                os.close(errors)
                running[process.sentinel] = process, fate
                _tell(fate, process.pid)


def _tell(fate: socket.socket, number: int | None) -> None:
    with suppress(BrokenPipeError):  # The test may be over.
        fate.sendall(f"{number}\n".encode())


def _run(arguments: list[str], output: int, errors: int) -> None:
    """Runs in the fork."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(errors, 2)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
