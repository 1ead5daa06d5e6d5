"""The errors that textsent shows to its users.

TextsentError       to be shown as it is, without a traceback
├── InputError      a file, or what is in it, can't be read or understood
│   ├── NoRowsError     there is nothing in it
│   └── ArgumentError   nor can what was passed in Python; a ValueError too, as scikit-learn's users expect
├── OutputError     a file can't be written
├── PresetError     a model's folder is missing, incomplete or inconsistent
├── DeviceError     the device asked for isn't there
├── OptionError     a value that was passed makes no sense
├── DivergedError   a training's loss is no number any more
└── MissingExtraError   a package is needed that isn't installed by default
"""


class TextsentError(Exception):
    """Base of all errors that say what failed, where, and what to try."""


class InputError(TextsentError):
    """A file, or what is in it, can't be read or understood."""


class NoRowsError(InputError):
    """There is nothing in a file, or a part of one."""


class ArgumentError(InputError, ValueError):
    """What was passed to an estimator can't be understood."""


class OutputError(TextsentError):
    """A file can't be written."""


class PresetError(TextsentError):
    """A model's folder is missing, incomplete or inconsistent."""


class DeviceError(TextsentError):
    """The device asked for isn't there."""


class OptionError(TextsentError):
    """A value that was passed makes no sense."""


class DivergedError(TextsentError):
    """A training's loss is no number any more."""


class MissingExtraError(TextsentError):
    """A package is needed that isn't installed by default."""
