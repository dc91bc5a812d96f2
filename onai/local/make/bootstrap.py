"""Makes `.venv` from the hash-locked requirements: the first thing `make` runs.

Runs on whatever `python3` the machine has, with nothing installed, and says in one sentence what
is in the way. It is quick when nothing has changed.

Usage: python3 onai/local/make/bootstrap.py REQUIREMENTS.txt
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed")
OLDEST_PYTHON = (3, 11)
NEEDED_MEGABYTES = 700


def main(requirements):
    # This file must parse on any Python 3, so that an old one prints a sentence too.
    if sys.version_info < OLDEST_PYTHON:
        stop(
            "This needs Python %d.%d or newer, and %s is %d.%d. Install a newer one, then run"
            " make with PYTHON=/path/to/it."
            % (OLDEST_PYTHON + (sys.executable,) + tuple(sys.version_info[:2]))
        )
    wanted = fingerprint(requirements)
    if wanted == read(STAMP) and os.path.exists(PYTHON):
        return
    if shutil.disk_usage(ROOT).free < NEEDED_MEGABYTES * 1024 * 1024:
        stop(
            "The disk is too full: %d MB are needed in %s to install the requirements."
            % (NEEDED_MEGABYTES, ROOT)
        )
    if not works(PYTHON):
        create()
    say("installing %s into .venv, with hash checking" % requirements)
    install(requirements)
    with open(STAMP, "w") as stamp:
        stamp.write(wanted)


def create():
    say("creating .venv with %s" % sys.executable)
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        stop(
            "This Python has no venv module. Install it (on Debian and Ubuntu:"
            " apt-get install python3-venv) and try again."
        )
    venv.create(VENV, clear=True, with_pip=True)


def install(requirements):
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--requirement", os.path.join(ROOT, requirements)]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode == 0:
        return
    sys.stderr.write(done.stderr)
    if "No space left on device" in done.stderr:
        stop("The disk is full: the requirements could not be installed into %s." % VENV)
    stop("The requirements could not be installed; what pip said is above.")


def works(python):
    try:
        return subprocess.run([python, "-m", "pip", "--version"], stdout=-3).returncode == 0
    except OSError:
        return False


def fingerprint(requirements):
    with open(os.path.join(ROOT, requirements), "rb") as lock:
        return hashlib.sha256(lock.read() + sys.version.encode()).hexdigest()


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def say(sentence):
    sys.stdout.write("• %s\n" % sentence)
    sys.stdout.flush()


def stop(sentence):
    sys.stderr.write("\n%s\n" % sentence)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except OSError as error:
        if error.errno != 28:
            raise
        stop("The disk is full: nothing more can be written under %s." % ROOT)
    except KeyboardInterrupt:
        stop("Stopped.")
