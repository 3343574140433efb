"""Alignments made elsewhere; times are as the files have them, or added up by hand."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrdq.alignment import Alignment, AlignmentStatus, Utterance, build_aligner
from asrdq.errors import DataError, UsageError
from asrdq.text import spoken_words

RATE = 16_000

MFA = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.2
            text = ""
        intervals [2]:
            xmin = 0.2
            xmax = 0.5
            text = "hello"
        intervals [3]:
            xmin = 0.5
            xmax = 0.6
            text = "spn"
        intervals [4]:
            xmin = 0.6
            xmax = 1.1
            text = "world"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 1
        intervals [1]:
            xmin = 0.2
            xmax = 0.5
            text = "HH"
"""


def utterance(
    text: str,
    *,
    utt_id: str = "u1",
    path: str = "clip.wav",
    offset_s: float = 0.0,
    seconds: float = 2.0,
    language: str = "en",
) -> Utterance:
    samples = np.zeros(round(seconds * RATE), np.float32)
    words = tuple(spoken_words(text, language))
    return Utterance(samples, words, np.zeros(0, np.bool_), language, utt_id, path, offset_s)


def align(place: Path, asked: Utterance) -> Alignment:
    [found] = build_aligner(f"import:{place}").align([asked])
    return found


def times(found: Alignment) -> list[tuple[str, float, float]]:
    return [(s.word, round(s.start_s, 3), round(s.end_s, 3)) for s in found.spans]


def test_a_text_grid_of_mfa_is_found_by_the_name_of_the_audio(tmp_path: Path) -> None:
    folder = tmp_path / "mfa" / "speaker1"
    folder.mkdir(parents=True)
    (folder / "clip.TextGrid").write_text(MFA)
    found = align(tmp_path / "mfa", utterance("Hello, world!"))
    assert found.status is AlignmentStatus.ALIGNED
    assert times(found) == [("hello", 0.2, 0.5), ("world", 0.6, 1.1)]


def test_a_word_that_the_alignment_lacks_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "clip.TextGrid").write_text(MFA)
    found = align(tmp_path, utterance("hello big world"))
    assert times(found) == [("hello", 0.2, 0.5), ("big", 0.5, 0.5), ("world", 0.6, 1.1)]
    other = align(tmp_path, utterance("something else"))
    assert other.status is AlignmentStatus.NO_ALIGNMENT
    assert other.detail == "not one imported word is in the transcript"


def test_ctm_of_nemo_and_kaldi(tmp_path: Path) -> None:
    """One file may hold many clips; NeMo writes NA for a confidence, Kaldi a number."""
    (tmp_path / "all.ctm").write_text(
        ";; made by hand\n"
        "u1 1 0.10 0.30 hello NA lex NA\n"
        "u1 1 0.50 0.25 world 0.5\n"
        "u2 1 0.00 0.40 other\n"
    )
    found = align(tmp_path, utterance("hello world"))
    assert times(found) == [("hello", 0.1, 0.4), ("world", 0.5, 0.75)]
    assert [span.score for span in found.spans] == [None, pytest.approx(math.log(0.5))]


def test_a_recordings_times_are_moved_to_the_segment(tmp_path: Path) -> None:
    """The recording is named by its file; the clip begins at 10 s and is 2 s long."""
    (tmp_path / "all.ctm").write_text(
        "clip 1 9.0 0.5 before\nclip 1 10.25 0.5 hello\n"
        "clip 1 11.0 0.5 world\nclip 1 12.5 1 after\n"
    )
    found = align(tmp_path, utterance("hello world", utt_id="clip-7", offset_s=10.0))
    assert times(found) == [("hello", 0.25, 0.75), ("world", 1.0, 1.5)]


def test_whisperx(tmp_path: Path) -> None:
    """It leaves out the times of what its alphabet lacks, here of 10; punctuation is its own."""
    words = [
        {"word": "Hello,", "start": 0.1, "end": 0.4, "score": 0.9},
        {"word": "10"},
        {"word": "worlds!", "start": 0.8, "end": 1.2, "score": 0.8},
    ]
    segments = [{"start": 0.1, "end": 1.2, "text": " Hello, 10 worlds!", "words": words}]
    (tmp_path / "clip.json").write_text(json.dumps({"segments": segments}))
    found = align(tmp_path, utterance("hello 10 worlds"))
    assert times(found) == [("hello", 0.1, 0.4), ("ten", 0.4, 0.4), ("worlds", 0.8, 1.2)]
    assert found.spans[0].score == pytest.approx(math.log(0.9))


