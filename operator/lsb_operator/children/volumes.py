"""The volumes of a backend's pods, each with the one place where it is mounted."""

from collections.abc import Iterable
from dataclasses import dataclass

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.label_studio import LabelStudio, Media
from lsb_crds.references import CertificateBundle, TokenSecret
from lsb_operator import names
from lsb_operator.facts import Manifest

CONFIGURATION = "/etc/lsbackends"
MANIFEST_FILE = f"{CONFIGURATION}/backend.yaml"
VERSION_FILE = f"{CONFIGURATION}/version"
DECISIONS_FILE = f"{CONFIGURATION}/decisions"
STORE = "/var/lib/lsbackends"
MEDIA = "/var/lib/label-studio/media"
TOKEN_FILE = "/var/run/secrets/label-studio/token"  # noqa: S105
BASIC_AUTH_FILE = "/var/run/secrets/basic-auth/credentials"
REDIS_URL_FILE = "/var/run/secrets/redis/url"
CA_FILE = "/etc/ssl/lsbackends/ca.crt"
CREDENTIALS_KEY = "credentials"
VERSION_KEY = "version"
DECISIONS_KEY = "decisions"


@dataclass(frozen=True, slots=True)
class Mounted:
    """A volume of a pod and its mount in the one container."""

    volume: Manifest
    mount: Manifest


def fields(mounted: Iterable[Mounted]) -> tuple[list[Manifest], list[Manifest]]:
    """`volumes` of the pod and `volumeMounts` of the container."""
    known = list(mounted)
    return [one.volume for one in known], [one.mount for one in known]


def configuration(backend: LabelStudioBackend, *more: Manifest) -> Mounted:
    """backend.yaml, and what `more` puts beside it (sources of a projected volume)."""
    # One projected volume: a volume cannot be mounted inside of another one that is read-only.
    source = _config_map(names.config(backend.metadata.name), "backend.yaml")
    volume = {"name": "configuration", "projected": {"sources": [source, *more]}}
    return Mounted(volume, _mount("configuration", CONFIGURATION, read_only=True))


def stamped_version() -> Manifest:
    """The version file of a pod that serves what its template names, for as long as it lives."""
    reference = {"fieldPath": f"metadata.annotations['{names.VERSION}']"}
    return {"downwardAPI": {"items": [{"path": VERSION_KEY, "fieldRef": reference}]}}


def followed_version(backend: LabelStudioBackend) -> Manifest:
    """The version file of a pod that follows the target: the kubelet brings every change."""
    return _config_map(names.model(backend.metadata.name), VERSION_KEY)


def followed_decisions(backend: LabelStudioBackend) -> Manifest:
    """What was decided about versions, for the pod to write into the store; absent before there is any."""
    source = _config_map(names.model(backend.metadata.name), DECISIONS_KEY)
    return {"configMap": source["configMap"] | {"optional": True}}


def weights(claim: str) -> Mounted:
    """The store of versions."""
    volume = {"name": "weights", "persistentVolumeClaim": {"claimName": claim}}
    return Mounted(volume, _mount("weights", STORE))


def temporary() -> Mounted:
    """The one folder of the root file system that can be written to."""
    return Mounted({"name": "tmp", "emptyDir": {}}, _mount("tmp", "/tmp"))  # noqa: S108


def shared_memory(size: str) -> Mounted:
    """Shared memory of `size` bytes; what is in it counts against the container's memory limit."""
    volume = {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": size}}
    return Mounted(volume, _mount("shared-memory", "/dev/shm"))  # noqa: S108


def token(reference: TokenSecret) -> Mounted:
    """Label Studio's token as a file: a changed token arrives without a restart."""
    return secret_file("label-studio-token", reference.name, reference.key, TOKEN_FILE)


def basic_auth(backend: LabelStudioBackend) -> Mounted:
    """What callers must give, as a file."""
    name = names.basic_auth(backend.metadata.name)
    return secret_file("basic-auth", name, CREDENTIALS_KEY, BASIC_AUTH_FILE)


def redis_url(secret: str, key: str) -> Mounted:
    """Where Redis is, with its password, as a file."""
    return secret_file("redis-url", secret, key, REDIS_URL_FILE)


def media(wanted: Media) -> Mounted:
    """Label Studio's media folder; `wanted` names a claim."""
    # Read-only at the volume too: else the kubelet would give Label Studio's files to our group.
    source = {"claimName": wanted.claim_name, "readOnly": True}
    mount = _mount("media", MEDIA, read_only=True)
    if wanted.sub_path is not None:
        mount["subPath"] = wanted.sub_path
    return Mounted({"name": "media", "persistentVolumeClaim": source}, mount)


def certificates(bundle: CertificateBundle) -> Mounted:
    """Certificates of authorities to trust besides the system's."""
    folder, _, file = CA_FILE.rpartition("/")
    source = {"name": bundle.name, "items": [{"key": bundle.key, "path": file}]}
    return Mounted(
        {"name": "certificates", "configMap": source}, _mount("certificates", folder, read_only=True)
    )


def label_studio(spec: LabelStudio) -> list[Mounted]:
    """All that reaches into Label Studio: its token, its media folder, its certificates."""
    return [
        *([token(spec.token_secret_ref)] if spec.token_secret_ref else []),
        *([media(spec.media)] if spec.media and spec.media.claim_name else []),
        *([certificates(spec.ca_bundle)] if spec.ca_bundle else []),
    ]


def secret_file(volume: str, name: str, key: str, path: str) -> Mounted:
    """A key of a Secret as a file, readable by the pod's own user and group."""
    folder, _, file = path.rpartition("/")
    source = {"secretName": name, "items": [{"key": key, "path": file}], "defaultMode": 0o440}
    return Mounted({"name": volume, "secret": source}, _mount(volume, folder, read_only=True))


def _config_map(name: str, key: str) -> Manifest:
    return {"configMap": {"name": name, "items": [{"key": key, "path": key}]}}


def _mount(volume: str, path: str, *, read_only: bool = False) -> Manifest:
    return {"name": volume, "mountPath": path} | ({"readOnly": True} if read_only else {})
