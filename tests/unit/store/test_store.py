"""Versions come into the store whole, are found again, and go when they are no longer needed."""

import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError

Add = Callable[[str], Card]


def draft(run: str | None = None) -> CardDraft:
    return CardDraft(task="detect", classes=["cat"], run=run, trained=True)


def test_a_new_store_is_empty_and_serves_nothing(store: Store) -> None:
    assert store.versions() == []
    assert store.target(None) is None
    assert json.loads((store.root / "store.json").read_bytes()) == {"format": 1}


def test_the_first_version_is_promoted_and_later_ones_are_not(store: Store, add: Add) -> None:
    first, second = add("one"), add("two")
    assert [card.sequence for card in store.versions()] == [0, 1]
    assert first.version == f"0-{first.sha256[:8]}"
    assert store.promotion().verdict(second.version) is None
    assert store.target(None) == first.version


def test_a_version_has_its_files_and_nothing_else(store: Store, add: Add) -> None:
    folder = store.folder(add("one").version)
    assert sorted(os.listdir(folder)) == ["card.json", "model.onnx", "weights.pt"]
    assert sorted(os.listdir(store.versions_folder)) == [folder.name]


def test_the_same_run_gives_one_version(store: Store, add: Add) -> None:
    assert add("one") == add("one")
    assert len(store.versions()) == 1


def test_equal_weights_of_two_runs_are_two_versions(store: Store) -> None:
    for run in ("a", "b"):
        with store.staging() as folder:
            (folder / "weights.pt").write_text("same")
            store.commit(folder, draft(run))
    assert [card.sequence for card in store.versions()] == [0, 1]


def test_a_version_without_weights_is_refused(store: Store) -> None:
    with pytest.raises(UserError, match="a version needs its weights"), store.staging() as folder:
        store.commit(folder, draft())
    assert os.listdir(store.versions_folder) == []


def test_a_failed_staging_leaves_nothing(store: Store) -> None:
    def interrupted() -> None:
        with store.staging() as folder:
            (folder / "weights.pt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(store.versions_folder) == []


def test_the_number_of_a_deleted_version_does_not_come_back(store: Store, add: Add) -> None:
    add("one")
    second = add("two")
    store.reject(second.version, reason="worse")
    shutil.rmtree(store.folder(second.version))
    assert add("three").sequence == 2


@pytest.mark.parametrize(
    ("whole", "damaged"), [('"metrics"', "{"), ('"weights": {}', '"weights": {"mAP50": null}')]
)
def test_an_unreadable_card_is_reported_and_hides_no_other(
    store: Store, add: Add, caplog: pytest.LogCaptureFixture, whole: str, damaged: str
) -> None:
    broken, good = add("one"), add("two")
    card = store.folder(broken.version) / "card.json"
    text = card.read_text()
    assert whole in text
    card.write_text(text.replace(whole, damaged))
    with caplog.at_level(logging.WARNING):
        assert store.versions() == [good]
    assert f"{broken.version}/card.json: unreadable" in caplog.text
    assert add("three").sequence == 2


def test_changed_weights_are_noticed(store: Store, add: Add) -> None:
    version = add("one").version
    store.verify(version)
    (store.folder(version) / "model.onnx").write_text("bit rot")
    with pytest.raises(UserError, match=r"model\.onnx: missing or changed"):
        store.verify(version)


def test_the_manifest_comes_before_the_pin_and_the_pin_before_the_promoted(store: Store, add: Add) -> None:
    first, second, third = (add(name).version for name in ("one", "two", "three"))
    store.promote(second, reason="better", metric="mAP50", candidate=0.6, served=0.5)
    assert store.target(None) == second
    store.pin(first)
    assert store.target(None) == first
    assert store.target(third) == third
    store.pin(None)
    assert store.target(None) == second


@pytest.mark.parametrize("version", ["9-00000000", "../../etc", "0", ""])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    store: Store, add: Add, version: str
) -> None:
    first, second = add("one").version, add("two").version
    with pytest.raises(UserError) as refused:
        store.pin(version)
    assert f"it has {first}, {second}" in str(refused.value)
    if version:
        with pytest.raises(UserError, match="is not in"):
            store.target(version)


def test_what_serves_survives_a_restart_and_is_never_the_first_version_by_itself(
    store: Store, add: Add
) -> None:
    second = [add("one"), add("two")][1].version
    store.promote(second)
    again = Store.open(store.root)
    assert again.target(None) == second
    shutil.rmtree(store.folder(second))
    with pytest.raises(UserError, match=f"{second} is not in"):
        again.target(None)


