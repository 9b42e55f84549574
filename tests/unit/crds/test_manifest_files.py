"""Files that are not a manifest, or more than one, each refused in one line that says what to do."""

import os
from pathlib import Path

import pytest

from lsb_crds.manifest import ManifestError, load_backend, load_training

BACKEND = """\
apiVersion: lsbackends.dev/v1alpha1
kind: LabelStudioBackend
metadata: {name: cats}
spec: {labelStudio: {url: "http://localhost:8080"}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def refusal(folder: Path, content: str | bytes) -> str:
    """What `load_backend` says about a file with this content, after the file's name."""
    path = folder / "backend.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ManifestError) as caught:
        load_backend(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line.removeprefix(str(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", ": is empty; it must hold a LabelStudioBackend", id="empty"),
        pytest.param("# nothing\n---\n", ": is empty", id="comments only"),
        pytest.param("just text", ": holds 'just text' where an object", id="a scalar"),
        pytest.param("- a\n- b\n", ": holds a list where an object", id="a list"),
        pytest.param(f"{BACKEND}---\n- a\n", " (document 2): holds a list", id="a list beside ours"),
        pytest.param(
            "spec: {labelStudio: {}}", ": kind is missing; must be LabelStudioBackend", id="no kind"
        ),
        pytest.param(SECRET, ": holds no LabelStudioBackend, but 'Secret'", id="another kind"),
        pytest.param("kind: LabelstudioBackend", "did you mean 'LabelStudioBackend'?", id="typo in the kind"),
        pytest.param(
            f"{BACKEND}---\n{BACKEND.replace('cats', 'dogs')}",
            ": holds 2 objects of kind LabelStudioBackend ('cats', 'dogs')",
            id="two of ours",
        ),
        pytest.param(
            BACKEND.replace("v1alpha1", "v1"),
            ": apiVersion is 'lsbackends.dev/v1'; this release supports lsbackends.dev/v1alpha1",
            id="a version to come",
        ),
        pytest.param("kind: LabelStudioBackend", ": apiVersion is missing", id="no version"),
        pytest.param("spec: {labelStudio: [}", ", line 1, column 22: ", id="not YAML"),
        pytest.param("a:\n\tb: 1", ", line 2, column 1: ", id="a tab"),
        pytest.param("a: \x01", ": not YAML: ", id="a control character"),
        pytest.param(
            BACKEND + "kind: Other\n", ", line 5, column 1: the key 'kind' is there twice", id="key twice"
        ),
        pytest.param(
            "a: {b: 1, b: 2}", ", line 1, column 11: the key 'b' is there twice", id="key twice inside"
        ),
        pytest.param(
            "on: 1", ", line 1, column 1: a key must be text, and on is not", id="a key that is not text"
        ),
        pytest.param("? [a]\n: 1", "a key must be text, and a list or mapping is not", id="a list for a key"),
        pytest.param(
            "a: !!python/object/apply:os.getcwd []", "could not determine a constructor", id="a program"
        ),
        pytest.param("a: .nan", "column 4: .nan is not a number that a manifest can hold", id="NaN"),
        pytest.param("a: !!int x", ": a value is not what its tag or form says", id="a false tag"),
        pytest.param("a: *b", "the alias *b has no anchor before it", id="an alias of nothing"),
        pytest.param("a: &a [*a]", "the alias *a has no anchor before it", id="an alias of itself"),
        pytest.param(BOMB, "more than 20000 values, aliases included", id="an explosion of aliases"),
        pytest.param("[" * 100_000, "nested deeper than 64 levels", id="a deep nest"),
        pytest.param(b"\xff\xfea\x00", ": is not UTF-8 text (byte 0)", id="UTF-16"),
        pytest.param(b"a: \x80", ": is not UTF-8 text (byte 3)", id="Latin-1"),
        pytest.param("#" * (1024 * 1024 + 1), ": is greater than 1 MiB", id="too great"),
    ],
)
def test_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refusal(tmp_path, content)


def test_several_errors_are_counted(tmp_path: Path) -> None:
    line = refusal(tmp_path, BACKEND.replace("{labelStudio", "{suspend: 1, redis: 2, labelStudio"))
    assert line == ": spec.redis: is 2, must be an object (field: value) (and 1 more)"


def test_a_typo_is_named_before_the_field_that_is_missing_for_it(tmp_path: Path) -> None:
    line = refusal(tmp_path, BACKEND.replace("url:", "ulr:"))
    assert line == ": spec.labelStudio.ulr: there is no such field; did you mean 'url'? (and 1 more)"


def test_a_password_is_not_repeated(tmp_path: Path) -> None:
    line = refusal(tmp_path, BACKEND.replace("http://localhost", "http://ana:hunter2@localhost"))
    assert "hunter2" not in line
    assert "'http://***@localhost:8080'" in line


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, BACKEND.replace("http://localhost", "x" * 10_000))) < 250


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"backend\.yaml: there is no such file$"):
        load_backend(tmp_path / "backend.yaml")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"is a folder; name the manifest in it$"):
        load_backend(tmp_path)


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ManifestError, match=f"cannot be read: {os.strerror(20)}$"):
        load_backend(tmp_path / "file" / "backend.yaml")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(BACKEND, id="alone"),
        pytest.param(f"{SECRET}---\n{BACKEND}---\n{SECRET}", id="between objects of other kinds"),
        pytest.param(f"---\n---\n{BACKEND}---\n# the end\n", id="between empty documents"),
        pytest.param("\ufeff" + BACKEND, id="with a byte order mark"),
        pytest.param(BACKEND.replace("\n", "\r\n"), id="with Windows' line ends"),
        pytest.param(
            BACKEND.replace("{name: cats}", "\n  <<: {namespace: a}\n  name: cats"), id="with a merge"
        ),
    ],
)
def test_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "backend.yaml"
    path.write_bytes(content.encode())
    assert load_backend(path).metadata.name == "cats"


def test_scalars_are_read_as_kubectl_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "backend.yaml"
    arguments = (
        "{lr0: 1e-3, momentum: 0.9, at: 12:30, day: 2026-01-31, amp: no, seed: 7, nothing: ~, hex: 0x10}"
    )
    path.write_text(BACKEND.replace("{labelStudio", f"{{training: {{arguments: {arguments}}}, labelStudio"))
    assert load_backend(path).spec.training.arguments == {
        "lr0": 0.001,
        "momentum": 0.9,
        "at": "12:30",
        "day": "2026-01-31",
        "amp": False,
        "seed": 7,
        "nothing": None,
        "hex": 16,
    }


def test_an_anchor_may_be_used(tmp_path: Path) -> None:
    path = tmp_path / "backend.yaml"
    path.write_text(
        BACKEND.replace(
            "{labelStudio",
            "{serving: {nodeSelector: &gpu {a: b}}, training: {nodeSelector: *gpu}, labelStudio",
        )
    )
    assert load_backend(path).spec.training.node_selector == {"a": "b"}


def test_training(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(
        f"{BACKEND}---\napiVersion: lsbackends.dev/v1alpha1\nkind: LabelStudioTraining\n"
        "metadata: {name: by-hand}\nspec: {backend: cats}\n"
    )
    assert load_training(path).spec.backend == "cats"
