"""`manage.py` on the running demo: `.venv/bin/python -m onai.local.manage letters`."""

import os
import subprocess
import sys
from pathlib import Path

from onai.local.auth.keys import Keys
from onai.local.demo import ROOT
from onai.local.environment import local_environment
from onai.local.postgres import PROGRAMS, running_socket_dir


def main() -> None:
    folder = Path(os.environ.get("ONAI_LOCAL_DIR", ROOT / ".local")).absolute()
    socket_dir = running_socket_dir(folder / "postgres")
    if socket_dir is None:
        sys.exit(f"No demo runs on the data in {folder}; start it with make demo.")
    environment = local_environment(
        folder,
        Keys.load(folder),
        socket_dir=socket_dir,
        port=int(os.environ.get("DEMO_PORT", "8000")),
    )
    # For `dbshell`, which runs psql.
    path = os.pathsep.join(filter(None, (str(PROGRAMS), os.environ.get("PATH"))))
    command = [sys.executable, "manage.py", *sys.argv[1:]]
    sys.exit(
        subprocess.run(command, cwd=ROOT, env={**environment, "PATH": path}, check=False).returncode
    )


if __name__ == "__main__":
    main()
