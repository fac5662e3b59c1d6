"""rowsync: guides, records and explains indoor rowing from any Bluetooth rower, and keeps the raw bytes."""

__version__ = "0.1.0"
