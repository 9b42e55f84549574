"""Things that the spec refers to and that do not exist, found without reading a single Secret."""

import re
from collections.abc import Iterable, Iterator

from lsb_operator.facts import PodFacts
from lsb_operator.failures.failure import Failure
from lsb_operator.failures.scheduling import missing_claims
from lsb_operator.reasons import Reason

_OBJECT = re.compile(r'\b(secret|configmap) "([^"]+)" not found')
_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) \S*?/(\S+)")
_MOUNTED_KEY = re.compile(r'for volume "([^"]+)".*references non-existent (?:secret|config) key: (\S+)')
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_COMMANDS = {
    "Secret": "kubectl -n {namespace} create secret generic {name} --from-literal={key}=VALUE",
    "ConfigMap": "kubectl -n {namespace} create configmap {name} --from-file={key}=FILE",
}


def missing(pods: Iterable[PodFacts], namespace: str) -> tuple[str, ...]:
    """What the pods wait for, such as "Secret studio/label-studio key token", without repeats."""
    found = dict.fromkeys(one for pod in pods if not pod.deleting for one in _of(pod))
    return tuple(f"{kind} {namespace}/{name}{key}" for kind, name, key in found)


def _of(pod: PodFacts) -> Iterator[tuple[str, str, str]]:
    words = " ".join(filter(None, (pod.waiting.message if pod.waiting else None, pod.mount)))
    for kind, name in _OBJECT.findall(words):
        yield _KINDS[kind], name, ""
    for key, kind, name in _KEY.findall(words):
        yield kind, name.rstrip(".,"), f" key {key}"
    for volume, key in _MOUNTED_KEY.findall(words):
        kind, _, name = pod.volumes.get(volume, f"Volume {volume}").partition(" ")
        yield kind, name, f" key {key.rstrip('.,')}"
    for name in missing_claims(pod):
        yield "PersistentVolumeClaim", name, ""


def reference(thing: str) -> Failure:
    """The failure for one entry of `missing`: kind, namespace/name, and the key if it is that."""
    kind, _, rest = thing.partition(" ")
    path, _, key = rest.partition(" key ")
    namespace, slash, name = path.rpartition("/")
    what = f"{kind} {path} has no key {key}" if key else f"{kind} {path} does not exist"
    command = _COMMANDS.get(kind)
    if command is None or not slash:
        remedy = f"create it, or correct its name in the spec (kubectl get {kind.lower()} shows them)"
    elif key:
        remedy = "add the key to it, or correct the key in the spec; nothing has to be restarted then"
    else:
        filled = command.format(namespace=namespace, name=name, key="KEY")
        remedy = f"create it ({filled}), or correct its name in the spec; nothing has to be restarted then"
    return Failure(Reason.REFERENCE_MISSING, what, remedy, stalled=True)
