"""Whether a server makes a first version before it serves."""

import sys
from pathlib import Path

import pytest

from lsb_backend.serve.prepare import prepare
from lsb_backend.serve.status import Status
from lsb_backend.store.card import CardDraft
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError


async def test_a_lost_promotion_is_no_reason_to_make_a_first_version(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    for run in ("prepare-detect", "after-0"):
        with store.staging() as staging:
            (staging / "weights.pt").write_text(run)
            store.commit(staging, CardDraft(task="detect", classes=[], run=run, trained=True))
    (store.root / "promoted.json").unlink()
    touched = tmp_path / "prepared"
    command = [sys.executable, "-c", f"open({str(touched)!r}, 'w')"]
    with pytest.raises(UserError, match=r"promoted\.json: unreadable .* lsb pin"):
        await prepare(store, "detect", command, Status())
    assert not touched.exists()