def test_a_number_that_is_cut_at_its_spaces_is_one_where_the_language_reads_one(
    tmp_path: Path,
) -> None:
    """`2 000` from 0.5 s to 1.3 s, `deux mille`: nine letters; two numbers in English."""
    (tmp_path / "all.ctm").write_text(
        "u1 1 0.0 0.5 les\nu1 1 0.5 0.4 2\nu1 1 0.9 0.4 000\nu1 1 1.4 0.4 pas\n"
    )
    found = align(tmp_path, utterance("les 2 000 pas", language="fr"))
    middle = round(0.5 + 0.8 * 4 / 9, 3)
    assert times(found)[1:3] == [("deux", 0.5, middle), ("mille", middle, 1.3)]
    assert times(align(tmp_path, utterance("les 2 000 pas")))[1] == ("two", 0.5, 0.9)


@pytest.mark.parametrize("packed", [True, False])
def test_supervisions_of_lhotse(tmp_path: Path, packed: bool) -> None:
    """Items as Lhotse serialises them; times count from the start of the recording."""
    row = {
        "id": "u1",
        "recording_id": "rec",
        "start": 10.0,
        "duration": 2.0,
        "text": "hello world",
        "alignment": {"word": [["hello", 10.25, 0.5, 0.9], ["world", 11.0, 0.5]]},
    }
    line = (json.dumps(row) + "\n").encode()
    name = "supervisions.jsonl.gz" if packed else "supervisions.jsonl"
    (tmp_path / name).write_bytes(gzip.compress(line) if packed else line)
    found = align(tmp_path, utterance("hello world", path="rec.wav", offset_s=10.0))
    assert times(found) == [("hello", 0.25, 0.75), ("world", 1.0, 1.5)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.srt", "1\n00:00:00,500 --> 00:00:01,500\n<i>Hello</i> world.\n"),
        ("clip.vtt", "WEBVTT\n\n00:00.500 --> 00:01.500 align:start\n<v Ann>Hello world.\n"),
    ],
)
def test_segments_of_subtitles_share_their_time_by_letters(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    found = align(tmp_path, utterance("hello world"))
    assert times(found) == [("hello", 0.5, 1.0), ("world", 1.0, 1.5)]


def test_time_maps_of_aeneas(shared_data: Path, tmp_path: Path) -> None:
    """The same map as TextGrid and as SRT; a segment is "Pity the world, or else this …"."""
    maps = shared_data / "aeneas/tests/res/syncmaps"
    text = "From fairest creatures we desire increase"
    for file in ("sonnet001.textgrid", "sonnet001.srt"):
        found = align(maps / file, utterance(text, path="sonnet001.mp3", seconds=53.24))
        assert found.status is AlignmentStatus.ALIGNED
        assert (found.spans[0].start_s, found.spans[-1].end_s) == pytest.approx((2.68, 5.88))


CTM = "u1 1 0.0 0.5 hello\nu1 1 0.5 0.5 world\nu2 1 0.0 0.5 good\nu2 1 0.5 0.25 day\n"


def supervision(utt_id: str, text: str) -> dict[str, object]:
    """Its words are a second apart and half a second long."""
    words = [[word, float(at), 0.5, 1.0] for at, word in enumerate(text.split())]
    return {"id": utt_id, "start": 0, "duration": 2, "alignment": {"word": words}}


def whisperx(text: str) -> str:
    words = [
        {"word": word, "start": at, "end": at + 0.5, "score": 0.9}
        for at, word in enumerate(text.split())
    ]
    return json.dumps({"segments": [{"words": words}]})


TWO = json.dumps([supervision("u1", "hello world"), supervision("u2", "good day")])


@pytest.mark.parametrize("stem", ["all", "u1", "u2"])
@pytest.mark.parametrize(
    ("ending", "content", "spans"),
    [
        (".ctm", CTM, [("good", 0.0, 0.5), ("day", 0.5, 0.75)]),
        (".json", TWO, [("good", 0.0, 0.5), ("day", 1.0, 1.5)]),
        (".json", f"\ufeff\n{TWO}", [("good", 0.0, 0.5), ("day", 1.0, 1.5)]),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_file_of_many_clips_gives_each_its_own(
    tmp_path: Path,
    stem: str,
    ending: str,
    content: str,
    spans: list[tuple[str, float, float]],
    packed: bool,
) -> None:
    """Whatever the file is called, compressed or not."""
    written = content.encode()
    name = f"{stem}{ending}.gz" if packed else f"{stem}{ending}"
    (tmp_path / name).write_bytes(gzip.compress(written) if packed else written)
    for utt_id, path in (("u2", "clip.wav"), ("x", "a/u2.wav")):
        assert times(align(tmp_path, utterance("good day", utt_id=utt_id, path=path))) == spans
    first = align(tmp_path, utterance("hello world"))
    assert first.status is AlignmentStatus.ALIGNED
    absent = align(tmp_path, utterance("good day", utt_id="u3"))
    assert absent.status is AlignmentStatus.NOT_IMPORTED


def test_the_only_clip_of_a_file_is_that_of_the_id_the_file_is_called_by(tmp_path: Path) -> None:
    """Called by a recording, it may be another piece of it."""
    (tmp_path / "u1.json").write_text(json.dumps([supervision("rec-0", "hello world")]))
    assert times(align(tmp_path, utterance("hello world"))) == [
        ("hello", 0.0, 0.5),
        ("world", 1.0, 1.5),
    ]
    piece = utterance("good day", utt_id="u1-2", path="u1.wav", offset_s=2.0)
    assert align(tmp_path, piece).status is AlignmentStatus.NOT_IMPORTED
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "u1.ctm").write_text("rec-1 1 0 0.5 good\n")
    found = align(tmp_path, utterance("hello world"))
    assert found.detail == (
        "several alignments of this clip: channel 1 of u1.ctm and u1.json: item 1"
    )


@pytest.mark.parametrize(("name", "content"), [("u1.json", "[]"), ("u1.ctm", ""), ("u1.jsonl", "")])
def test_a_file_without_a_clip_has_none(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == (
        "no alignment is called u1 or clip; there are none; "
        f"1 file passed over, without an alignment: {name}"
    )


@pytest.mark.parametrize("ending", [".json", ".json.gz", ".TextGrid", ".TextGrid.gz"])
def test_a_dot_belongs_to_the_name_of_a_clip(tmp_path: Path, ending: str) -> None:
    """`call.2` is no alignment of `call`."""
    content = (MFA if "Text" in ending else whisperx("hello world")).encode()
    packed = gzip.compress(content) if ending.endswith(".gz") else content
    (tmp_path / f"call.2{ending}").write_bytes(packed)
    first, second = (utterance("hello world", utt_id=name) for name in ("call", "call.2"))
    assert align(tmp_path, second).status is AlignmentStatus.ALIGNED
    assert align(tmp_path, first).status is AlignmentStatus.NOT_IMPORTED
    (tmp_path / f"call{ending}").write_bytes(packed)
    assert align(tmp_path, first).status is AlignmentStatus.ALIGNED
    assert align(tmp_path, second).status is AlignmentStatus.ALIGNED


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("u1.words.json", True),
        ("u1.wav.json", True),
        ("u1.WAV.json.gz", True),
        ("u1.en.json", False),
        ("u1.2.json", False),
        ("u1.words.2.json", False),
    ],
)
def test_what_tools_put_before_the_ending_may_be_left_out(
    tmp_path: Path, name: str, taken: bool
) -> None:
    content = whisperx("hello world").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    expected = AlignmentStatus.ALIGNED if taken else AlignmentStatus.NOT_IMPORTED
    assert align(tmp_path, utterance("hello world")).status is expected
    (tmp_path / "u1.json").write_text(whisperx("good world"))
    [good, world] = align(tmp_path, utterance("good world")).spans
    assert (good.end_s, world.end_s) == (0.5, 1.5)


def test_subtitles_may_have_their_language_before_the_ending(tmp_path: Path) -> None:
    content = "1\n00:00:00,500 --> 00:00:01,500\nHello world.\n"
    (tmp_path / "u1.pt-BR.srt").write_text(content)
    assert align(tmp_path, utterance("hello world")).status is AlignmentStatus.ALIGNED
    (tmp_path / "u1.en.srt").write_text(content)
    found = align(tmp_path, utterance("hello world"))
    assert found.detail == "several files have this clip: u1.en.srt, u1.pt-BR.srt"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1c"])
def test_a_separator_inside_of_what_is_said_ends_no_line(tmp_path: Path, separator: str) -> None:
    row = {**supervision("u1", "hello world"), "text": f"hello{separator}world"}
    lines = [json.dumps(row, ensure_ascii=False), json.dumps(supervision("u2", "good"))]
    (tmp_path / "all.jsonl").write_bytes("\r\n".join(lines).encode())
    (tmp_path / "all.ctm").write_text(f"u3 1 0.0 0.5 good{separator}day 0.5\n")
    assert times(align(tmp_path, utterance("hello world")))[1] == ("world", 1.0, 1.5)
    assert align(tmp_path, utterance("good", utt_id="u2")).status is AlignmentStatus.ALIGNED
    [good, day] = align(tmp_path, utterance("good day", utt_id="u3")).spans
    assert (good.start_s, day.end_s, day.score) == (0.0, 0.5, pytest.approx(math.log(0.5)))


@pytest.mark.parametrize(
    ("files", "places"),
    [
        ({"a.jsonl": [["hello"], ["world"]]}, "a.jsonl:1 and a.jsonl:2"),
        ({"a.json": [["hello"], ["world"]]}, "a.json: item 1 and a.json: item 2"),
        ({"a.jsonl": [["hello"]], "b.jsonl": [["world"]]}, "a.jsonl:1 and b.jsonl:1"),
    ],
)
def test_a_clip_with_two_alignments_has_none(
    tmp_path: Path, files: dict[str, list[list[str]]], places: str
) -> None:
    for name, rows in files.items():
        clips = [supervision("u1", " ".join(words)) for words in rows]
        lines = "\n".join(json.dumps(clip) for clip in clips)
        (tmp_path / name).write_text(json.dumps(clips) if name.endswith(".json") else lines)
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == f"several alignments of this clip: {places}"


def test_two_channels_of_a_recording_are_two_alignments(tmp_path: Path) -> None:
    """Who speaks on which is not known here: their words are not laid over one transcript."""
    (tmp_path / "a.ctm").write_text(
        "r A 0.0 0.5 hello\nr B 0.1 0.5 goodbye\nr A 0.6 0.4 world\ns B 0.0 0.4 hello\n"
    )
    found = align(tmp_path, utterance("hello world", utt_id="r"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == (
        "several alignments of this clip: channel A of a.ctm and channel B of a.ctm"
    )
    assert align(tmp_path, utterance("hello", utt_id="s")).status is AlignmentStatus.ALIGNED


def with_tiers(*names: str) -> str:
    """A TextGrid with a word in each tier: the first begins at 0 s, the next at 0.5 s."""
    head, _, _ = MFA.replace("size = 2", f"size = {len(names)}").partition("    item [1]:")
    return head + "".join(
        f'class = "IntervalTier"\nname = "{name}"\nxmin = 0\nxmax = 1.5\n'
        f'intervals: size = 1\nxmin = {at / 2}\nxmax = {at / 2 + 0.5}\ntext = "hello"\n'
        for at, name in enumerate(names)
    )


@pytest.mark.parametrize(
    ("names", "begins"),
    [
        (["phones", "words"], 0.5),
        (["phones", "word"], 0.5),
        (["Phones", "Word"], 0.5),
        (["ann - phones", "Ann - Words"], 0.5),
        (["ann - words", "words"], 0.5),
        (["Token"], 0.0),
        (["ann - words", "ben - phones"], 0.0),
    ],
)
def test_the_tier_of_words_is_found_by_its_name(
    tmp_path: Path, names: list[str], begins: float
) -> None:
    (tmp_path / "u1.TextGrid").write_text(with_tiers(*names))
    assert times(align(tmp_path, utterance("hello"))) == [("hello", begins, begins + 0.5)]


@pytest.mark.parametrize(
    "names", [["phones", "sentences"], ["Phones"], ["phone"], ["ann - phones"], ["keywords", "x"]]
)
def test_a_text_grid_without_a_tier_of_words_names_its_tiers(
    tmp_path: Path, names: list[str]
) -> None:
    (tmp_path / "u1.TextGrid").write_text(with_tiers(*names))
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail.endswith(f"has no tier 'words'; its tiers: {', '.join(names)}")


def test_a_clip_without_a_file_or_with_a_damaged_one_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "clip.TextGrid").write_text(MFA)
    (tmp_path / "cut.TextGrid").write_text(MFA[:300])
    (tmp_path / "twice.TextGrid").write_text(MFA)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "twice.TextGrid").write_text(MFA)
    aligner = build_aligner(f"import:{tmp_path}")
    asked = [
        utterance("hello world", utt_id=name, path=f"{name}.wav")
        for name in ("absent", "cut", "twice", "clip")
    ]
    found = aligner.align(asked)
    assert [one.status.value for one in found] == [*["not_imported"] * 3, "aligned"]
    assert found[0].detail == "no alignment is called absent; there are clip, cut, …"
    assert "is no complete TextGrid" in found[1].detail
    assert found[2].detail == (
        "several files have this clip: deeper/twice.TextGrid, twice.TextGrid"
    )
    assert aligner.align(asked[1:2])[0].detail == found[1].detail


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("all.ctm", "u1 1 0.1 0.3 hello\nu1 1 x 0.3 world\n", "all.ctm:2"),
        ("all.ctm", "u1 1 0.1\n", "all.ctm:1"),
        ("all.jsonl", '{"id": "u1"}\n{"alignment": {}}\n', "all.jsonl:2"),
        ("all.jsonl", '{"id": "u1", "alignment": {"word": [["a", 1]]}}\n', "all.jsonl:1"),
        ("all.jsonl", "{\n", "all.jsonl:1"),
        ("all.json", '[{"alignment": {}}]', "all.json: item 1"),
        ("all.json", "[\n{", "all.json:2: is no JSON"),
        ("all.jsonl", '{"id": "u1"}\n{]\n', "all.jsonl:2: is no JSON"),
        ("all.jsonl", '{"id": "u", "alignment": {"word": 1}}', "all.jsonl:1: has no list of words"),
        ("all.json", '[{"id": "u", "alignment": [1]}]', "all.json: item 1: has no names"),
        (
            "all.jsonl",
            '{"id": "u", "alignment": {"word": [["a", "abc", 1]]}}',
            "all.jsonl:1: its 'start' is no number: \"abc\"",
        ),
    ],
)
def test_a_damaged_file_of_many_clips_stops_with_its_line(
    tmp_path: Path, name: str, content: str, place: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=place):
        build_aligner(f"import:{tmp_path}").load()


