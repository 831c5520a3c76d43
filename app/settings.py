"""Settings: defaults, then telltale.toml, then environment variables; anything unknown is refused.

The file is ``telltale.toml`` in the home folder, or the one that ``TELLTALE_CONFIG`` names.
"""

import getpass
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_data_path

from app.roles import ORDER, Profile

PREFIX: Final = "TELLTALE_"
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

# Read by the tests, the launcher and its children; no settings of a person.
_OTHER_VARIABLES: Final = frozenset({"HOME", "CONFIG", "TEST_DATA", "CHROMIUM", "SOAK", "PARENT_FD"})


class SettingsError(Exception):
    """A setting is unknown or outside its range; the message names it and where it was read."""


@dataclass(frozen=True)
class Settings:
    """What a person may set; each field is documented by its metadata and in README.md.

    Parameters
    ----------
    home
        Folder that holds everything Telltale stores.
    address, port
        Where the app answers; only a loopback address is accepted until sign-in exists.
    profile
        Name of the local profile: the actor of every write.
    role
        What the profile may do: viewer < labeller < trainer < admin.
    people
        Who works at these screens, each with what they may do; a person chooses among them. Empty: the local
        profile alone.
    operators
        How many people share the alarms; the alarm load is counted per operator.
    demo_seed
        Seed of the demo fleet.
    open_browser
        Whether `telltale run` opens a browser when there is a screen.
    workers
        How many trainings run at once; 0 stands for half of the cores, at most 8.
    tracking
        Address of an MLflow server; empty for the home's own store.
    cluster
        Address of a Dask scheduler that trainings are sent to; empty to train on this machine.
    cluster_ca, cluster_cert, cluster_key
        PEM files for a scheduler that is reached by TLS: who signed its certificate, and this machine's own
        certificate and key. All three or none.
    """

    home: Path
    address: str = field(default="127.0.0.1", metadata={"doc": "where the app answers; loopback only"})
    port: int = field(default=8501, metadata={"doc": "port of the app, 1 to 65535"})
    profile: str = field(default="", metadata={"doc": "name of the local profile, the actor of every write"})
    role: str = field(default="admin", metadata={"doc": "viewer, labeller, trainer or admin"})
    people: tuple[Profile, ...] = field(
        default=(),
        metadata={"doc": "who works at these screens: a list of `name:role`; in the variable with commas"},
    )
    operators: int = field(
        default=1, metadata={"doc": "how many people share the alarms, up to 1000; the load is per operator"}
    )
    demo_seed: int = field(default=7, metadata={"doc": "seed of the demo fleet"})
    open_browser: bool = field(default=True, metadata={"doc": "open a browser on `telltale run`"})
    workers: int = field(
        default=0, metadata={"doc": "trainings at once, up to 64; 0: half of the cores, at most 8"}
    )
    tracking: str = field(
        default="", metadata={"doc": "http address of an MLflow server; empty: its own store"}
    )
    cluster: str = field(
        default="",
        metadata={"doc": "Dask scheduler for trainings, `tcp://host:8786` or `tls://host:8786`; empty: none"},
    )
    cluster_ca: str = field(
        default="", metadata={"doc": "PEM file of who signed the scheduler's certificate"}
    )
    cluster_cert: str = field(default="", metadata={"doc": "PEM file of this machine's certificate"})
    cluster_key: str = field(default="", metadata={"doc": "PEM file of this machine's private key"})

    @property
    def local(self) -> Profile:
        """The local profile, with the role that the list of people gives to a person of its name."""
        named = (one for one in self.people if one.name == self.profile)
        return next(named, Profile(self.profile, self.role))


def documented() -> tuple[tuple[str, str, str, str], ...]:
    """Return (key, environment variable, default, meaning) of every setting of telltale.toml."""
    return tuple(
        (f.name, PREFIX + f.name.upper(), _default(f), f.metadata["doc"])
        for f in fields(Settings)
        if f.name != "home"
    )


