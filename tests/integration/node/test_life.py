"""The node itself: images are loaded into it, there is one at a time, and it leaves nothing behind."""

import os
from pathlib import Path

import pytest
from cluster import Cluster, ClusterError, Node, layers
from cluster.oci import Entry, Image, write_archive
from cluster.progress import Progress
from cluster.stand_ins import PYTHON_IMAGE, stand_ins
from node_pods import PATIENCE, Pods, pod_spec

pytestmark = pytest.mark.node
DEV = Path(__file__).parents[3] / "dev"


def test_an_image_that_was_built_elsewhere_is_loaded(pods: Pods, tmp_path: Path) -> None:
    [tools] = [image for image in stand_ins(False, Progress()) if image.name == PYTHON_IMAGE]
    name = f"registry.example.org/made/{pods.namespace}:1"
    mark = layers.files("mark", {"mark": Entry(pods.namespace.encode())})
    write_archive(tmp_path / "image.tar", [Image(name, (*tools.layers, mark), tools.configuration)])
    pods.cluster.load(tmp_path / "image.tar")
    mark.unlink()
    script = "print(open('/mark').read())"
    pods.create("one", {**pod_spec(script, container={"image": name}), "restartPolicy": "Never"})
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/one", PATIENCE)
    assert pods.kubectl("logs", "one").strip() == pods.namespace


def test_what_is_no_image_is_refused_in_one_line(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_text("no image")
    with pytest.raises(ClusterError, match="images import") as caught:
        cluster.load(tmp_path / "image.tar")
    assert "\n" not in str(caught.value)


def test_a_second_node_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=f"{cluster.name}.*one at a time"):
        Cluster.start(f"second-{os.getpid()}", node=Node())
    assert cluster.ready()


def test_a_cluster_without_a_node_runs_beside_it(cluster: Cluster) -> None:
    with Cluster.start(f"beside-{os.getpid()}") as beside, pytest.raises(ClusterError, match="NODE=1"):
        beside.load(Path("image.tar"))
    assert cluster.ready()
