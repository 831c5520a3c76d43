import io
import struct

import numpy as np
import pytest

from warehouse.errors import SourceError
from warehouse.sources import npy
from warehouse.sources.npy import read_array


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def with_header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin-1") + data


def header(descr: str = "'<f8'", order: str = "False", shape: str = "(2, 3)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


ARRAY = np.array([[1.5, np.nan, -np.inf], [0.1, -0.0, 5e-324]])


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_value_is_kept_exactly(dtype: str, order: str) -> None:
    array = np.array(ARRAY, dtype=dtype, order=order)  # type: ignore[call-overload]
    read = read_array(io.BytesIO(saved(array)), "x")
    assert read.dtype == np.float64
    assert read.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(read, array.astype(np.float64))
    np.testing.assert_array_equal(np.signbit(read), np.signbit(array))


def test_version_two_headers_are_read() -> None:
    text = header()
    data = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text.encode() + ARRAY.tobytes()
    np.testing.assert_array_equal(read_array(io.BytesIO(data), "x"), ARRAY)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not an npy file"),
        (b"PK\x03\x04" + b"0" * 100, "is not an npy file"),
        (saved(ARRAY)[:6], "is not an npy file"),
        (b"\x93NUMPY\x09\x00" + b"0" * 100, r"npy version 9\.0 is not known"),
        (saved(ARRAY)[:60], "is truncated"),
        (saved(ARRAY)[:-1], "is truncated, 1 of 48 bytes are missing"),
        (saved(ARRAY) + b"0", "holds more bytes than its header states"),
        (saved(np.array([[{}, 1]], dtype=object)), r"'\|O' \(pickled Python objects\); only plain floats"),
        (saved(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])), "values of type a record"),
        (saved(np.array([[1, 2]])), "values of type '<i8'"),
        (saved(np.array([["a"]])), "values of type '<U1'"),
        (saved(np.array([[1 + 2j]])), "values of type '<c16'"),
        (saved(np.array([1.0, 2.0])), r"has shape \(2,\)"),
        (saved(np.array(1.0)), r"has shape \(\)"),
        (saved(np.zeros((2, 3, 4))), r"has shape \(2, 3, 4\)"),
        (saved(np.zeros((0, 3))), r"has shape \(0, 3\); from 1 x 1"),
        (with_header(header(shape="(999999999999, 2)")), r"has shape \(999999999999, 2\); from 1 x 1"),
        (with_header(header(shape="(5000000, 512)")), "50,000,000 values are read"),
        (with_header(header(shape="(-1, 2)")), "npy header is damaged"),
        (with_header(header(shape="__import__('os')")), "npy header is damaged"),
        (with_header("not a header at all"), "npy header is damaged"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "npy header of 2147483647 bytes"),
    ],
)
def test_what_is_no_plain_float_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=f"^member: .*{message}"):
        read_array(io.BytesIO(data), "member")


def test_a_promise_of_gigabytes_reserves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy, "MAX_CELLS", 10**12)
    data = with_header(header(shape="(5000000, 500)"), b"few")
    with pytest.raises(SourceError, match="is truncated, 19999999997 of 20000000000 bytes are missing"):
        read_array(io.BytesIO(data), "member")