def test_a_folder_without_alignments_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.wav").touch()
    with pytest.raises(UsageError, match="holds no alignment"):
        build_aligner(f"import:{tmp_path}")
    with pytest.raises(UsageError, match="there is no such folder"):
        build_aligner(f"import:{tmp_path}/none")
    with pytest.raises(UsageError, match="which folder"):
        build_aligner("import")


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "clip.TextGrid").write_text(MFA)
    before = build_aligner(f"import:{tmp_path}").version
    (tmp_path / "clip.TextGrid").write_text(MFA.replace("0.6", "0.7"))
    assert build_aligner(f"import:{tmp_path}").version != before


def test_hidden_files_are_neither_read_nor_part_of_the_version(tmp_path: Path) -> None:
    (tmp_path / "clip.TextGrid").write_text(MFA)
    version = build_aligner(f"import:{tmp_path}").version
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "clip.TextGrid").write_text(MFA)
    (tmp_path / ".u1.json").write_text(whisperx("hello"))
    (tmp_path / "._clip.TextGrid").write_bytes(b"AppleDouble")
    assert build_aligner(f"import:{tmp_path}").version == version
    assert align(tmp_path, utterance("hello world")).status is AlignmentStatus.ALIGNED
    inside = align(tmp_path / ".trash", utterance("hello world"))
    assert inside.status is AlignmentStatus.ALIGNED


