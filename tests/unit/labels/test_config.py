"""Label configs as people write them, and those that cannot work."""

import pytest

from lsb_backend.labels.config import (
    MAXIMUM_BYTES,
    Control,
    Label,
    LabelConfigError,
    parse,
    usable,
)

IMAGE = '<Image name="image" value="$image"/>'
RECTANGLES = (
    '<RectangleLabels name="label" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>'
)


def view(*tags: str) -> str:
    return f"<View>{''.join(tags)}</View>"


def labelled(tag: str, name: str = "label", to_name: str = "image") -> str:
    return f'<{tag} name="{name}" toName="{to_name}"><Label value="cat"/></{tag}>'


def refusal(xml: str, task: str = "detect") -> str:
    with pytest.raises(LabelConfigError) as caught:
        usable(parse(xml), task)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_reads_control_names_data_key_and_labels_in_order() -> None:
    assert parse(view(IMAGE, RECTANGLES)).controls == (
        Control("label", "image", "RectangleLabels", "image", (Label("cat"), Label("dog"))),
    )


def test_control_may_come_before_its_image_and_deep_inside_views() -> None:
    xml = view("<View><View style='x'>", RECTANGLES, "</View></View>", "<View>", IMAGE, "</View>")
    assert [control.name for control in usable(parse(xml), "detect")] == ["label"]


def test_names_with_spaces_and_other_letters_are_kept() -> None:
    xml = view(
        '<Image name="my image" value="$my picture"/>',
        '<RectangleLabels name="Größe 1" toName="my image"><Label value="red cat"/></RectangleLabels>',
    )
    (control,) = usable(parse(xml), "detect")
    assert (control.name, control.to_name, control.data_key) == ("Größe 1", "my image", "my picture")


def test_a_label_with_an_alias_is_known_by_it_and_predicted_by_what_it_reads() -> None:
    xml = view(
        IMAGE,
        '<RectangleLabels name="label" toName="image"><Label value="cat" alias="c1"/></RectangleLabels>',
    )
    assert parse(xml).controls[0].labels == (Label("c1", ("cat",)),)


def test_predicted_values_are_a_list_with_commas() -> None:
    xml = view(
        IMAGE,
        '<RectangleLabels name="l" toName="image"><Label value="car" predicted_values="truck, bus ,,"/>'
        "</RectangleLabels>",
    )
    assert parse(xml).controls[0].labels == (Label("car", ("truck", "bus")),)


def test_several_images_each_keep_their_own_data_key() -> None:
    xml = view(
        '<Image name="front" value="$front"/><Image name="back" value="$views.back"/>',
        labelled("RectangleLabels", "f", "front"),
        labelled("RectangleLabels", "b", "back"),
    )
    assert {c.name: c.data_key for c in usable(parse(xml), "detect")} == {"f": "front", "b": "views.back"}


def test_other_controls_are_left_alone() -> None:
    xml = view(
        IMAGE,
        '<Choices name="weather" toName="image"><Choice value="sun"/></Choices>',
        '<TextArea name="note" toName="image"/>',
        '<Rating name="stars" toName="image"/>',
        labelled("PolygonLabels", "poly"),
        RECTANGLES,
    )
    assert [control.name for control in usable(parse(xml), "detect")] == ["label"]
    assert [control.name for control in usable(parse(xml), "segment")] == ["poly"]
    assert [control.name for control in usable(parse(xml), "dummy")] == ["weather", "poly", "label"]


def test_an_unusable_control_does_not_spoil_a_usable_one() -> None:
    xml = view(
        IMAGE, '<Text name="text" value="$text"/>', RECTANGLES, labelled("RectangleLabels", "t", "text")
    )
    assert [control.name for control in usable(parse(xml), "detect")] == ["label"]


@pytest.mark.parametrize(
    "tag", ["BrushLabels", "EllipseLabels", "KeyPointLabels", "PolygonLabels", "VideoRectangle"]
)
def test_a_config_without_a_usable_control_names_what_it_has_and_needs(tag: str) -> None:
    message = refusal(view(IMAGE, labelled(tag)))
    assert "<RectangleLabels>" in message
    assert f'<{tag} name="label">' in message


def test_the_task_that_would_fit_is_named() -> None:
    assert "model.task segment" in refusal(view(IMAGE, labelled("PolygonLabels")))
    assert "(for model.task detect)" in refusal(view(IMAGE, RECTANGLES), "segment")


def test_rectangle_and_labels_as_a_pair_are_refused_with_the_tag_to_use() -> None:
    xml = view(IMAGE, '<Rectangle name="r" toName="image"/>', labelled("Labels", "l"))
    assert '<Rectangle name="r">' in refusal(xml)
    assert "Add <RectangleLabels>" in refusal(xml)


