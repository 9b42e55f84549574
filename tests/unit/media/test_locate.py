"""Every form in which Label Studio hands out an image, and every form that must be refused."""

import base64
from pathlib import Path, PurePosixPath

import pytest
from yarl import URL

from lsb_backend.media import MediaError
from lsb_backend.media.error import Reason
from lsb_backend.media.inline import decode_uri
from lsb_backend.media.locate import Inline, LocalFile, Remote, Source, locate, redirected

STUDIO = URL("http://studio.example:8080")
SUB_PATH = URL("https://example.org/label/studio")


def find(
    value: str, studio: URL = STUDIO, hosts: tuple[str, ...] = (), directory: Path | None = None
) -> Source:
    return locate(7, value, studio, hosts, directory)


@pytest.mark.parametrize(
    ("value", "studio", "address"),
    [
        ("/data/upload/1/ab-i.png", STUDIO, "http://studio.example:8080/data/upload/1/ab-i.png"),
        ("/data/upload/1/ab-i.png", SUB_PATH, "https://example.org/label/studio/data/upload/1/ab-i.png"),
        (
            "/label/studio/data/upload/1/ab.png",
            SUB_PATH,
            "https://example.org/label/studio/data/upload/1/ab.png",
        ),
        ("/old/data/upload/1/ab.png", STUDIO, "http://studio.example:8080/data/upload/1/ab.png"),
        ("/data/upload/1/b%20%C3%A4.png", STUDIO, "http://studio.example:8080/data/upload/1/b%20%C3%A4.png"),
        ("/data/upload/1/b ä.png", STUDIO, "http://studio.example:8080/data/upload/1/b%20%C3%A4.png"),
        ("/data/upload/1/100%.png", STUDIO, "http://studio.example:8080/data/upload/1/100%25.png"),
        ("/data/upload/1/a#1.png", STUDIO, "http://studio.example:8080/data/upload/1/a%231.png"),
        (
            "/data/local-files/?d=ds1/im%20g0.png",
            STUDIO,
            "http://studio.example:8080/data/local-files/?d=ds1/im%20g0.png",
        ),
        ("/data/local-files?d=a%2Bb.png", STUDIO, "http://studio.example:8080/data/local-files?d=a%2Bb.png"),
        (
            "http://studio.example:8080/data/local-files/?d=ds1/im%20g0.png",
            STUDIO,
            "http://studio.example:8080/data/local-files/?d=ds1/im%20g0.png",
        ),
        (
            "http://as-people-call-it.example/data/local-files/?d=ds1/a.png",
            STUDIO,
            "http://studio.example:8080/data/local-files/?d=ds1/a.png",
        ),
        (
            "HTTP://Studio.Example:8080/data/upload/1/a.png",
            STUDIO,
            "http://studio.example:8080/data/upload/1/a.png",
        ),
        (
            "https://example.org:443/label/studio/data/upload/1/a.png",
            SUB_PATH,
            f"{SUB_PATH}/data/upload/1/a.png",
        ),
        ("/tasks/3/resolve/?fileuri=czM6Ly9i", SUB_PATH, f"{SUB_PATH}/tasks/3/resolve/?fileuri=czM6Ly9i"),
        (
            "/label/studio/tasks/3/presign/?fileuri=czM6",
            SUB_PATH,
            f"{SUB_PATH}/tasks/3/presign/?fileuri=czM6",
        ),
    ],
)
def test_media_of_label_studio_is_asked_for_with_the_token(value: str, studio: URL, address: str) -> None:
    found = find(value, studio)
    assert isinstance(found, Remote)
    assert (str(found.url), found.trusted) == (address, True)


@pytest.mark.parametrize("uri", ["s3://bucket/imgs/a b.png", "gs://b/ä?.png", "azure-blob://c/x.jpg"])
def test_cloud_files_go_through_the_presign_of_label_studio(uri: str) -> None:
    found = find(uri, SUB_PATH)
    assert isinstance(found, Remote)
    assert found.trusted
    assert found.url.path == "/label/studio/tasks/7/presign/"
    assert base64.urlsafe_b64decode(found.url.query["fileuri"]).decode() == uri


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("https://images.example/a%2Fb.png?sig=%2B", ("images.example",)),
        ("https://IMAGES.example:443/a.png", ("Images.Example",)),
        ("http://minio:9000/a.png", ("other", "minio:9000")),
        ("http://minio:9000/a.png", ("minio",)),
        ("http://[2001:DB8::1]/a.png", ("2001:db8::1",)),
        ("http://[::1]:9000/a.png", ("[::1]:9000",)),
    ],
)
def test_an_allowed_host_is_asked_without_the_token(value: str, hosts: tuple[str, ...]) -> None:
    found = find(value, hosts=hosts)
    assert isinstance(found, Remote)
    assert not found.trusted
    assert found.url.raw_path_qs == URL(value, encoded=True).raw_path_qs


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("http://elsewhere.example/a.png", ()),
        ("http://images.example.evil/a.png", ("images.example",)),
        ("http://evil-images.example/a.png", ("images.example",)),
        ("http://images.example:9001/a.png", ("images.example:9000",)),
        ("http://minio/a.png", ("minio:9000",)),
        ("https://studio.example:8080/data/upload/1/a.png", ()),
        ("http://studio.example/data/upload/1/a.png", ()),
        ("http://169.254.169.254/latest/meta-data", ("images.example",)),
        ("http://studio.example:8080@evil.example/data/upload/1/a.png", ()),
        ("http://user:pw@images.example/a.png", ("images.example",)),
        ("http://evil.example\\@studio.example:8080/data/upload/1/a.png", ()),
        ("http://images.example/a.png", ("*", "", "not a host", ":::")),
    ],
)
def test_a_host_that_nobody_allowed_is_refused(value: str, hosts: tuple[str, ...]) -> None:
    with pytest.raises(MediaError) as refusal:
        find(value, hosts=hosts)
    assert refusal.value.reason is Reason.FORBIDDEN_HOST