def _default(one: Field[object]) -> str:
    if one.name == "profile":
        return "your user name"
    return "" if one.default == () else str(one.default)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings in force.

    Parameters
    ----------
    environment
        Environment variables; those of the process when not given.

    Raises
    ------
    SettingsError
        An unknown key or variable, a value outside its range, or an unreadable file.
    """
    env = os.environ if environment is None else environment
    home = (
        Path(env[PREFIX + "HOME"])
        if env.get(PREFIX + "HOME")
        else user_data_path("telltale", appauthor=False)
    )
    named = env.get(PREFIX + "CONFIG")
    file = Path(named) if named else home / "telltale.toml"
    known = {f.name for f in fields(Settings)} - {"home"}
    values: dict[str, object] = {}
    if named or file.is_file():
        values = _read(file)
        unknown = sorted(set(values) - known)
        if unknown:
            raise SettingsError(
                f"{file}: unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
    origin = dict.fromkeys(values, str(file))
    for variable, text in env.items():
        if not variable.startswith(PREFIX):
            continue
        key = variable.removeprefix(PREFIX)
        if key in _OTHER_VARIABLES:
            continue
        if key.lower() not in known:
            names = ", ".join(sorted(PREFIX + name.upper() for name in known))
            raise SettingsError(f"unknown environment variable {variable}; known are {PREFIX}HOME, {names}")
        values[key.lower()] = text
        origin[key.lower()] = variable
    return _checked(home.expanduser(), values, origin)


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from error


def _checked(home: Path, values: Mapping[str, object], origin: Mapping[str, str]) -> Settings:
    given = _Given(values, origin)
    address = given.text("address", "127.0.0.1")
    if address not in LOOPBACK:
        raise SettingsError(
            f"{origin['address']}: address {address} is refused: without sign-in anyone who reaches the port "
            f"could change verdicts and models; use {', '.join(LOOPBACK)}"
        )
    role = given.text("role", "admin")
    if role not in ORDER:
        raise SettingsError(f"{origin['role']}: role must be one of {', '.join(ORDER)}, not {role!r}")
    cluster = given.place("cluster", ("tcp", "tls"))
    return Settings(
        home=home,
        address=address,
        port=given.integer("port", 8501, 1, 65_535),
        profile=given.text("profile", _user_name()),
        role=role,
        people=given.people("people"),
        operators=given.integer("operators", 1, 1, 1000),
        demo_seed=given.integer("demo_seed", 7, 0, 2**31 - 1),
        open_browser=given.boolean("open_browser", default=True),
        workers=given.integer("workers", 0, 0, 64),
        tracking=given.place("tracking", ("http", "https")),
        cluster=cluster,
        **_tls(given, cluster),
    )


def _tls(given: "_Given", cluster: str) -> dict[str, str]:
    """Return the files for a scheduler that is reached by TLS; all of them or none."""
    files = {key: given.file(key) for key in ("cluster_ca", "cluster_cert", "cluster_key")}
    missing = [key for key, value in files.items() if not value]
    if cluster.startswith("tls:") and missing:
        where = given.origin["cluster"]
        raise SettingsError(f"{where}: a cluster with TLS needs {', '.join(missing)} too, as PEM files")
    if len(missing) < len(files) and not cluster.startswith("tls:"):
        key = next(key for key, value in files.items() if value)
        raise SettingsError(
            f"{given.origin[key]}: {key} is for a cluster at tls://host:port, not {cluster or 'none'}"
        )
    return files


@dataclass(frozen=True)
class _Given:
    """What a person set, each value checked as it is asked for."""

    values: Mapping[str, object]
    origin: Mapping[str, str]

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self.values.get(key, default)
        try:
            number = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise SettingsError(
                f"{self.origin[key]}: {key} must be a whole number from {low} to {high}, not {value!r}"
            )
        return number

    def text(self, key: str, default: str, longest: int = 80) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
            raise SettingsError(f"{self.origin[key]}: {key} must be 1 to {longest} printable characters")
        return value.strip()

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key, default)
        spelled = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        found = value if isinstance(value, bool) else spelled.get(str(value).lower())
        if found is None:
            raise SettingsError(f"{self.origin[key]}: {key} must be true or false, not {value!r}")
        return found

    def people(self, key: str) -> tuple[Profile, ...]:
        value = self.values.get(key, [])
        entries = [one for one in value.split(",") if one.strip()] if isinstance(value, str) else value
        found: dict[str, Profile] = {}
        for entry in entries if isinstance(entries, list) else [entries]:
            name, _, role = (part.strip() for part in str(entry).rpartition(":"))
            if not 1 <= len(name) <= 80 or not name.isprintable() or role not in ORDER:
                raise SettingsError(
                    f"{self.origin[key]}: {key} must be a list of name:role, such as Ana:labeller, with one "
                    f"of the roles {', '.join(ORDER)}, not {entry!r}"
                )
            if name.casefold() in found:
                raise SettingsError(f"{self.origin[key]}: {key} names {name} twice")
            found[name.casefold()] = Profile(name, role)
        return tuple(found.values())

    def place(self, key: str, schemes: tuple[str, ...]) -> str:
        value = str(self.values.get(key, "")).strip()
        if value and not _is_address(value, schemes):
            wanted = " or ".join(f"{scheme}://host:port" for scheme in schemes)
            raise SettingsError(f"{self.origin[key]}: {key} must be empty or {wanted}, not {value!r}")
        return value

    def file(self, key: str) -> str:
        value = str(self.values.get(key, "")).strip()
        if value and not Path(value).expanduser().is_file():
            raise SettingsError(f"{self.origin[key]}: {key} must be a PEM file; there is none at {value}")
        return str(Path(value).expanduser().absolute()) if value else ""


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    """Return whether a text is an address of one of `schemes`, with a host and no name or password in it."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    whole = (
        parts.scheme in schemes and bool(parts.hostname) and parts.username is None and value.isprintable()
    )
    return whole and (port is not None or parts.scheme in {"http", "https"}) and " " not in value


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "local engineer"
