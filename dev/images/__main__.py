"""`python -m images build [operator,serve,train]`: build the project's images."""

import argparse
import sys

from images.base import OFFICIAL
from images.build import Wanted, above_base, build
from images.catalogue import ALL, chosen
from images.engine import NAMES, find
from images.errors import ImageError
from lsb_crds.release import release
from lsb_crds.resolve import REGISTRY


def main() -> int:
    """Build what is asked for; the exit code is 0 if all of it is there."""
    arguments = _arguments()
    try:
        _build(arguments)
    except ImageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _build(arguments: argparse.Namespace) -> None:
    images = tuple(chosen(arguments.images))
    engine = find(arguments.engine)
    wanted = Wanted(images, arguments.registry, arguments.tag, arguments.base, arguments.torch)
    lines = []
    for built in build(engine, wanted):
        size = f"{above_base(engine, built):.0f} MB above {built.base}" if engine.runs else f"on {built.base}"
        lines.append(f"{built.reference}  {size}")
    print("\n".join(lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="images", description="The project's container images.")
    build_command = parser.add_subparsers(dest="command", required=True).add_parser(
        "build", help="build images"
    )
    names = ",".join(image.name for image in ALL)
    build_command.add_argument("images", nargs="?", default=names, help=f"which ones [{names}]")
    build_command.add_argument("--engine", choices=NAMES, help="with what [the first that works]")
    build_command.add_argument(
        "--base",
        default="auto",
        help=f"image to build on; `stand-in`: Debian's packages; auto: {OFFICIAL}, else the stand-in [auto]",
    )
    build_command.add_argument("--torch", choices=("cpu", "cuda"), default="cuda", help="in `train` [cuda]")
    build_command.add_argument("--registry", default=REGISTRY, help=f"before the names [{REGISTRY}]")
    build_command.add_argument("--tag", help=f"after them [the release, {release()}]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
