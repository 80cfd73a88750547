"""The environment, in which each setting may stand in a file instead: `NAME_FILE` names it.

That is how systemd credentials and container secrets arrive. A file that cannot be read stops
the start and says which setting it was for.
"""

from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping


class Unreadable(SystemExit):
    """Why nothing starts, in one sentence for the person at the terminal."""


class _Files(FileAwareMapping):  # type: ignore[misc]
    def __getitem__(self, key: str) -> str:
        try:
            value: str = super().__getitem__(key)
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(
                f"{key} cannot be read: {key}_FILE names {self.env.get(key + '_FILE')} ({error}). "
                f"Put the path of a text file there, or set {key} itself."
            ) from error
        # An editor ends the last line of a file; no secret of ours ends with a line break.
        return value.strip("\r\n") if self.env.get(key + "_FILE") else value


class Environment(FileAwareEnv):  # type: ignore[misc]
    ENVIRON = _Files()
