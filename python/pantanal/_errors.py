"""What can go wrong with a file that is there and can be read."""


class PantanalError(Exception):
    """Base of the errors below. The message says where, what was found and what was expected."""


class CorruptError(PantanalError):
    """The bytes of a file contradict its own format or checksum."""


class UnsupportedError(PantanalError):
    """A file is well-formed, but of a kind that is not handled: FLAC, for instance."""


class MismatchError(PantanalError):
    """A file is well-formed, but of another shape, size or version than required."""


class InternalError(PantanalError):
    """A broken promise of the library itself: please report it."""
