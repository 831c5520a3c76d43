import socket
from pathlib import Path

from app.launcher import port_is_free, streamlit_flags, url_of
from app.settings import Settings


def test_every_safe_setting_is_a_flag_that_streamlit_knows():
    from streamlit import config

    flags = dict(flag.removeprefix("--").split("=", 1) for flag in streamlit_flags(Settings(Path("home"))))
    known = config.get_config_options()
    assert set(flags) <= set(known)
    assert flags["server.address"] == "127.0.0.1"
    assert flags["browser.gatherUsageStats"] == "false"
    assert flags["server.enableXsrfProtection"] == flags["server.enableCORS"] == "true"
    assert flags["server.maxUploadSize"] == "50"
    assert flags["client.showErrorDetails"] == "none"
    assert flags["server.fileWatcherType"] == "none"
    assert flags["runner.magicEnabled"] == "false"
    assert flags["client.toolbarMode"] == "minimal"


def test_a_port_that_is_listened_on_is_not_free():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        other.listen()
        assert not port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", port)


def test_the_address_as_it_stands_in_a_browser():
    assert url_of(Settings(Path("home"), port=8600)) == "http://127.0.0.1:8600"
    assert url_of(Settings(Path("home"), address="::1")) == "http://[::1]:8501"
