"""A server that no operator looks after shares its counts by Redis too, as the one of compose.yaml does."""

from pathlib import Path

import pytest
from redis_server import RedisServer
from serving import ServingProcess, until

NOBODY = "http://127.0.0.1:9"


def test_redis_is_used_told_when_it_is_away_and_used_again(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path).start()
    url = tmp_path / "redis-url"
    url.write_text(redis.url + "\n")
    server = ServingProcess(
        tmp_path / "server", NOBODY, "token", {"model": {"task": "dummy"}}, f"--redis-url-file={url}"
    )
    try:
        server.start()
        redis.kill()
        until(lambda: server.ask("/status")["redis"], "Redis is missed")
        assert "each replica counts for itself" in server.ask("/status")["redis"]["message"]
        assert server.ready()
        redis.start()
        until(lambda: server.ask("/status")["redis"] is None, "Redis is used again")
    finally:
        server.stop()
        redis.kill()


def test_what_the_operator_decided_needs_an_operator(tmp_path: Path) -> None:
    server = ServingProcess(
        tmp_path / "server",
        NOBODY,
        "token",
        {"model": {"task": "dummy"}},
        f"--decisions-file={tmp_path / 'x'}",
    )
    with pytest.raises(RuntimeError, match="--decisions-file is for pods: it goes with --version-file"):
        server.start()