@pytest.mark.parametrize("target", ["Video", "Audio", "Text"])
def test_a_control_on_something_other_than_an_image_is_refused(target: str) -> None:
    message = refusal(view(f'<{target} name="image" value="$image"/>', RECTANGLES))
    assert f"is on a <{target}>" in message


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ('<Image name="image" valueList="$pages"/>', "valueList"),
        ('<Image name="image" value="http://host/a.png"/>', "names no key"),
        ('<Image name="image" value="$"/>', "names no key"),
        ('<Image name="image"/>', "names no key"),
        ('<Image name="other" value="$image"/>', "points at a tag that is not there"),
    ],
)
def test_an_image_that_is_not_one_of_the_task_is_refused(image: str, reason: str) -> None:
    assert reason in refusal(view(image, RECTANGLES))


def test_controls_that_are_repeated_for_a_list_of_images_are_refused() -> None:
    repeated = (
        '<Repeater on="$pages" indexFlag="{{idx}}"><Image name="page_{{idx}}" value="$pages[{{idx}}]"/>'
        + labelled("RectangleLabels", "label_{{idx}}", "page_{{idx}}")
        + "</Repeater>"
    )
    assert "is in a <Repeater>" in refusal(view(repeated))
    assert [control.name for control in usable(parse(view(IMAGE, repeated, RECTANGLES)), "detect")] == [
        "label"
    ]


def test_labels_from_the_task_are_refused() -> None:
    xml = view(IMAGE, '<RectangleLabels name="label" toName="image" value="$options"/>')
    assert "lists no labels" in refusal(xml)


def test_an_empty_view_says_that_it_has_no_control() -> None:
    assert "no control tag at all" in refusal("<View/>")


@pytest.mark.parametrize("task", ["classify", "pose", "nonsense"])
def test_a_task_that_is_not_served_is_refused_by_name(task: str) -> None:
    assert "not served by this release" in refusal(view(IMAGE, RECTANGLES), task)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("", "not well-formed"),
        ("<View>", "not well-formed"),
        ("just text", "not well-formed"),
        ("<View>\ud800</View>", "refused"),
        (view(IMAGE, RECTANGLES, RECTANGLES), "'label' twice"),
        (view(IMAGE, IMAGE, RECTANGLES), "'image' twice"),
        (view("<!--", "x" * MAXIMUM_BYTES, "-->"), "larger than 1024 KiB"),
        (view("<!--", "ä" * (MAXIMUM_BYTES // 2), "-->"), "larger than 1024 KiB"),
    ],
)
def test_unreadable_configs_are_refused_in_one_line(xml: str, reason: str) -> None:
    assert reason in refusal(xml)


def test_entity_bombs_are_refused_unread() -> None:
    bomb = '<!DOCTYPE v [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><View>&b;</View>'
    assert "entities" in refusal(bomb)
    outside = '<!DOCTYPE v [<!ENTITY a SYSTEM "file:///etc/passwd">]><View>&a;</View>'
    assert "entities" in refusal(outside)


def test_very_deep_nesting_is_survived() -> None:
    depth = 70_000
    assert "no control tag" in refusal("<View>" * depth + "</View>" * depth)


def test_an_xml_declaration_is_accepted() -> None:
    assert parse(f'<?xml version="1.0" encoding="UTF-8"?>{view(IMAGE, RECTANGLES)}').controls


def test_of_twenty_thousand_unusable_controls_three_are_named() -> None:
    controls = "".join(f'<RectangleLabels name="c{n}" toName="image"/>' for n in range(20_000))
    config = parse(f'<View><Image name="image" value="$image"/>{controls}</View>')
    with pytest.raises(LabelConfigError) as caught:
        usable(config, "detect")
    assert "c2" in str(caught.value)
    assert "19997 more" in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "xml",
    [
        '<View><{0} name="a" toName="i"/></View>',
        '<View><RectangleLabels name="{0}" toName="i"/></View>',
        '<View><RectangleLabels name="a" toName="i,{0}"/></View>',
        '<View><{0} name="i" value="$i"/><RectangleLabels name="a" toName="i"/></View>',
        '<View><Image name="i" value="{0}"/><RectangleLabels name="a" toName="i"/></View>',
        '<View><Image name="{0}"/><Image name="{0}"/><X name="x" toName="{0}"/></View>',
    ],
)
def test_a_long_name_is_cut_in_the_refusal(xml: str) -> None:
    with pytest.raises(LabelConfigError) as caught:
        usable(parse(xml.format("x" * 100_000)), "detect")
    assert len(str(caught.value)) < 1000