def test_a_roll_back_is_recorded_with_its_reason(store: Store, add: Add) -> None:
    first, second = add("one").version, add("two").version
    store.promote(second)
    store.roll_back(second, reason="crashed")
    assert store.target(None) == first
    assert store.promotion().history[-1].reason == "crashed"


def test_a_damaged_promotion_is_not_taken_for_none(store: Store, add: Add) -> None:
    add("one")
    (store.root / "promoted.json").write_text("{")
    with pytest.raises(UserError, match=r"promoted\.json: unreadable"):
        store.target(None)


def test_a_missing_promotion_does_not_bring_the_first_version_back(store: Store, add: Add) -> None:
    first, second = add("one").version, add("two").version
    store.promote(second)
    (store.root / "promoted.json").unlink()
    for ask in (store.promotion, lambda: store.target(None), lambda: store.promote(first)):
        with pytest.raises(UserError) as refused:
            ask()
        assert "promoted.json: unreadable (No such file or directory)" in str(refused.value)
        assert f"pin the version to serve ({first}, {second}): lsb pin" in str(refused.value)
    assert not (store.root / "promoted.json").exists()


@pytest.mark.parametrize("damage", [None, "{"])
def test_a_pin_begins_a_new_promotion_as_the_refusal_says(store: Store, add: Add, damage: str | None) -> None:
    add("one")
    second = add("two").version
    (store.root / "promoted.json").unlink()
    if damage is not None:
        (store.root / "promoted.json").write_text(damage)
        with pytest.raises(UserError, match=r"or delete it and pin the version"):
            store.pin(second)
        (store.root / "promoted.json").unlink()
    store.pin(second)
    assert Store.open(store.root).target(None) == second
    # Without the pin the first version must not come back either.
    store.pin(None)
    assert store.target(None) == second


def test_a_first_version_that_nobody_has_promoted_yet_is_no_damage(store: Store, add: Add) -> None:
    card = add("one")
    # What a kill between the version's rename and its promotion leaves.
    (store.root / "promoted.json").unlink()
    assert store.target(None) is None
    assert add("one") == card
    assert store.target(None) == card.version


def test_a_store_that_is_gone_is_said_in_a_sentence(store: Store) -> None:
    shutil.rmtree(store.root)
    with pytest.raises(UserError, match=r"versions: cannot be read \(No such file or directory\)"):
        store.target(None)


def test_a_card_of_another_version_is_unreadable(store: Store, add: Add) -> None:
    first, second = add("one"), add("two")
    shutil.copyfile(store.folder(first.version) / "card.json", store.folder(second.version) / "card.json")
    with pytest.raises(UserError, match=rf"{second.version}/card\.json: unreadable .*{first.version}"):
        store.card(second.version)
    assert store.versions() == [first]


def test_pruning_keeps_what_is_needed(store: Store, add: Add) -> None:
    names = [add(str(number)).version for number in range(10)]
    pinned, previous, served, waiting, manifest = names[1], names[2], names[3], names[4], names[5]
    store.promote(previous)
    store.promote(served)
    store.pin(pinned)
    store.await_approval(waiting)
    assert store.prune(2, manifest) == [names[0], names[6], names[7]]
    kept = [card.version for card in store.versions()]
    assert kept == [pinned, previous, served, waiting, manifest, names[8], names[9]]


def test_a_candidate_waits_for_approval_until_the_next_one_is_there(store: Store, add: Add) -> None:
    _, waiting, newest = (add(str(number)).version for number in range(3))
    store.await_approval(waiting)
    assert store.prune(1) == []
    store.await_approval(newest)
    assert store.prune(1) == [waiting]


def test_pruning_to_nothing_keeps_the_newest(store: Store, add: Add) -> None:
    names = [add(str(number)).version for number in range(3)]
    store.prune(0)
    assert [card.version for card in store.versions()] == [names[0], names[2]]


def test_a_store_of_a_newer_release_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 2, "anything": []}')
    with pytest.raises(UserError) as refused:
        Store.open(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'store.json'}: written by a newer release (format 2, this one reads 1): "
        "upgrade lsbackends or use --store"
    )
    assert json.loads((tmp_path / "store.json").read_bytes()) == {"format": 2, "anything": []}


@pytest.mark.parametrize("path", ["file", "file/below", "file/below/deep"])
def test_a_file_cannot_hold_a_store(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("data")
    with pytest.raises(UserError, match="is a file: choose a folder"):
        Store.open(tmp_path / path)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be written"):
        Store.open(Path("/proc/lsbackends"))
