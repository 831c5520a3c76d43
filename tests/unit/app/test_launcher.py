import socket
from pathlib import Path

from app.launcher import (
    RESTARTS,
    RESTARTS_WITHIN_S,
    Restarts,
    port_is_free,
    streamlit_flags,
    supervisor_command,
    url_of,
)
from app.settings import Settings
from core.jobs.cores import usual_workers


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
    assert flags["runner.magicEnabled"] == flags["runner.postScriptGC"] == "false"
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


def test_the_supervisor_is_told_what_the_settings_say_of_work(tmp_path):
    plain = supervisor_command(Settings(tmp_path), tmp_path)
    assert plain[1:] == [
        "-m",
        "core.jobs.supervisor",
        "--home",
        str(tmp_path),
        "--workers",
        str(usual_workers()),
    ]
    settings = Settings(
        tmp_path,
        workers=3,
        tracking="http://mlflow:5000",
        cluster="tls://scheduler:8786",
        cluster_ca="/a/ca.pem",
        cluster_cert="/a/cert.pem",
        cluster_key="/a/key.pem",
    )
    told = supervisor_command(settings, tmp_path)[3:]
    assert dict(zip(told[::2], told[1::2], strict=True)) == {
        "--home": str(tmp_path),
        "--workers": "3",
        "--tracking": "http://mlflow:5000",
        "--cluster": "tls://scheduler:8786",
        "--cluster-ca": "/a/ca.pem",
        "--cluster-cert": "/a/cert.pem",
        "--cluster-key": "/a/key.pem",
    }


def test_something_is_started_again_a_few_times_and_then_again_only_after_a_while():
    restarts = Restarts()
    assert [restarts.allowed(second) for second in range(RESTARTS + 2)] == [True] * RESTARTS + [False] * 2
    assert not restarts.allowed(RESTARTS_WITHIN_S - 1)
    assert restarts.allowed(RESTARTS_WITHIN_S + 1)
