"""The walls that import-linter can't see."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "pages", "core", "warehouse", "benchmarks")
SOUP = {"utils", "util", "helpers", "helper", "manager", "service", "enhanced", "fixed", "common", "misc"}
LATE = {"tensorflow": ("core/networks/",), "keras": ("core/networks/",), "mlflow": ("core/registry/",)}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield (top-level package, imported inside a function or for a type checker alone)."""
    inside = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and ast.unparse(outer.test) == "TYPE_CHECKING")
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in names:
            yield name.split(".")[0], id(node) in inside


def test_files_stay_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    tests = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "tests").rglob("*.py")
    }
    assert {str(path): n for path, n in {**lengths, **tests}.items() if n > 400} == {}
    assert median(lengths.values()) < 150


def test_no_file_is_named_for_nothing() -> None:
    words = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in sources()}
    assert [str(path) for path, parts in words.items() if parts & SOUP] == []


def test_files_of_app_do_not_shadow_standard_modules() -> None:
    """Streamlit puts app/ on sys.path."""
    names = {path.stem for path in (ROOT / "app").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("package", sorted(LATE))
def test_heavy_libraries_are_imported_late_and_in_their_room(package: str) -> None:
    for path in sources():
        where = path.relative_to(ROOT).as_posix()
        for name, late in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name == package:
                assert where.startswith(LATE[package]), f"{where} imports {package}"
                assert late, f"{where} imports {package} when it is loaded"


def test_core_never_reads_the_wall_clock() -> None:
    for path in sorted((ROOT / "core").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for call in ("datetime.now(", "time.time(", "utcnow("):
            assert call not in text, f"{path} calls {call}"


def test_nothing_near_a_model_is_pickled() -> None:
    for path in sources():
        for name, _ in imports(ast.parse(path.read_text(encoding="utf-8"))):
            assert name not in {"pickle", "joblib", "cloudpickle", "dill"}, path


def test_the_screens_load_neither_tensorflow_nor_mlflow() -> None:
    code = (
        "import sys, importlib, pkgutil, app\n"
        "for m in pkgutil.walk_packages(app.__path__, 'app.'):\n"
        "    if m.name not in ('app.main', 'app.server'):\n"
        "        importlib.import_module(m.name)\n"
        "bad = [n for n in ('tensorflow', 'keras', 'mlflow') if n in sys.modules]\n"
        "sys.exit(', '.join(bad) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
