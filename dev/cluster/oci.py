"""Container images written as archives: layers that are tar files, and what to run in them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Image:
    """`configuration` has OCI's own keys: Entrypoint, Cmd, Env, User, WorkingDir."""

    name: str
    layers: tuple[Path, ...]
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A file, a link (`target`) or a folder (neither content nor target) of a layer."""

    content: bytes | None = None
    target: str | None = None
    mode: int = 0o755
    user: int = 0
    group: int = 0


def write_layer(path: Path, entries: Mapping[str, Entry]) -> Path:
    """Write a layer; the same entries give the same bytes. Names are relative to the root."""
    with tarfile.open(path, "w") as archive:
        for name, entry in sorted(entries.items()):
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid = entry.mode, entry.user, entry.group
            if entry.content is not None:
                info.size = len(entry.content)
            elif entry.target is not None:
                info.type, info.linkname = tarfile.SYMTYPE, entry.target
            else:
                info.type = tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(entry.content or b""))
    return path


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """Write an archive of several images in OCI's layout; a layer that they share is in it once."""
    with tarfile.open(path, "w") as archive:
        layers = {
            layer: _add_layer(archive, layer) for layer in {layer for it in images for layer in it.layers}
        }
        manifests = [_add_image(archive, image, layers) for image in images]
        _add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


Descriptor = dict[str, Any]


def _add_image(archive: tarfile.TarFile, image: Image, layers: Mapping[Path, Descriptor]) -> Descriptor:
    own = [layers[layer] for layer in image.layers]
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": image.configuration,
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in own]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _add_blob(archive, _CONFIGURATION, configuration),
        "layers": own,
    }
    return {
        **_add_blob(archive, _MANIFEST, manifest),
        "annotations": {"io.containerd.image.name": image.name},
    }


def _add_layer(archive: tarfile.TarFile, layer: Path) -> Descriptor:
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    archive.add(layer, f"blobs/sha256/{digest}")
    return {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": layer.stat().st_size}


def _add_blob(archive: tarfile.TarFile, kind: str, content: Mapping[str, Any]) -> Descriptor:
    data = json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    _add(archive, f"blobs/sha256/{digest}", data)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
