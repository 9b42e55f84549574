"""Every row of the table gets its verdict from the models."""

from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError
from lsb_crds.manifest import parse
from lsb_crds.training import LabelStudioTraining
from lsb_crds.updates import check_backend_update, check_training_update


def verdict(row: Any) -> str:
    """The one line of the refusal, or nothing."""
    try:
        if row.kind == "backend":
            backend = parse(row.manifest, LabelStudioBackend, "")
            if row.old is not None:
                check_backend_update(parse(row.old, LabelStudioBackend, "old"), backend)
        else:
            training = parse(row.manifest, LabelStudioTraining, "")
            if row.old is not None:
                check_training_update(parse(row.old, LabelStudioTraining, "old"), training)
    except UserError as error:
        return str(error).removeprefix(": ")
    return ""


def test_each_manifest_gets_its_verdict(row: Any) -> None:
    found = verdict(row)
    if not row.path:
        assert found == ""
    else:
        assert found.startswith(f"{row.path}: "), found
        assert row.reason in found
        assert "\n" not in found
        assert "ana:" not in found


def test_written_out_and_read_again_nothing_changes(good_row: Any) -> None:
    model = LabelStudioBackend if good_row.kind == "backend" else LabelStudioTraining
    resource = parse(good_row.manifest, model, "")
    assert parse(resource.model_dump(by_alias=True, mode="json"), model, "") == resource
    written = resource.model_dump(by_alias=True, mode="json", exclude_unset=True)
    assert parse(written, model, "") == resource
