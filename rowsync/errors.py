"""One tree of errors, split by whose fault it is.

    RowsyncError                what every caller may catch
    ├── UsageError              the person asked for something that has no meaning
    ├── MachineError            the rower or the radio
    │   ├── RadioUnavailable    Bluetooth itself is off, absent or not permitted
    │   ├── MachineNotFound     nothing that rows answered
    │   ├── NotARower           connected, but there is no Rower Data characteristic
    │   └── MachineLost         the link went and did not come back
    ├── SessionNotFound         no stored session of that name
    ├── RecordingError          a recording or a stored file can't be read
    │   ├── NewerFile           a newer rowsync wrote it, or reckoned what is in it
    │   └── Unreadable          the system doesn't let it be read now; what is in it may be sound
    ├── StoreError              something can't be written
    └── UploadError             a service doesn't take a session

Every message says in one or two lines what happened and what to do next.  `exit_code` is what the command line
answers with (`docs/contract.md`).
"""


class RowsyncError(Exception):
    """Anything a user or a machine can cause."""

    exit_code = 1


class UsageError(RowsyncError):
    """The person asked for something that has no meaning, such as an unreadable plan."""

    exit_code = 2


class MachineError(RowsyncError):
    """The rower or the radio did not do its part."""

    exit_code = 3


class RadioUnavailable(MachineError):
    """Bluetooth is off, absent or not permitted."""


class MachineNotFound(MachineError):
    """Nothing that rows answered."""


class NotARower(MachineError):
    """Connected, but the machine offers no Rower Data characteristic (0x2AD1)."""


class MachineLost(MachineError):
    """The link went and did not come back."""


class SessionNotFound(RowsyncError):
    """No stored session has that name."""

    exit_code = 3


class RecordingError(RowsyncError):
    """A recording, or a stored file, can't be read."""

    exit_code = 4


class NewerFile(RecordingError):
    """A newer rowsync wrote a stored file, or reckoned what is in it."""


class Unreadable(RecordingError):
    """The system doesn't let a file be read now (a failing disk, too many open files); what is in it may be sound."""


class UploadError(RowsyncError):
    """A service didn't take a session, or didn't answer."""

    exit_code = 5


class StoreError(RowsyncError):
    """Something can't be written."""

    exit_code = 5


class HeldMore(StoreError):
    """A longer recording of a session is stored: a shorter one never takes its place."""