def segment(*words: dict[str, object]) -> str:
    return json.dumps({"segments": [{"words": words}]})


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("u1.ctm", "u1 1 0 0.1 hello\nu1 1 nan 0.1 world\n", "u1.ctm:2: begins at nan s, which"),
        ("u1.ctm", "u1 1 0.1 inf hello\n", "u1.ctm:1: ends at inf s, which is no time"),
        ("u1.ctm", "u1 1 -3 0.1 hello\n", "u1.ctm:1: begins at -3 s, before the audio"),
        ("u1.ctm", "u1 1 0.6 -0.5 hello\n", "u1.ctm:1: ends at 0.1 s, before it begins, at 0.6 s"),
        (
            "u1.json",
            segment(
                {"word": "hello", "start": 0.1, "end": 0.2},
                {"word": "world", "start": 1.27, "end": 0.96},
            ),
            "u1.json: segment 1, word 2: ends at 0.96 s, before it begins, at 1.27 s",
        ),
        ("u1.json", segment({"word": "hello", "start": math.nan, "end": 1}), "begins at nan s"),
        (
            "u1.srt",
            "1\n00:00:01,500 --> 00:00:00,300\nhello\n\n2\n00:00:01,600 --> 00:00:01,700\nworld\n",
            "u1.srt:2: ends at 0.3 s, before it begins, at 1.5 s",
        ),
        ("u1.TextGrid", MFA.replace("xmax = 1.1", "xmax = 0.1"), "u1.TextGrid:28: ends at 0.1 s"),
        (
            "all.jsonl",
            '{"id": "u1", "alignment": {"word": [["hello", 0.5, -1]]}}',
            "all.jsonl:1: ends at -0.5 s, before it begins, at 0.5 s",
        ),
    ],
)
def test_times_that_cannot_be_are_told_with_their_line_and_judge_nothing(
    tmp_path: Path, name: str, content: str, detail: str
) -> None:
    (tmp_path / name).write_text(content)
    found = align(tmp_path, utterance("hello world"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert detail in found.detail
    assert not found.spans


def test_a_damaged_time_of_one_clip_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "all.ctm").write_text("u1 1 nan 0.5 hello\nu2 1 0 0.5 hello\n")
    assert align(tmp_path, utterance("hello")).status is AlignmentStatus.NOT_IMPORTED
    assert times(align(tmp_path, utterance("hello", utt_id="u2"))) == [("hello", 0.0, 0.5)]


def test_times_may_be_off_by_a_rounding(tmp_path: Path) -> None:
    """A word begins 20 ms before the audio, another ends 20 ms before it begins."""
    (tmp_path / "all.ctm").write_text("u1 1 -0.02 0.5 hello\nu1 1 0.6 -0.02 world\n")
    found = align(tmp_path, utterance("hello world"))
    assert times(found) == [("hello", -0.02, 0.48), ("world", 0.6, 0.6)]


@pytest.mark.parametrize("packed", [True, False])
def test_segments_of_srt_end_where_the_next_begins(tmp_path: Path, packed: bool) -> None:
    """Its number is no word; an empty line may stand inside of what is said, and UTF-16 is read."""
    content = (
        "1\n00:00:00,100 --> 00:00:00,900  X1:10\nhello\n\nbig\n\n"
        "2\n00:00:01.000 --> 00:00:01.500\nworld\n"
    ).replace("\n", "\r\n")
    written = content.encode("utf-16")
    name = "u1.srt.gz" if packed else "u1.srt"
    (tmp_path / name).write_bytes(gzip.compress(written) if packed else written)
    found = align(tmp_path, utterance("hello big two world"))
    assert times(found) == [
        ("hello", 0.1, 0.6),
        ("big", 0.6, 0.9),
        ("two", 0.9, 0.9),
        ("world", 1.0, 1.5),
    ]


def test_a_segment_of_web_vtt_ends_at_an_empty_line(tmp_path: Path) -> None:
    (tmp_path / "u1.vtt").write_text(
        "WEBVTT - a title\n\nNOTE world\n\nname\n00:00.500 --> 00:01.000\nhello\n\nworld\n"
    )
    found = align(tmp_path, utterance("hello world"))
    assert times(found) == [("hello", 0.5, 1.0), ("world", 1.0, 1.0)]


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("u1.vtt", "<html></html>", "u1.vtt:1: does not begin with WEBVTT, as WebVTT does"),
        ("u1.vtt", "WEBVTT\n", "u1.vtt: has no line of times such as 00:00:01,500 -->"),
        ("u1.srt", "", "u1.srt: has no line of times such as"),
        ("u1.srt", "1\n00:00:00,3 --> xx\nhello\n", "u1.srt:2: its times cannot be read: 00:00:0"),
        ("u1.srt", "1\n-00:00:01,0 --> 00:00:02,0\nhi\n", "u1.srt:2: its times cannot be read: -0"),
    ],
)
def test_broken_subtitles_are_told_with_their_line(
    tmp_path: Path, name: str, content: str, detail: str
) -> None:
    (tmp_path / name).write_text(content)
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail.startswith(f"{tmp_path}/{detail}")


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("u1 1 500.3 0.5 hello", "all.ctm:2: begins at 500.3 s, the audio ends at 2 s"),
        ("u1 1 1.5 97.5 hello", "all.ctm:2: ends at 99 s, the audio ends at 2 s"),
        ("u1 1 1.8 0.22 hello", None),
        ("u1 1 2.01 0.01 hello", None),
        ("u1 1 2.05 0.01 hello", "all.ctm:2: begins at 2.05 s, the audio ends at 2 s"),
        ("u1 1 1.8 0.28 hello", None),
        ("u1 1 1.8 0.32 hello", "all.ctm:2: ends at 2.12 s, the audio ends at 2 s"),
    ],
)
def test_times_after_the_audio_of_a_clip_say_nothing_against_its_text(
    tmp_path: Path, line: str, detail: str | None
) -> None:
    """The clip is 2 s long; 0.03 s are taken for rounding, 0.1 s at an end for a frame."""
    (tmp_path / "all.ctm").write_text(f"u1 1 0 0.5 world\n{line}\n")
    found = align(tmp_path, utterance("world hello"))
    if detail is None:
        assert found.status is AlignmentStatus.ALIGNED
    else:
        assert (found.status, found.detail) == ("not_imported", f"{tmp_path}/{detail}")


