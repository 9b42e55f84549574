"""The examples, as they are in the repository: what they promise is what is built."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lsb_crds.manifest import load_backend
from lsb_operator.facts import Manifest

EXAMPLES = Path(__file__).parents[4] / "examples"
Built = Callable[..., dict[tuple[str, str], Manifest]]


@pytest.mark.parametrize("example", ["ingress-nginx", "gateway-api"])
def test_the_path_that_is_routed_is_the_one_that_is_served(example: str, built: Built) -> None:
    children = built(load_backend(EXAMPLES / example / "backend.yaml"))
    (container,) = children["Deployment", "cats-and-dogs"]["spec"]["template"]["spec"]["containers"]
    words = container["command"]
    assert words[words.index("--root-path") + 1] == "/cats"


def test_the_ingress_has_the_path_and_the_annotations(built: Built) -> None:
    backend = load_backend(EXAMPLES / "ingress-nginx" / "backend.yaml")
    ingress = built(backend)["Ingress", "cats-and-dogs"]
    (rule,) = ingress["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/cats"]
    assert not any("rewrite" in key for key in ingress["metadata"]["annotations"])
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"] == "64m"


def test_the_route_leads_to_the_service(built: Built) -> None:
    route = yaml.safe_load((EXAMPLES / "gateway-api" / "httproute.yaml").read_text())
    children = built(load_backend(EXAMPLES / "gateway-api" / "backend.yaml"))
    (rule,) = route["spec"]["rules"]
    (reference,) = rule["backendRefs"]
    service = children["Service", reference["name"]]
    assert reference["port"] in [port["port"] for port in service["spec"]["ports"]]
    assert not any(kind == "Ingress" for kind, _ in children)
