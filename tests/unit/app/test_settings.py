from pathlib import Path

import pytest

from app.roles import Profile
from app.settings import SettingsError, documented, load


def test_defaults_bind_loopback_and_need_no_file(tmp_path: Path) -> None:
    settings = load({"TELLTALE_HOME": str(tmp_path)})
    assert (settings.address, settings.port, settings.home) == ("127.0.0.1", 8501, tmp_path)
    assert settings.profile


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "telltale.toml").write_text('port = 9000\nprofile = "engineer A"\n')
    settings = load({"TELLTALE_HOME": str(tmp_path), "TELLTALE_PORT": "9100"})
    assert (settings.port, settings.profile) == (9100, "engineer A")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prot = 9000", "unknown setting prot"),
        ("port = 0", "port must be a whole number"),
        ("port = true", "port must be a whole number"),
        ("operators = 0", "operators must be a whole number from 1"),
        ('role = "king"', "role must be one of"),
        ("port = ", "not valid TOML"),
        ('profile = " "', "profile must be"),
        ('open_browser = "perhaps"', "open_browser must be true or false"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "telltale.toml").write_text(text)
    with pytest.raises(SettingsError, match=complaint) as caught:
        load({"TELLTALE_HOME": str(tmp_path)})
    assert "telltale.toml" in str(caught.value)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "telltale.toml").write_bytes(b"profile = '\xff'")
    with pytest.raises(SettingsError, match="can't be read"):
        load({"TELLTALE_HOME": str(tmp_path)})


def test_a_misspelt_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TELLTALE_PROT"):
        load({"TELLTALE_HOME": str(tmp_path), "TELLTALE_PROT": "9000"})


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", "::", "example.org"])  # noqa: S104 - it is refused
def test_another_address_is_refused_until_sign_in_exists(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsError, match="sign-in"):
        load({"TELLTALE_HOME": str(tmp_path), "TELLTALE_ADDRESS": address})


def test_every_setting_is_documented_in_the_readme() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for key, variable, _, meaning in documented():
        assert f"`{key}`" in readme
        assert f"`{variable}`" in readme
        assert meaning


def test_without_settings_trainings_run_here_and_are_tracked_here(tmp_path: Path) -> None:
    settings = load({"TELLTALE_HOME": str(tmp_path)})
    assert (settings.workers, settings.tracking, settings.cluster) == (0, "", "")


def pem_files(folder: Path) -> dict[str, str]:
    found = {}
    for name in ("CA", "CERT", "KEY"):
        (folder / name).write_text("-----BEGIN CERTIFICATE-----")
        found[f"TELLTALE_CLUSTER_{name}"] = str(folder / name)
    return found


def test_a_cluster_with_tls_takes_three_files(tmp_path: Path) -> None:
    place = {"TELLTALE_HOME": str(tmp_path), "TELLTALE_CLUSTER": "tls://scheduler:8786"}
    settings = load({**place, **pem_files(tmp_path)})
    assert settings.cluster == "tls://scheduler:8786"
    assert settings.cluster_key == str(tmp_path / "KEY")
    with pytest.raises(SettingsError, match="needs cluster_ca, cluster_cert, cluster_key too"):
        load(place)


def test_tls_files_without_tls_are_refused(tmp_path: Path) -> None:
    place = {"TELLTALE_HOME": str(tmp_path), "TELLTALE_CLUSTER": "tcp://scheduler:8786"}
    with pytest.raises(SettingsError, match="TELLTALE_CLUSTER_CA: cluster_ca is for a cluster at tls://"):
        load({**place, **pem_files(tmp_path)})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("WORKERS", "-1", "workers must be a whole number from 0 to 64"),
        ("WORKERS", "many", "workers must be a whole number"),
        ("CLUSTER", "scheduler:8786", "cluster must be empty or tcp://host:port or tls://host:port"),
        ("CLUSTER", "tcp://scheduler", "cluster must be empty or"),
        ("CLUSTER", "http://scheduler:8786", "cluster must be empty or"),
        ("CLUSTER", "tcp://scheduler:port", "cluster must be empty or"),
        ("TRACKING", "mlflow.example.org", "tracking must be empty or http://host:port or https://"),
        ("TRACKING", "file:///etc", "tracking must be empty or"),
        ("TRACKING", "http://ada:secret@mlflow:5000", "tracking must be empty or"),
        ("TRACKING", "http://mlflow:5000/a b", "tracking must be empty or"),
        ("CLUSTER_CA", "/nowhere/ca.pem", "cluster_ca must be a PEM file; there is none at /nowhere/ca.pem"),
    ],
)
def test_a_bad_place_of_work_is_refused_by_name(
    tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        load({"TELLTALE_HOME": str(tmp_path), f"TELLTALE_{name}": value})
    assert f"TELLTALE_{name}" in str(caught.value)


def test_people_are_named_with_what_they_may_do(tmp_path: Path) -> None:
    (tmp_path / "telltale.toml").write_text('people = ["Ana:labeller", "Ben: trainer"]\n')
    home = {"TELLTALE_HOME": str(tmp_path)}
    assert load(home).people == (Profile("Ana", "labeller"), Profile("Ben", "trainer"))
    assert load({**home, "TELLTALE_PEOPLE": "Cem:viewer,"}).people == (Profile("Cem", "viewer"),)
    assert load({**home, "TELLTALE_PEOPLE": ""}).people == ()


def test_the_local_profile_has_the_role_that_the_list_gives_it(tmp_path: Path) -> None:
    home = {"TELLTALE_HOME": str(tmp_path), "TELLTALE_PROFILE": "Ana"}
    assert load(home).local == Profile("Ana", "admin")
    assert load({**home, "TELLTALE_PEOPLE": "Ana:viewer"}).local == Profile("Ana", "viewer")


@pytest.mark.parametrize(
    ("people", "complaint"),
    [
        ("Ana", "must be a list of name:role"),
        ("Ana:king", "must be a list of name:role"),
        (":viewer", "must be a list of name:role"),
        ("A\x07na:viewer", "must be a list of name:role"),
        ("Ana:viewer,ana:admin", "names ana twice"),
    ],
)
def test_people_without_name_or_role_are_refused(tmp_path: Path, people: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        load({"TELLTALE_HOME": str(tmp_path), "TELLTALE_PEOPLE": people})
    assert "TELLTALE_PEOPLE" in str(caught.value)


@pytest.mark.parametrize("people", ["7", "[7]", "{Ana = 'viewer'}"])
def test_people_of_another_shape_are_refused(tmp_path: Path, people: str) -> None:
    (tmp_path / "telltale.toml").write_text(f"people = {people}\n")
    with pytest.raises(SettingsError, match="must be a list of name:role"):
        load({"TELLTALE_HOME": str(tmp_path)})
