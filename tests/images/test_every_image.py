"""What is true of each image, whatever it is for."""

from collections.abc import Callable

import pytest
from images.build import Built, above_base
from images.catalogue import ALL, Image
from images.container import Container, configuration
from images.engine import Engine

from lsb_crds.release import release

Run = Callable[..., Container]

# Prints what this process could write to, outside of what is mounted.
WRITABLE = """
import os
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = set(folders) - {"proc", "sys", "dev", "tmp"}
    for name in [".", *files]:
        path = os.path.normpath(os.path.join(folder, name))
        if not os.path.islink(path) and os.access(path, os.W_OK):
            print(path)
"""
# Prints the modules of our own that have no bytecode, or bytecode that asks for its source's date.
UNCOMPILED = """
import importlib.util, pathlib, lsb_cli
for source in pathlib.Path(lsb_cli.__file__).parents[1].glob("lsb_*/**/*.py"):
    compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
    if not compiled.exists() or compiled.read_bytes()[4] != 1:
        print(source)
"""
# Prints programs and files that a build needs and nobody else.
LEFTOVERS = """
import glob, shutil
programs = [name for name in ("uv", "gcc", "git") if shutil.which(name)]
files = [path for pattern in ("/run/secrets/*", "/source*", "/opt/[!l]*") for path in glob.glob(pattern)]
print(programs, files)
"""

every_image = pytest.mark.parametrize("image", ALL, ids=lambda image: image.name)


@every_image
def test_it_is_not_larger_than_promised(
    image: Image, built: Callable[[Image], Built], engine: Engine
) -> None:
    size = above_base(engine, built(image))
    print(f"{image.name}: {size:.0f} MB above its base")
    assert 0 < size <= (image.limit or 10_000)


@every_image
def test_it_answers_as_its_release(image: Image, built: Callable[[Image], Built], container: Run) -> None:
    reference = built(image).reference
    version, help_text = container(reference, "--version").run(), container(reference, "--help").run()
    assert (version.code, version.out.strip(), version.err) == (0, f"lsb {release()}", "")
    assert (help_text.code, help_text.err) == (0, "")
    assert "lsb [OPTIONS] COMMAND" in help_text.out


@every_image
def test_it_says_what_it_is(image: Image, built: Callable[[Image], Built], engine: Engine) -> None:
    about = configuration(engine, built(image).reference)
    labels = about["Labels"]
    assert labels["org.opencontainers.image.version"] == release()
    assert labels["org.opencontainers.image.licenses"] == "AGPL-3.0-or-later"
    assert labels["org.opencontainers.image.revision"] not in ("", "unknown")
    assert about["User"] == "1000:1000"
    # Without a shell in between, which would keep SIGTERM for itself.
    assert about["Entrypoint"] == ["lsb"]
    assert about["Healthcheck"]["Test"][0] == "CMD"


@every_image
def test_its_own_user_cannot_change_it(
    image: Image, built: Callable[[Image], Built], python: Callable[..., str]
) -> None:
    """Where the root may be written to, the code stays as it was built all the same."""
    writable = python(built(image).reference, WRITABLE).splitlines()
    code = [path for path in writable if path.startswith(("/opt", "/usr", "/bin", "/lib", "/etc"))]
    # Of root's group, so that a user whom a cluster made up can use it.
    assert set(code) <= {"/etc/lsbackends"}


@every_image
def test_our_code_is_compiled(
    image: Image, built: Callable[[Image], Built], python: Callable[..., str]
) -> None:
    assert python(built(image).reference, UNCOMPILED) == ""


@every_image
def test_nothing_that_built_it_is_left(
    image: Image, built: Callable[[Image], Built], python: Callable[..., str]
) -> None:
    assert python(built(image).reference, LEFTOVERS) == "[] []"