def test_an_alignment_of_the_recording_has_to_have_a_word_in_the_clip(tmp_path: Path) -> None:
    (tmp_path / "clip.TextGrid").write_text(MFA)
    found = align(tmp_path, utterance("hello world", utt_id="clip-9", offset_s=500.0))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == (
        f"{tmp_path}/clip.TextGrid: has no word between 500 s and 502 s, where the clip is; "
        "its words are between 0.2 s and 1.1 s"
    )


def test_a_supervision_of_a_clip_lies_in_it(tmp_path: Path) -> None:
    """The clip begins 10 s into its recording, as do the times of Lhotse."""
    (tmp_path / "all.jsonl").write_text(json.dumps(supervision("u1", "hello world")))
    found = align(tmp_path, utterance("hello world", offset_s=10.0))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == f"{tmp_path}/all.jsonl:1: begins at 0 s, the audio begins at 10 s"


@pytest.mark.parametrize("words", [[], [{"word": "10"}, {"word": "20", "start": None}]])
def test_without_a_word_that_has_times_there_is_no_alignment(
    tmp_path: Path, words: list[dict[str, object]]
) -> None:
    (tmp_path / "u1.json").write_text(segment(*words))
    found = align(tmp_path, utterance("10 20"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == f"{tmp_path}/u1.json: has no word with times"


def test_no_word_of_a_recording_begins_after_its_end(tmp_path: Path) -> None:
    """The recording is 5 s long, the clip from 2 s to 4 s; a last word may end too late for it."""
    soundfile.write(tmp_path / "clip.wav", np.zeros(5 * RATE, np.float32), RATE)
    clip = utterance("hello", utt_id="clip-2", path=str(tmp_path / "clip.wav"), offset_s=2.0)
    words = "clip 1 0.5 0.5 before\nclip 1 2.5 0.5 hello\nclip 1 4.9 0.5 after\n"
    (tmp_path / "all.ctm").write_text(words)
    assert align(tmp_path, clip).status is AlignmentStatus.ALIGNED
    (tmp_path / "all.ctm").write_text(f"{words}clip 1 500.3 0.5 lost\n")
    found = align(tmp_path, clip)
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == f"{tmp_path}/all.ctm:4: begins at 500.3 s, the audio ends at 5 s"


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("u1.json", "", "u1.json:1: is no JSON: Expecting value, column 1"),
        ("u1.json", '{"segments": [\n', "u1.json:2: is no JSON: Expecting value, column 1"),
        ("u1.json", "{}", "u1.json: has no segments, as WhisperX writes them"),
        ("u1.json", "1" * 5000, "u1.json: is no JSON: too large a number, or nested too deeply"),
        ("u1.json", '{"a":' * 100_000, "u1.json: is no JSON: too large a number, or nested too"),
        ("u1.json", '{"segments": [1]}', "u1.json: segment 1: has no names where some are needed"),
        ("u1.json", '{"segments": [{"text": "a"}]}', "u1.json: segment 1: has no 'start'"),
        (
            "u1.json",
            segment({"word": "hello", "start": "abc", "end": 1}),
            "u1.json: segment 1, word 1: its 'start' is no number: \"abc\"",
        ),
        (
            "u1.json",
            segment({"word": "hello", "start": 0, "end": 10**400}),
            "u1.json: segment 1, word 1: its 'end' is no number: 1000000000000000000000",
        ),
        (
            "u1.json",
            segment({"word": "hello", "start": 0, "end": 1, "score": [1]}),
            "u1.json: segment 1, word 1: its 'score' is no number: [1]",
        ),
        ("u1.json", segment({"start": 0, "end": 1}), "u1.json: segment 1, word 1: has no 'word'"),
    ],
)
def test_damaged_json_of_a_clip_is_told_in_a_sentence(
    tmp_path: Path, name: str, content: str, detail: str
) -> None:
    (tmp_path / name).write_text(content)
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail.startswith(f"{tmp_path}/{detail}")


