"""The pictures are the same everywhere, and their boxes are where the objects are."""

import numpy as np
from demo import pictures


def test_same_seed_draws_same_pictures() -> None:
    first, second = pictures.generate(3, seed=7), pictures.generate(3, seed=7)
    assert [picture.things for picture in first] == [picture.things for picture in second]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))


def test_a_picture_does_not_depend_on_how_many_follow() -> None:
    assert pictures.generate(1, seed=7)[0].jpeg() == pictures.generate(4, seed=7)[0].jpeg()


def test_other_seed_draws_other_pictures() -> None:
    assert pictures.generate(1, seed=1)[0].things != pictures.generate(1, seed=2)[0].things


def test_every_class_is_there_and_every_box_lies_inside() -> None:
    things = [thing for picture in pictures.generate(20) for thing in picture.things]
    assert {thing.label for thing in things} == set(pictures.CLASSES)
    for left, top, right, bottom in (thing.box for thing in things):
        assert 0 <= left < right <= pictures.SIZE
        assert 0 <= top < bottom <= pictures.SIZE


def test_no_picture_is_empty() -> None:
    assert all(picture.things for picture in pictures.generate(40, seed=3))
