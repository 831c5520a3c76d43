from pathlib import Path

import pytest

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