@pytest.mark.parametrize("name", ["u1.srt", "u1.json"])
def test_a_file_that_is_no_utf_8_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1\n2\ncaf\xe9\n")
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert found.detail == f"{tmp_path}/{name}:3: is not valid UTF-8"


def test_a_damaged_gzip_of_one_clip_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "u1.json.gz").write_bytes(gzip.compress(b"{}")[:12])
    (tmp_path / "u2.json").write_text(whisperx("hello"))
    found = align(tmp_path, utterance("hello"))
    assert found.status is AlignmentStatus.NOT_IMPORTED
    assert "the gzip data is damaged" in found.detail
    assert align(tmp_path, utterance("hello", utt_id="u2")).status is AlignmentStatus.ALIGNED


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.jsonl", '{"audio_filepath": "u1.wav", "text": "hello", "id": "u1"}\n"u1"\n'),
        ("m.json", '[{"id": "u1", "text": "hello"}, 1, null]'),
    ],
)
def test_json_without_alignments_is_passed_over(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    (tmp_path / "all.ctm").write_text("u1 1 0 0.5 hello\n")
    build_aligner(f"import:{tmp_path}").load()
    assert align(tmp_path, utterance("hello")).status is AlignmentStatus.ALIGNED
    absent = align(tmp_path, utterance("hello", utt_id="u2"))
    assert absent.detail == (
        "no alignment is called u2 or clip; there are u1; "
        f"1 file passed over, without an alignment: {name}"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("all.ctm", b"u1 1 0 0.5 a\nu1 1 0.5 0.5 caf\xe9\n", "all.ctm:2: is not valid UTF-8"),
        ("all.jsonl", b"{\n", "all.jsonl:1: is no JSON"),
    ],
)
def test_a_damaged_file_of_many_clips_is_found_before_workers_start(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as damaged:
        _ = build_aligner(f"import:{tmp_path}").version
    assert damaged.value.hint == "correct it, or take the file out of the folder"
