"""What `asrdq score` is measured against: each peer reads the same pairs from Parquet.

A peer gets the file of pairs and a folder, prints the number of word errors, and runs in the Python
of `.venv-peers` (`make peers`).
"""

from __future__ import annotations

JIWER = """
import sys
import jiwer, pyarrow as pa, pyarrow.parquet as pq

pairs, folder = sys.argv[1:]
table = pq.read_table(pairs)
texts = table["reference"].to_pylist(), table["hypothesis"].to_pylist()
clean = [
    jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()
]
words = jiwer.Compose([*clean, jiwer.ReduceToListOfListOfWords()])
characters = jiwer.Compose([*clean, jiwer.ReduceToListOfListOfChars()])
by_word = jiwer.process_words(*texts, words, words)
by_character = jiwer.process_characters(*texts, characters, characters)

def errors(alignments):
    counts = {"substitute": [], "delete": [], "insert": []}
    for alignment in alignments:
        own = dict.fromkeys(counts, 0)
        for chunk in alignment:
            if chunk.type != "equal":
                own[chunk.type] += max(
                    chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                )
        for kind, number in own.items():
            counts[kind].append(number)
    return counts

scored = {**table.select(["domain", "noise"]).to_pydict(), **errors(by_word.alignments)}
scored["words"] = [len(words) for words in by_word.references]
scored["characters"] = [len(text) for text in by_character.references]
own = errors(by_character.alignments)
scored["character_edits"] = [sum(kinds) for kinds in zip(*own.values())]
scored = pa.table(scored)
counts = [(name, "sum") for name in scored.column_names[2:]]
for column in ("domain", "noise"):
    scored.group_by(column).aggregate(counts)
pq.write_table(scored, f"{folder}/scores.parquet")
print(by_word.substitutions + by_word.deletions + by_word.insertions)
"""

WERX = """
import sys
import pyarrow.parquet as pq
import werx

table = pq.read_table(sys.argv[1])
result = werx.analysis(table["reference"].to_pylist(), table["hypothesis"].to_pylist())
print(sum(row.ld for row in result))
"""

KALDIALIGN = """
import sys
import pyarrow.parquet as pq
from kaldialign import edit_distance

table = pq.read_table(sys.argv[1])
total = 0
for reference, hypothesis in zip(table["reference"].to_pylist(), table["hypothesis"].to_pylist()):
    total += edit_distance(reference.split(), hypothesis.split())["total"]
print(total)
"""

PEERS = {"jiwer": JIWER, "werx": WERX, "kaldialign": KALDIALIGN}
