"""The settings in force are the safe ones, whatever lies in the folder from which the app is started."""

import http.client
from pathlib import Path

import psutil
import pytest
import websockets
from running import Telltale, visit

HOSTILE = """
[browser]
gatherUsageStats = true
[client]
showErrorDetails = "full"
toolbarMode = "developer"
[server]
address = "0.0.0.0"
enableCORS = false
enableXsrfProtection = false
maxUploadSize = 4000
[theme]
primaryColor = "#123456"
"""


@pytest.fixture(scope="module")
def telltale(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("elsewhere")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(HOSTILE)
    with Telltale(folder / "home") as one:
        yield one.up()


def test_it_listens_on_this_machine_alone(telltale):
    listening = [
        end.laddr.ip
        for one in telltale.family()
        for end in one.net_connections("inet")
        if end.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_the_browser_gets_the_safe_settings_and_our_theme(telltale):
    session = next(one.new_session for one in visit(telltale.port) if one.WhichOneof("type") == "new_session")
    assert not session.config.gather_usage_stats
    assert session.config.toolbar_mode == session.config.MINIMAL
    assert session.custom_theme.light.primary_color == "#26323F"


@pytest.mark.parametrize("origin", ["http://evil.example", "https://share.streamlit.io", "null"])
def test_a_page_of_another_site_can_not_reach_in(telltale, origin):
    with pytest.raises(websockets.InvalidStatus, match="403"):
        visit(telltale.port, origin=origin)


def test_a_name_that_points_here_from_elsewhere_can_not_reach_in(telltale):
    connection = http.client.HTTPConnection("127.0.0.1", telltale.port, timeout=10)
    headers = {
        "Host": f"evil.example:{telltale.port}",
        "Origin": f"http://evil.example:{telltale.port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status == http.client.FORBIDDEN
    connection.close()
