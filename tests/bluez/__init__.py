"""A stand-in BlueZ on a private message bus, so that bleak's own Linux backend is under test, and any fault at hand.

What is real: bleak unmodified, dbus-fast, a `dbus-daemon`, and from GATT down Bumble's Bluetooth with the virtual rower
at its far end.  What is played: bluetoothd's objects and answers (`fake`), and the time (`clock`).
"""
