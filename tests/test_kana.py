"""Kana, its spelling, and the common form that a search compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import kana

SPELT = {
    "しんにょう": "shinnyou",
    "にじゅうあし": "nijuuashi",
    "りっしんべん": "risshinben",
    "っち": "tchi",
    "まっちゃ": "matcha",
    "いっぽん": "ippon",
    "きっか": "kikka",
    "ざっし": "zasshi",
    "けんあい": "ken'ai",
    "ほんや": "hon'ya",
    "しんよう": "shin'you",
    "しんいん": "shin'in",
    "こんな": "konna",
    "てんぷら": "tenpura",
    "ん": "n",
    "カー": "kaa",
    "ラーメン": "raamen",
    "しゃ": "sha",
    "ちょう": "chou",
    "じゅ": "ju",
    "きゃ": "kya",
    "りょ": "ryo",
    "ふぢづ": "fujizu",
    "つくり": "tsukuri",
    "を": "o",
    "ゐゑ": "ie",
    "ミズ": "mizu",
    "ぱぴぷぺぽ": "papipupepo",
}


@pytest.mark.parametrize(("text", "wanted"), SPELT.items(), ids=SPELT)
def test_spelling(text: str, wanted: str) -> None:
    assert kana.spelling(text) == wanted


@pytest.mark.parametrize("text", ["水", "mizu", "みず ", "みず。", "・", "ー", "ゃ", "ヴ"])
def test_spelling_refuses_what_it_cannot_spell(text: str) -> None:
    with pytest.raises(ValueError, match="is not kana that can be spelt"):
        kana.spelling(text)


@pytest.mark.parametrize("text", ["みず", "ミズ", "みズ", "ー", "カー", "っ", "ん", "ヴ", "ぁ", "ゖ"])
def test_is_kana(text: str) -> None:
    assert kana.is_kana(text)


@pytest.mark.parametrize("text", ["", " ", "みず ", "みず\n", "水", "みず水", "mizu", "ﾐｽﾞ", "・", "゛", "み-ず", "ゝ", "。"])
def test_is_not_kana(text: str) -> None:
    assert not kana.is_kana(text)


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x3096), min_size=1))
def test_katakana_becomes_hiragana(text: str) -> None:
    assert kana.hiragana("".join(chr(ord(sign) + 0x60) for sign in text)) == text
    assert kana.hiragana(text) == text


AGREE = [
    ("sanzui", "さんずい"),
    ("mizu", "みず"),
    ("shinnyō", "しんにょう"),
    ("shinnyou", "しんにょう"),
    ("nijūashi", "にじゅうあし"),
    ("risshinben", "りっしんべん"),
    ("ō", "おう"),
    ("ō", "おお"),
    ("ōgai", "おおがい"),
    ("kouma", "こうま"),
    ("rāmen", "ラーメン"),
    ("mizu", "ミズ"),
    ("tchi", "っち"),
    ("hon'ya", "ほんや"),
    ("no", "の"),
]


@pytest.mark.parametrize(("romaji", "text"), AGREE, ids=[f"{r}-{k}" for r, k in AGREE])
def test_agrees(romaji: str, text: str) -> None:
    assert kana.agrees(romaji, text)


DISAGREE = [
    ("misu", "みず"),
    ("mizu", "みす"),
    ("mizu", "みずへん"),
    ("mizuhen", "みず"),
    ("Mizu", "みず"),
    ("sinnyō", "しんにょう"),  # not Hepburn
    ("shinnyo", "しんにょう"),  # the long vowel is lost
    ("shinyō", "しんにょう"),
    ("shinnyū", "しんにょう"),
    ("hu", "ふ"),
    ("honya", "ほんや"),  # that would be ほにゃ
    ("cchi", "っち"),
    ("wo", "を"),
    ("ō", "お"),
    ("ō", "うう"),
    ("ū", "う"),
    ("", "み"),
    ("mizu", ""),
    ("mizu", "水"),
    ("mizu", "みず "),
    ("mizu ", "みず"),
    (".*", "みず"),  # not a pattern
    ("mizu|x", "みず"),
    ("di", "でぃ"),  # kana, but not of the table: a False, not a ValueError
    ("-", "ー"),
]


@pytest.mark.parametrize(("romaji", "text"), DISAGREE, ids=[f"{r or 'nothing'}-{k or 'nothing'}" for r, k in DISAGREE])
def test_disagrees(romaji: str, text: str) -> None:
    assert not kana.agrees(romaji, text)


@given(st.text("あいうえおかきくけこさしすせそがぎだちつふんゃゅょっーなにぬねのまみむめもアカサ", min_size=1))
def test_a_spelling_agrees_with_what_it_spells(text: str) -> None:
    try:
        spelt = kana.spelling(text)
    except ValueError:
        return
    assert kana.agrees(spelt, text)
    assert spelt.replace("'", "").isascii()


FOLDED = {
    "kangxi code point": ("⽔", "水"),
    "katakana": ("ミズ", "みず"),
    "half-width katakana": ("ﾐｽﾞ", "みず"),
    "macron": ("Shinnyō", "shinnyo"),
    "decomposed macron": ("shinnyo\u0304", "shinnyo"),
    "acute": ("Café", "cafe"),
    "full-width letters": ("ＡＢ１２", "ab12"),
    "spaces and marks": (" to run, quickly! ", "torunquickly"),
    "apostrophe": ("hon'ya", "honya"),
    "decomposed voicing mark": ("みす\u3099", "みず"),
    "semi-voiced": ("パ", "ぱ"),
    "kanji": ("水", "水"),
    "nothing": ("", ""),
    "only marks": ("·–—", ""),
}


@pytest.mark.parametrize(("text", "wanted"), FOLDED.values(), ids=FOLDED)
def test_fold(text: str, wanted: str) -> None:
    assert kana.fold(text) == wanted


@pytest.mark.parametrize(("one", "other"), [("みず", "みす"), ("は", "ば"), ("ば", "ぱ"), ("水", "氷"), ("mizu", "misu"), ("つ", "っ")])
def test_fold_keeps_apart(one: str, other: str) -> None:
    assert kana.fold(one) != kana.fold(other)


@given(st.text())
def test_fold_twice_is_fold_once(text: str) -> None:
    assert kana.fold(kana.fold(text)) == kana.fold(text)