def test_the_refusal_of_a_host_names_the_setting_and_no_signature() -> None:
    with pytest.raises(MediaError) as refusal:
        find("https://bucket.example:9000/a.png?X-Amz-Signature=secret")
    assert "add bucket.example:9000 to mediaHosts" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "value",
    [
        "image.png",
        "",
        "C:\\images\\a.png",
        "file:///etc/passwd",
        "ftp://host/a.png",
        "//evil.example/data/upload/1/a.png",
        "/api/tasks/7",
        "http://studio.example:8080/api/tasks/7",
        "http://studio.example:8080/user/logout?next=1",
        "http://",
        "http://host:99999/a.png",
        "http://h/" + "a" * 10_000,
        "/data/upload/1/\ud800.png",
        "s3://bucket/\ud800.png",
        "http://images.example/\ud800.png",
        "data:image/png;base64,\ud800",
    ],
)
def test_what_is_no_address_of_an_image_is_refused(value: str) -> None:
    with pytest.raises(MediaError) as refusal:
        find(value)
    assert refusal.value.reason is Reason.NOT_AN_ADDRESS
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_a_redirect_to_half_a_character_is_refused() -> None:
    with pytest.raises(MediaError) as refusal:
        redirected(Remote(STUDIO, trusted=True), "/data/upload/1/\udce4.png", ())
    assert refusal.value.reason is Reason.NOT_AN_ADDRESS


def test_a_task_cannot_reach_beyond_the_media_by_naming_a_served_path_in_a_query() -> None:
    found = find("/api/tasks/7?x=/data/upload/1/a.png")
    assert isinstance(found, Remote)
    assert found.url.path == "/data/upload/1/a.png"


def test_an_upload_is_looked_for_in_the_mounted_folder_first(tmp_path: Path) -> None:
    found = find("/label/studio/data/upload/1/b%20c.png", SUB_PATH, directory=tmp_path)
    assert found == LocalFile(
        tmp_path,
        PurePosixPath("upload/1/b c.png"),
        Remote(URL(f"{SUB_PATH}/data/upload/1/b%20c.png", encoded=True), trusted=True),
    )


@pytest.mark.parametrize("value", ["/data/local-files/?d=a.png", "s3://b/a.png"])
def test_only_uploads_are_looked_for_in_the_mounted_folder(value: str, tmp_path: Path) -> None:
    assert isinstance(find(value, directory=tmp_path), Remote)


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "1/../../../x", "%2e%2e/%2e%2e/x", "..%2F..%2Fx", "1/..\\..\\x", "1/%00.png"],
)
def test_a_path_out_of_the_media_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError) as refusal:
        find(f"/data/upload/{path}", directory=tmp_path)
    assert refusal.value.reason is Reason.FORBIDDEN_PATH


def test_a_data_uri_holds_its_image() -> None:
    encoded = base64.b64encode(b"picture").decode()
    found = find(f"data:image/png;base64,{encoded}")
    assert isinstance(found, Inline)
    assert decode_uri(found.uri, 7) == b"picture"
    assert decode_uri(found.uri.rstrip("="), 7) == b"picture"
    assert decode_uri("data:image/svg+xml,%3Csvg%3E", 5) == b"<svg>"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("data:image/png;base64", Reason.NOT_AN_ADDRESS),
        ("data:image/png;base64,%%%", Reason.NOT_AN_IMAGE),
        ("data:image/png;base64,QUJDREVGR0g=", Reason.TOO_LARGE),
        ("data:,12345678", Reason.TOO_LARGE),
        ("data:," + "a" * 1000, Reason.TOO_LARGE),
    ],
)
def test_a_broken_or_large_data_uri_is_refused(uri: str, reason: Reason) -> None:
    with pytest.raises(MediaError) as refusal:
        decode_uri(uri, 7)
    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("start", "trusted", "location", "hosts", "end", "still_trusted"),
    [
        (STUDIO / "data", True, "/data/x?d=1", (), "http://studio.example:8080/data/x?d=1", True),
        (
            STUDIO / "data",
            True,
            "http://minio:9000/b/a%20b?s=%2B",
            (),
            "http://minio:9000/b/a%20b?s=%2B",
            False,
        ),
        (
            STUDIO / "data",
            True,
            "https://studio.example:8080/data",
            (),
            "https://studio.example:8080/data",
            False,
        ),
        (URL("http://a.example/x"), False, "y", (), "http://a.example/y", False),
        (URL("http://a.example/x"), False, "http://b.example/", ("b.example",), "http://b.example/", False),
    ],
)
def test_a_redirect_keeps_the_token_at_label_studio(
    start: URL, trusted: bool, location: str, hosts: tuple[str, ...], end: str, still_trusted: bool
) -> None:
    target = redirected(Remote(start, trusted), location, hosts)
    assert (str(target.url), target.trusted) == (end, still_trusted)


@pytest.mark.parametrize(
    "location", ["http://studio.example:8080/data/upload/1/a.png", "//b.example/", "file:///etc/passwd"]
)
def test_another_host_may_not_send_us_anywhere(location: str) -> None:
    with pytest.raises(MediaError):
        redirected(Remote(URL("http://a.example/x"), trusted=False), location, ("a.example",))
