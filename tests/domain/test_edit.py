"""Exact replacement, and what is said when it is not exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.edit import EditError, Replacement, apply

CODE = "def area(w, h):\n    return w * h\n\n\ndef volume(w, h, d):\n    return area(w, h) * d\n"


def refusal(text: str, old: str, new: str = "new") -> str:
    with pytest.raises(EditError) as caught:
        apply(text, [Replacement(old, new)])
    return str(caught.value)


def test_one_place_is_replaced() -> None:
    assert apply(CODE, [Replacement("w * h", "h * w")]) == (CODE.replace("w * h", "h * w"), 1)


def test_every_place_is_replaced_when_asked() -> None:
    text, places = apply("a b a", [Replacement("a", "c", everywhere=True)])
    assert (text, places) == ("c b c", 2)


def test_later_edits_see_earlier_ones_and_all_or_none_are_made() -> None:
    edits = [Replacement("volume", "content"), Replacement("def content", "def capacity")]
    assert "def capacity" in apply(CODE, edits)[0]
    with pytest.raises(EditError, match="Edit 2 of 2"):
        apply(CODE, [Replacement("volume", "content"), Replacement("volume", "x")])


def test_several_places_are_listed_with_their_lines() -> None:
    said = refusal(CODE, "return ")
    assert "2 times" in said
    assert "line 2: return w * h" in said
    assert "line 6: return area" in said


@pytest.mark.parametrize(
    ("old", "what"),
    [
        ("def area(w, h):  \n    return w * h", "ends of lines"),
        ("\treturn w * h", "indentation"),
        ("def area(w, h):\n  return w * h", "indentation"),
        ("return  w  *  h", "white space inside"),
        ("RETURN w * h", "upper and lower"),
        ("def area(w, h):\\n    return w * h", "escaped"),
    ],
)
def test_a_near_miss_is_shown_as_the_file_has_it(old: str, what: str) -> None:
    said = refusal(CODE, old)
    assert what in said
    assert "2\t    return w * h" in said


def test_typographic_quotes_are_named() -> None:
    assert "look-alike" in refusal("say('hi')\n", "say(\u2018hi\u2019)")


def test_the_nearest_place_and_its_first_difference_are_shown() -> None:
    said = refusal(CODE, "def volume(w, h, d):\n    return area(w, h) + d")
    assert "5\tdef volume(w, h, d):" in said
    assert "Line 6 is" in said


def test_one_misspelt_line_finds_its_neighbour() -> None:
    assert "5\tdef volume" in refusal(CODE, "def volumes(w, h, dd):")


def test_an_edit_made_before_is_recognised() -> None:
    assert "at line 2" in refusal(CODE, "return w + h + something else", "return w * h")


def test_nothing_near_is_said_too() -> None:
    assert "nor anything like it" in refusal(CODE, "§§§§ %%%% §§§§")


def test_empty_and_equal_strings_are_refused() -> None:
    assert "empty" in refusal(CODE, "")
    assert "same" in refusal(CODE, "w", "w")
    assert "file is empty" in refusal("", "x")


def test_mixed_line_ends_are_matched_by_plain_ones() -> None:
    text = "a\r\nb\r\nc\nd\n"
    assert apply(text, [Replacement("a\nb", "x\ny")])[0] == "x\r\ny\r\nc\nd\n"


@given(st.text(alphabet="ab \n\t", max_size=60), st.text(alphabet="ab \n\t", min_size=1, max_size=10))
def test_it_replaces_exactly_or_says_why_not(text: str, old: str) -> None:
    if text.count(old) == 1:
        assert apply(text, [Replacement(old, "Z")]) == (text.replace(old, "Z"), 1)
    else:
        assert refusal(text, old, "Z")


def test_a_miss_in_a_long_file_takes_no_time() -> None:
    text = "".join(f"line number {n} with some words\n" for n in range(20_000))
    assert "was not found" in refusal(text, "line nomber 19999 with sum words")


@pytest.mark.parametrize("old", ["2\ttwo\n3\tthree", "     2→two\n     3→three", "2: two", "2 | two\n3 | three"])
def test_the_numbers_that_read_shows_are_told_from_what_is_in_the_file(old: str) -> None:
    with pytest.raises(EditError, match=r"begin with the numbers that Read puts before them\. Leave them out\.$"):
        apply("one\ntwo\nthree\n", [Replacement(old, "x")])


def test_numbers_that_are_in_the_file_are_part_of_it() -> None:
    assert apply("1: a\n2: b\n", [Replacement("1: a", "1: c")]) == ("1: c\n2: b\n", 1)


def test_entities_are_told_from_characters() -> None:
    with pytest.raises(
        EditError, match=r"it has entities \(&amp; &lt;\) where the file has the characters:\n2\tif a && b"
    ):
        apply("x\nif a && b < c:\n", [Replacement("if a &amp;&amp; b &lt; c", "y")])


def test_letters_that_are_put_together_otherwise_are_the_same_letters() -> None:
    assert apply("a caf\u00e9\n", [Replacement("cafe\u0301", "the\u0301")]) == ("a th\u00e9\n", 1)
    assert apply("a cafe\u0301\n", [Replacement("caf\u00e9", "th\u00e9")]) == ("a the\u0301\n", 1)
    with pytest.raises(EditError, match="2 times"):
        apply("\u00e9 \u00e9", [Replacement("e\u0301", "x")])


def test_blanks_that_are_no_spaces_are_named() -> None:
    with pytest.raises(EditError, match=r"Its blanks are not all spaces: there is U\+00A0\.$"):
        apply("a\u00a0b\n", [Replacement("a b", "x")])
