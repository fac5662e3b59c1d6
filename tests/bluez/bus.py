"""A message bus of our own: a `dbus-daemon` that nobody else knows, where programs look for the system's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bleak.backends.bluezdbus import manager
from bleak.backends.bluezdbus.version import BlueZFeatures

from tests.bluez.clock import BusTimeLoop

ADDRESS = "DBUS_SYSTEM_BUS_ADDRESS"
"""Where the D-Bus specification lets a program look for the system bus instead."""

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


def missing() -> str | None:
    """What keeps this computer from running a private bus, as a sentence; None when nothing does."""
    if not Path("/proc/self/stat").exists():
        return "the fake BlueZ needs Linux"
    return None if shutil.which("dbus-daemon") else "there is no dbus-daemon: apt install dbus-daemon"


class PrivateBus:
    """A system bus of our own; `async with` starts it, shows it to this process, and takes all of that back."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bus-")
        self._socket = Path(self._folder.name) / "socket"
        self._configuration = Path(self._folder.name) / "bus.conf"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._address_before = os.environ.get(ADDRESS)

    async def __aenter__(self) -> PrivateBus:
        self._configuration.write_text(CONFIGURATION.format(socket=self._socket))
        os.environ[ADDRESS] = f"unix:path={self._socket}"
        self.start()
        await BlueZFeatures.check_bluez_version()  # once per process it starts a program; not in the midst of a test
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        await asyncio.sleep(0.01)  # whoever is still connected hears of it
        await forget_bus()
        self._folder.cleanup()
        if self._address_before is None:
            del os.environ[ADDRESS]
        else:
            os.environ[ADDRESS] = self._address_before

    def start(self) -> None:
        """Start the daemon; it listens when this returns."""
        self._socket.unlink(missing_ok=True)
        command = ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--nopidfile", "--print-address"]
        self._daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._daemon.stdout is not None
        self._daemon.stdout.readline()
        self._let_loop_watch(self._daemon.pid)

    def kill(self) -> None:
        """Kill the daemon; everybody's connection to it breaks."""
        if self._daemon is not None:
            self._let_loop_watch(None)
            self._daemon.kill()
            self._daemon.communicate()
            self._daemon = None

    def _let_loop_watch(self, pid: int | None) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, BusTimeLoop):
            loop.watch(pid)


async def forget_bus() -> None:
    """Make bleak let go of a dead bus: it keeps one manager, with a connection, for each loop."""
    kept = manager._global_instances.pop(asyncio.get_running_loop(), None)
    if kept is not None and kept._bus_watcher_task is not None:
        await asyncio.wait({kept._bus_watcher_task})
