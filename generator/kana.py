"""Kana and romaji: what is kana, how it is spelt in modified Hepburn, and the common form that a search compares.

Source of the table: ISO 3602's kana order with the Hepburn spellings (facts; the table is ours).
"""

import re
import unicodedata

_ROWS = {
    "": "あいうえお", "k": "かきくけこ", "s": "さしすせそ", "t": "たちつてと", "n": "なにぬねの", "h": "はひふへほ",
    "m": "まみむめも", "r": "らりるれろ", "g": "がぎぐげご", "z": "ざじずぜぞ", "d": "だぢづでど", "b": "ばびぶべぼ", "p": "ぱぴぷぺぽ",
}  # fmt: skip
_IRREGULAR = {"し": "shi", "ち": "chi", "つ": "tsu", "ふ": "fu", "じ": "ji", "ぢ": "ji", "づ": "zu"}
_REST = {"や": "ya", "ゆ": "yu", "よ": "yo", "わ": "wa", "ゐ": "i", "ゑ": "e", "を": "o"}
_SYLLABLE = {kana: row + vowel for row, line in _ROWS.items() for kana, vowel in zip(line, "aiueo", strict=True)}
_SYLLABLE |= _IRREGULAR | _REST
_SMALL_Y = {"ゃ": "a", "ゅ": "u", "ょ": "o"}
_LONG = {"ā": "aa", "ī": "ii", "ū": "uu", "ē": "ee"}
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


def is_kana(text: str) -> bool:
    """True for a non-empty text of hiragana or katakana (with the long mark ー) and nothing else."""
    return re.fullmatch(r"[ぁ-ゖァ-ヶー]+", text) is not None


def hiragana(text: str) -> str:
    """The text with katakana turned into hiragana; ー stays."""
    return text.translate(_KATAKANA_TO_HIRAGANA)


def spelling(kana: str) -> str:
    """Kana spelt letter by letter in Hepburn: しんにょう gives *shinnyou*, にじゅうあし *nijuuashi*, ん before a vowel *n'*.

    Raises ValueError for anything that is not kana.
    """
    out, pending_double = "", False
    for sign in hiragana(kana):
        if sign == "っ":
            pending_double = True
            continue
        if sign in _SMALL_Y and out.endswith("i"):
            stem = out[:-1]
            out = stem + ("" if stem.endswith(("sh", "ch", "j")) else "y") + _SMALL_Y[sign]
        elif sign == "ー" and out:
            out += out[-1]
        elif sign == "ん":
            out += "n"
        elif sign in _SYLLABLE:
            syllable = _SYLLABLE[sign]
            apostrophe = "'" if out.endswith("n") and syllable[0] in "aiueoy" else ""
            double = ("t" if syllable.startswith("ch") else syllable[0]) if pending_double else ""
            out += apostrophe + double + syllable
        else:
            raise ValueError(f"{sign!r} in {kana!r} is not kana that can be spelt")
        pending_double = False
    return out


def agrees(romaji: str, kana: str) -> bool:
    """True when *romaji* is a Hepburn spelling of *kana*.

    A macron stands for a long vowel (ō for おう or おお); a vowel that belongs to the next word may stay double (こうま *kouma*).
    """
    wanted = "".join(_LONG.get(letter, "(?:ou|oo)" if letter == "ō" else re.escape(letter)) for letter in romaji)
    try:
        return re.fullmatch(wanted, spelling(kana)) is not None
    except ValueError:
        return False


def fold(text: str) -> str:
    """What a search compares: NFKC, lower case, no accents or macrons, katakana as hiragana, letters and digits only.

    The voicing marks of kana (U+3099, U+309A) are kept: みず is not みす.
    """
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).lower())
    bare = "".join(sign for sign in plain if not "̀" <= sign <= "ͯ")
    folded = hiragana(unicodedata.normalize("NFC", bare))
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LN")
