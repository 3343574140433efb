"""Transcripts as they are read aloud; expected words are worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.text import character_count, spoken_words


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("", ""),
        ("  \t\n", ""),
        ("… — ?!", ""),
        ("''", ""),
        ("Hello, World!", "hello world"),
        ("well-known e-mail", "well known e mail"),
        ("STRASSE Straße", "strasse straße"),
        ("\ud800a\udfff", "a"),
    ],
)
def test_words(text: str, spoken: str) -> None:
    assert spoken_words(text) == spoken.split()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("0", "zero"),
        ("12 apples", "twelve apples"),
        (
            "1234567",
            "one million two hundred and thirty four thousand five hundred and sixty seven",
        ),
        ("1,234", "one thousand two hundred and thirty four"),
        ("1,2,3", "one two three"),
        ("007", "zero zero seven"),
        ("covid19", "covid nineteen"),
        ("10:30", "ten thirty"),
        ("1234567890123", "one two three four five six seven eight nine zero one two three"),
        ("٣ १२", "three twelve"),
        ("m²", "m two"),
        ("½ cup, ¾ full", "half cup three quarters full"),
    ],
)
def test_numbers(text: str, spoken: str) -> None:
    assert spoken_words(text) == spoken.split()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1999", "nineteen ninety nine"),
        ("1805", "eighteen oh five"),
        ("2013", "twenty thirteen"),
        ("2005", "two thousand and five"),
        ("1,999", "one thousand nine hundred and ninety nine"),
        ("$1999", "one thousand nine hundred and ninety nine dollars"),
        ("1500 million", "one thousand five hundred million"),
        ("the 1990s", "the nineteen nineties"),
        ("the '60s", "the sixties"),
        ("in 5s", "in fives"),
        ("6s", "sixes"),
    ],
)
def test_years_and_decades(text: str, spoken: str) -> None:
    assert spoken_words(text) == spoken.split()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1st 2ND 3rd 4th", "first second third fourth"),
        ("21st", "twenty first"),
        ("5th-grade", "fifth grade"),
        ("5the", "five the"),
        ("3.14", "three point one four"),
        ("3.10", "three point one zero"),
        ("0.05", "zero point zero five"),
        ("2.5 mg", "two point five mg"),
        ("3.5s", "three point five s"),
        ("1.2.3", "one point two three"),
        ("$25", "twenty five dollars"),
        ("$1", "one dollar"),
        ("$3.50", "three dollars and fifty cents"),
        ("$1.05", "one dollar and five cents"),
        ("£2.20", "two pounds and twenty pence"),
        ("€5", "five euros"),
        ("$5 million", "five million dollars"),
        ("$1.5 million", "one point five million dollars"),
        ("10%", "ten percent"),
        ("AT&T", "at and t"),
        ("2+2=4", "two plus two equals four"),
        ("5 \u00b5g or \u03bcm", "five micro g or micro m"),
        ("\u03bc and \u03bc\u03b1", "μ and μα"),
    ],
)
def test_ordinals_decimals_money_and_signs(text: str, spoken: str) -> None:
    assert spoken_words(text) == spoken.split()


@pytest.mark.parametrize("mark", ["'", "’", "‘", "ʼ", "´", "`", "＇"])
def test_every_apostrophe_inside_a_word_is_one(mark: str) -> None:
    assert spoken_words(f"It{mark}s O{mark}Neil{mark}s") == ["it's", "o'neil's"]


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        ("今天天气很好。", "zh", "今 天 天 气 很 好"),
        ("私はPythonを使って、ニュース", "ja", "私 は python を 使 っ て ニュー ス"),
        ("สวัสดีครับ", "th", "ส วั ส ดี ค รั บ"),
        ("เป็นไทย", "th", "เป็ น ไท ย"),
        ("안녕하세요 세계", "ko", "안녕하세요 세계"),
        ("עברית ו-English", "he", "עברית ו english"),
    ],
)
def test_scripts_without_spaces_have_a_word_for_each_character(
    text: str, language: str, spoken: str
) -> None:
    assert spoken_words(text, language) == spoken.split()


def test_apostrophes_around_words_are_quotes() -> None:
    assert spoken_words("'tis rock 'n' roll, ‘so’ the dogs’ bark") == (
        ["tis", "rock", "n", "roll", "so", "the", "dogs", "bark"]
    )


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("ﬁnal", "final"),
        ("Ｆｕｌｌ", "full"),
        ("e\u0301te\u0301", "été"),
        ("e\u200d\u0301", "é"),
        ("co\u00adoperate", "cooperate"),
        ("one\u200btwo", "one two"),
        ("\ufeffstart", "start"),
    ],
)
def test_forms_of_a_letter_are_one(text: str, spoken: str) -> None:
    assert spoken_words(text) == spoken.split()


def test_right_to_left_text_keeps_its_words_without_marks() -> None:
    assert spoken_words("\u200fשלום, \u202aעולם\u202c!", "he") == ["שלום", "עולם"]
    assert spoken_words("שָׁלוֹם", "he") == ["שָׁלוֹם"]


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("de", "1000000", "eine million"),
        ("de", "1999", "neunzehnhundertneunundneunzig"),
        ("fr", "3.5", "trois virgule cinq"),
        ("fr", "50% & $5", "cinquante cinq"),
        ("he", "3.5", "שלוש נקודה חמש"),
        ("ja", "1999", "千 九 百 九 十 九"),
    ],
)
def test_other_languages_spell_their_own_numbers(language: str, text: str, spoken: str) -> None:
    assert spoken_words(text, language) == spoken.split()


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("de", "1.000 Euro", "eintausend euro"),
        ("de", "1.250.000", "eine million zweihundertfünfzigtausend"),
        ("de", "3,5 kg", "drei komma fünf kg"),
        ("de", "12,50", "zwölf komma fünf null"),
        ("de", "1.234,05", "eintausendzweihundertvierunddreißig komma null fünf"),
        ("de", "1'000 und 1’000", "eintausend und eintausend"),
        ("de", "1.999", "eintausendneunhundertneunundneunzig"),
        ("es", "3,5 o 3.5", "tres coma cinco o tres punto cinco"),
        (
            "es",
            "1.250 o 1,250 o 1 250",
            "mil doscientos cincuenta o " * 2 + "mil doscientos cincuenta",
        ),
        ("es", "1,250.5", "mil doscientos cincuenta punto cinco"),
        ("fr", "1 000 000", "un million"),
        ("fr", "1\u00a0000\u00a0000", "un million"),
        ("fr", "1\u202f000\u202f000,5", "un million virgule cinq"),
        ("fr", "12 500 et 1.000", "douze mille cinq cents et mille"),
        ("it", "3,5 e 1.000", "tre virgola cinque e mille"),
        ("nl", "2,5 en 1.000", "twee komma vijf en duizend"),
        ("pt", "2,5 e 1.000 e 1 000", "dois vírgula cinco e mil e mil"),
        ("ru", "1,5 кг", "одна целая пять десятых кг"),
        ("ru", "1 000 000", "один миллион"),
        ("he", "1,000 3.5", "אלף שלוש נקודה חמש"),
        ("ar", "٣٫٥", "ثلاثة فاصلة خمسة"),
        ("ar", "١٬٠٠٠", "ألف"),
    ],
)
def test_marks_in_a_number_are_read_as_in_its_language(
    language: str, text: str, spoken: str
) -> None:
    """Marks by the Common Locale Data Repository 47, as Babel 2.18 has them."""
    assert spoken_words(text, language) == spoken.split()


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("de", "1.5", "eins komma fünf"),
        ("de", "1,000", "eins komma null null null"),
        (
            "de",
            "1,234,567",
            "eine million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig",
        ),
        ("de", "1,234.5", "eintausendzweihundertvierunddreißig komma fünf"),
        ("de", "24.12.2020", "vierundzwanzig zwölf zweitausendzwanzig"),
        ("de", "08.30 Uhr", "null acht dreißig uhr"),
        ("de", "1,2,3", "eins zwei drei"),
        ("de", "0,500", "null komma fünf null null"),
        ("fr", "01.23.45", "zéro un vingt trois quarante cinq"),
        (
            "fr",
            "514 555 1234",
            "cinq cent quatorze cinq cent cinquante cinq mille deux cent trente quatre",
        ),
        ("fr", "12 345 678 9", "douze trois cent quarante cinq six cent soixante dix huit neuf"),
        ("fr", "0 800", "zéro huit cents"),
        ("he", "1,5", "אחת חמש"),
        ("sv", "3,5", "3 5"),
    ],
)
def test_marks_that_may_be_something_else(language: str, text: str, spoken: str) -> None:
    assert spoken_words(text, language) == spoken.split()


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("en", "2⅓ cups", "two and a third cups"),
        ("en", "5½ or ⅞", "five and a half or seven eighths"),
        ("en", "1⅛ or 2⅔", "one and an eighth or two and two thirds"),
        ("en", "10² meters", "ten two meters"),
        ("en", "10⁻³", "ten three"),
        ("en", "10¹²", "ten twelve"),
        ("en", "10\u200d²", "ten two"),
        ("en", "2²5", "two two five"),
        ("de", "5½ Liter", "fünf ½ liter"),
        ("he", "5½", "חמש ½"),
        ("xx", "½5⅓", "½ 5 ⅓"),
        ("fr", "1ᵉʳ", "un er"),
    ],
)
def test_a_fraction_or_a_power_joins_no_figure(language: str, text: str, spoken: str) -> None:
    assert spoken_words(text, language) == spoken.split()


@pytest.mark.parametrize("language", ["xx", "est", "am", ""])
def test_a_number_without_words_stays_as_it_is(language: str) -> None:
    assert spoken_words("room 12", language) == ["room", "12"]


@pytest.mark.parametrize(
    "text",
    [
        "1999",
        "1th",
        "5.5",
        "5,5",
        "1.000,5",
        "1 000",
        "101st",
        "0th",
        "9" * 12,
        "9" * 9 + "th",
        "100000.5",
        "100000,5",
    ],
)
@pytest.mark.parametrize(
    "language", ["ar", "de", "en", "es", "fr", "he", "it", "ja", "ko", "nl", "pt", "ru"]
)
def test_no_number_raises(language: str, text: str) -> None:
    assert spoken_words(text, language)


@given(st.text())
def test_spoken_words_are_a_fixed_point_in_lower_case(text: str) -> None:
    words = spoken_words(text)
    assert spoken_words(" ".join(words)) == words
    assert [word.lower() for word in words] == words
    assert all(words) and not any(character.isspace() for character in "".join(words))


@given(st.text(alphabet="0123456789.,$€£% 'sthndr1½²٣", max_size=40))
def test_any_figures_are_spelled_without_a_digit_left(text: str) -> None:
    words = spoken_words(text)
    assert spoken_words(" ".join(words)) == words
    assert not any(character.isdigit() for character in "".join(words))


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "he", "it", "nl", "pt", "ru"])
@given(text=st.text(alphabet="0123456789.,' \u202f½²٫٬", max_size=30))
def test_figures_of_any_language_are_spelled(language: str, text: str) -> None:
    words = spoken_words(text, language)
    assert spoken_words(" ".join(words), language) == words
    assert not any(character.isdigit() for character in "".join(words))
    assert spoken_words(f"{text} !", language) == words


def test_very_long_figures_are_read_digit_by_digit() -> None:
    assert spoken_words("9" * 5000 + "th") == ["nine"] * 5000


@given(st.text(), st.text())
def test_text_apart_is_read_apart(one: str, other: str) -> None:
    assert spoken_words(f"{one} ! {other}") == spoken_words(one) + spoken_words(other)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), (" .,!", 0), ("It's 5 p.m.!", 6), ("3.5", 2), ("שלום 1", 5), ("\ud800", 0)],
)
def test_character_count(text: str, count: int) -> None:
    assert character_count(text) == count
