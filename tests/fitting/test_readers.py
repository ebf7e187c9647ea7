"""Every reader with every fate of a file: good, empty, damaged, misnamed, with gaps, with columns of one name, text."""

import bz2
import gzip
import io
import json
import lzma

import numpy as np
import pandas as pd
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from autoopt.errors import DataError, UsageError
from autoopt.tables import readers
from autoopt.tables.readers import READERS, dataset, load

FRAME = pd.DataFrame({"y": [1, 0, 1, 0], "age": [30.5, 41.0, 28.25, 66.0], "town": ["Ulm", "Bonn", "Köln", "Ulm"]})
GAPS = FRAME.assign(age=[30.5, np.nan, np.inf, np.nan])


def text_of(delimiter):
    return lambda frame: frame.to_csv(index=False, sep=delimiter).encode()


def parquet_of(frame):
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame), buffer)
    return buffer.getvalue()


def feather_of(frame):
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pyarrow.Table.from_pandas(frame), buffer)
    return buffer.getvalue()


def lines_of(frame):
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return "\n".join(json.dumps(row) for row in rows).encode()


def records_of(frame):
    return json.dumps(frame.astype(object).where(frame.notna(), None).to_dict("records")).encode()


def npz_of(frame):
    buffer = io.BytesIO()
    np.savez(buffer, **{name: frame[name].to_numpy() for name in ("y", "age")})
    return buffer.getvalue()


def npy_of(frame):
    buffer = io.BytesIO()
    np.save(buffer, frame[["y", "age"]].to_records(index=False))
    return buffer.getvalue()


WRITERS = {
    ".csv": text_of(","),
    ".tsv": text_of("\t"),
    ".parquet": parquet_of,
    ".feather": feather_of,
    ".jsonl": lines_of,
    ".json": records_of,
    ".npz": npz_of,
    ".npy": npy_of,
}
TEXT = [".csv", ".tsv"]
COMPRESSED = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
COMPRESSED[".zst"] = lambda raw: pyarrow.Codec("zstd").compress(raw, asbytes=True)


@pytest.fixture
def file(tmp_path):
    def write(raw, name):
        path = tmp_path / name
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return path

    return write


def message(call, *args, kind=DataError, **others):
    with pytest.raises(kind) as caught:
        call(*args, **others)
    assert caught.value.remedy
    return caught.value.happened


def test_every_reader_is_tried():
    assert [reader.suffixes[0] for reader in READERS] == list(WRITERS)


@pytest.mark.parametrize("suffix", WRITERS)
def test_good_files_give_their_columns(file, suffix):
    data = load(file(WRITERS[suffix](FRAME), f"d{suffix}"))
    assert data.names[:2] == ["y", "age"] and data.table == (suffix != ".npz")
    taken = data.take(["age", "y"])
    assert taken["age"].tolist() == FRAME["age"].tolist() and taken["y"].tolist() == [1, 0, 1, 0]
    assert taken["age"].dtype == float and taken["y"].dtype == np.int64
    if "town" in data.names:
        assert data.text == ["town"] and data.array("town").tolist() == FRAME["town"].tolist()
        assert "text in the column town" in message(data.take, ["town"])


@pytest.mark.parametrize("suffix", [suffix for reader in READERS for suffix in reader.suffixes[1:]])
def test_other_suffixes_are_those_of_the_same_reader(file, suffix):
    first = next(reader.suffixes[0] for reader in READERS if suffix in reader.suffixes)
    assert load(file(WRITERS[first](FRAME), f"d{suffix.upper()}")).take(["y"])["y"].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("suffix", WRITERS)
def test_empty_files_are_told(file, suffix):
    assert "is empty" in message(load, file(b"", f"d{suffix}"))


DAMAGED = {
    ".csv": "2 lines of another length than the first, which names 3 columns:\n  line 3: 2 values\n  line 5: 1 values",
    ".tsv": "2 lines of another length than the first, which names 3 columns:\n  line 3: 2 values\n  line 5: 1 values",
    ".parquet": "cannot be read as a Parquet file",
    ".feather": "cannot be read as a Feather file",
    ".jsonl": "line 4 is not JSON",
    ".json": "is not JSON",
    ".npz": "cannot be read as NumPy arrays",
    ".npy": "cannot be read as NumPy arrays",
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_damaged_files_are_told(file, suffix):
    raw = WRITERS[suffix](FRAME)
    mark = b"," if suffix == ".csv" else b"\t"
    if suffix in TEXT:
        lines = raw.split(b"\n")
        raw = b"\n".join([*lines[:2], mark.join(lines[2].split(mark)[:2]), lines[3], b"7", b""])
    else:
        raw = raw[:-8]
    assert DAMAGED[suffix] in message(lambda: load(file(raw, f"d{suffix}")).arrays)


@pytest.mark.parametrize("suffix", WRITERS)
def test_files_with_the_suffix_of_others_are_told(file, suffix):
    wrong = ".csv" if suffix not in TEXT else ".parquet"
    said = message(lambda: load(file(WRITERS[suffix](FRAME), f"d{wrong}")).arrays)
    begins = {".parquet": ".parquet", ".feather": ".feather", ".npz": ".npz", ".npy": ".npy"}
    if suffix in begins:
        assert f"is no text, but begins as {suffix} files do" in said
    elif suffix in TEXT:
        assert "cannot be read as a Parquet file" in said
    else:
        assert "is no table of text, but begins as .json files do" in said


@pytest.mark.parametrize("suffix", WRITERS)
def test_missing_and_infinite_values_are_placed(file, suffix):
    data = load(file(WRITERS[suffix](GAPS), f"d{suffix}"))
    said = message(data.take, ["y", "age"])
    places = {".csv": "line 3", ".tsv": "line 3", ".jsonl": "line 2", ".json": "record 1", ".npz": "index 1"}
    place = places.get(suffix, "row 1")
    assert f"{place}, column age: missing" in said or f"array age, {place}: missing" in said
    assert said.count("infinite\n") == (suffix != ".npz") and ("3 missing, infinite or" in said) == (suffix != ".npz")


TWICE = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])


def twice_of(write, module):
    table = pyarrow.table([pyarrow.array([1]), pyarrow.array([2]), pyarrow.array([3])], names=["a", "b", "a"])
    buffer = io.BytesIO()
    getattr(module, write)(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_two_columns_of_one_name_are_refused(file, suffix):
    raw = twice_of("write_table", pyarrow.parquet) if suffix == ".parquet" else WRITERS[suffix](TWICE)
    assert "more than one column a" in message(load, file(raw, f"d{suffix}"))


@pytest.mark.parametrize("compressed", COMPRESSED)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".npz"])
def test_compressed_files_are_read(file, suffix, compressed):
    raw = COMPRESSED[compressed](WRITERS[suffix](FRAME))
    assert load(file(raw, f"d{suffix}{compressed}")).take(["y"])["y"].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("compressed", COMPRESSED)
def test_compressed_files_that_are_none_or_are_cut_are_told(file, compressed):
    raw = WRITERS[".csv"](pd.concat([FRAME] * 900))
    assert "cannot be decompressed" in message(lambda: load(file(raw, f"d.csv{compressed}")).arrays)
    cut = COMPRESSED[compressed](raw)[:-20]
    assert "cannot be decompressed" in message(lambda: load(file(cut, f"d.csv{compressed}")).arrays)
    assert "is compressed" in message(load, file(COMPRESSED[compressed](raw), "d.csv"))


# Text -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "was read as UTF-16"),
        ("utf-16-le", "was read as UTF-16-LE"),
        ("utf-16-be", "was read as UTF-16-BE"),
        ("utf-32", "was read as UTF-32"),
        ("cp1252", "was read as Windows' cp1252"),
    ],
)
def test_encodings_are_recognised_and_told(file, encoding, told):
    data = load(file(FRAME.to_csv(index=False).encode(encoding), "d.csv"))
    assert data.names == ["y", "age", "town"]
    assert data.array("town").tolist() == FRAME["town"].tolist() and data.take(["y"])["y"].tolist() == [1, 0, 1, 0]
    assert told in "".join(data.told) and bool(told) == bool(data.told)


def test_bytes_that_windows_does_not_have_are_latin_1(file):
    data = load(file("y,t\n1,\x81ü\n".encode("latin-1"), "d.csv"))
    assert data.array("t").tolist() == ["\x81ü"] and "Latin-1" in data.told[0]


def test_an_encoding_that_is_given_is_taken(file):
    path = file("y,t\n1,ж\n".encode("koi8-r"), "d.csv")
    assert load(path, {"encoding": "koi8-r"}).array("t").tolist() == ["ж"]
    assert "is not UTF-8-SIG text" in message(lambda: load(path, {"encoding": "utf-8"}).arrays)
    assert "which Python does not know" in message(load, path, {"encoding": "utf-88"}, kind=UsageError)


def test_semicolons_and_decimal_commas_are_told_and_read_on_request(file):
    path = file("y;age\n1;30,5\n0;41,25\n", "d.csv")
    assert "separated by ';'" in message(load, path)
    with pytest.raises(DataError, match="decimal commas, such as '30,5'"):
        load(path, {"delimiter": ";"}).take(["age"])
    assert load(path, {"delimiter": ";", "decimal": ","}).take(["age"])["age"].tolist() == [30.5, 41.25]
    tabs = file("y\tage\n1\t2\n", "t.csv")
    assert load(tabs, {"delimiter": "tab"}).take(["age"])["age"].tolist() == [2]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({"delimeter": ";"}, "Did you mean delimiter?"),
        ({"delimiter": ";;"}, "delimiter is ';;'"),
        ({"decimal": ","}, "decimal is ','"),
        ({"decimal": "'"}, "decimal is"),
    ],
)
def test_how_to_read_is_checked(file, reading, said):
    with pytest.raises(UsageError) as caught:
        load(file("a,b\n1,2\n", "d.csv"), reading)
    assert said in str(caught.value)


def test_text_with_a_delimiter_may_have_any_suffix(file):
    path = file("y|age\n1|2\n", "d.text")
    with pytest.raises(DataError, match=r"ends in '.text'.*\n.*--delimiter"):
        load(path)
    assert load(path, {"delimiter": "|"}).take(["age"])["age"].tolist() == [2]


@pytest.mark.parametrize("text", ["y,age\n1,2\n", "y\tage\n1\t2\n", '{"y": 1, "age": 2}\n', '[{"y": 1, "age": 2}]'])
def test_plain_text_is_known_by_its_first_line(file, text):
    assert load(file(text, "d.txt")).take(["age"])["age"].tolist() == [2]
    with pytest.raises(DataError, match="--delimiter ';'"):
        load(file("y;age\n1;2\n", "d.dat"))


@pytest.mark.parametrize("text", ["  y  age t \n1 2   'x\n10  22 y \n\n3 4 z\n", "y age t\n1 2 x\n10 22 y\n3 4 z\n"])
def test_blanks_between_columns_are_as_many_as_there_may_be(file, text):
    data = load(file(text, "d.txt"), {"delimiter": " "})
    expected = pd.read_csv(io.StringIO(text), sep=r"\s+")
    for names in (["age"], ["y", "age"]):
        assert data.take(names)["age"].tolist() == expected["age"].tolist() == [2, 22, 4]
    assert data.array("t").tolist() == expected["t"].tolist()
    assert "line 3: 1 values" in message(load(file("y age\n1 2\n3\n", "s.txt"), {"delimiter": " "}).fetch, ["y"])


def test_blanks_between_columns_are_told(file):
    with pytest.raises(DataError, match="--delimiter ' '"):
        load(file("y age\n1 2\n", "d.dat"))
    assert load(file("full name\nAnna Li\n", "d.csv")).names == load(file("full name\n7\n", "e.csv")).names
    with pytest.raises(DataError, match=r"line 2: 3 values\n.*write.table"):
        load(file('"y" "age"\n"1" 1 2\n', "r.txt"), {"delimiter": " "}).fetch(["y"])
    with pytest.raises(DataError) as caught:
        load(file("y age\n1 2\n1 2 3\n", "l.txt"), {"delimiter": " "}).fetch(["y"])
    assert "line 3: 3 values" in str(caught.value) and "write.table" not in str(caught.value)


@pytest.mark.parametrize("header", ["[Na+],y", "{x},y", "[1],y"])
def test_names_in_brackets_are_no_json(file, header, monkeypatch):
    raw = f"{header}\n1,2\n"
    assert load(file(raw, "d.csv")).names == header.split(",")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw.encode())))
    assert load("-").take(["y"])["y"].tolist() == [2]
    assert load(file('["a"],y\n1,2\n', "e.csv"), {"delimiter": ","}).take(["y"])["y"].tolist() == [2]
    with pytest.raises(DataError, match="say what separates its columns: --delimiter"):
        load(file('{"a": 1}\n', "j.csv"))


@pytest.mark.parametrize("text", [",y\n1,2\n2,3\n", '"","y"\n"1",2\n"2",3\n', "y,,z,\n2,1,1,\n3,1,1,\n"])
def test_columns_without_a_name_are_not_read_and_told(file, text):
    """pandas' to_csv and R's write.csv write the numbers of rows so."""
    data = load(file(text, "d.csv"))
    expected = pd.read_csv(io.StringIO(text))
    named = [name for name in expected.columns if not name.startswith("Unnamed")]
    assert data.names == named and data.take(named)["y"].tolist() == expected["y"].tolist() == [2, 3]
    assert "not read" in data.told[0] and data.arrays.keys() == set(named)
    assert "line 3: 2 values" in message(load(file("y,x,\n1,2,\n3,4\n", "s.csv")).fetch, ["y"])


def test_whole_numbers_beyond_those_of_64_bits_do_not_turn_negative():
    large = np.array([2**63 + 2048, 1], np.uint64)
    assert dataset({"a": large}).take(["a"])["a"].tolist() == [2.0**63 + 2048, 1.0]
    assert dataset({"a": large[1:]}).take(["a"])["a"].dtype == np.int64


def test_text_in_arrays_is_shown_as_it_is():
    assert "index 0: 'a' is not a number" in message(dataset({"s": np.array([np.str_("a"), 1], object)}).take, ["s"])


def test_only_text_is_read_in_some_way(file):
    assert "read without delimiter" in message(
        load, file(parquet_of(FRAME), "d.parquet"), {"delimiter": ";"}, kind=UsageError
    )
    assert "no file" in message(dataset, {"a": [1]}, {"delimiter": ";"}, kind=UsageError)


def test_pieces_of_a_file_are_one_column(file, monkeypatch):
    """Numbers in one piece and words in the other are one column of words, "1" among them."""
    monkeypatch.setattr("autoopt.tables.text._PIECE", 6)
    rows = [f"{i},{i / 4},{i % 3 if i < 7 else 'x'}" for i in range(20)]
    data = load(file("y,age,g\n" + "\n".join(rows) + "\n", "d.csv"))
    assert data.take(["age"])["age"].tolist() == [i / 4 for i in range(20)]
    assert data.array("g").tolist() == [str(i % 3) if i < 7 else "x" for i in range(20)]
    gaps = load(file("y,age\n" + "1,2\n" * 9 + ",3\n\n" + "4,5\n", "g.csv"))
    assert "line 11, column y: missing" in message(gaps.take, ["y"])
    assert "line 12: 1 values" in message(load(file("y,age\n" + "1,2\n" * 10 + "4\n", "s.csv")).take, ["y"])
    assert "line 12: 3 values" in message(load(file("y,age\n" + "1,2\n" * 10 + "4,5,6\n", "l.csv")).take, ["y"])


def test_pieces_of_truth_values_and_pieces_without_values(file, monkeypatch):
    monkeypatch.setattr("autoopt.tables.text._PIECE", 4)
    data = load(file("y,yes,t\n" + "1,True,a\n" * 2 + "1,,\n" * 2 + "1,,7\n1,False,\n", "d.csv"))
    assert [str(value) for value in data.array("yes")] == ["True", "True", "nan", "nan", "nan", "False"]
    assert data.array("t").tolist()[:2] == ["a", "a"] and data.array("t")[4] == "7"
    assert "line 4, column yes: missing" in message(data.take, ["yes"])
    data = load(file("y\n" + "True\n" * 4 + "2.5\n", "b.csv"))
    assert data.array("y").tolist() == ["True"] * 4 + ["2.5"]


def test_words_far_down_a_column_of_numbers(file):
    """pandas reads in parts of 2**20 numbers, and takes each for what it is."""
    head, tail = ",".join(["g", *(f"x{i}" for i in range(31))]), ",0" * 31 + "\n"
    data = load(file(f"{head}\n" + f"2{tail}" * 33_000 + f"x{tail}", "d.csv"))
    data.fetch(data.names)
    assert set(data.array("g").tolist()) == {"2", "x"} and data.text == []


@pytest.mark.parametrize("names", [["y"], ["y", "age", "town"]])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,a\n1,2,a,9\n1,2\n", "line 3: 4 values\n  line 4: 2 values"),
        ('1,2,"a,b"\n1,2,c,9\n', "line 3: 4 values"),
        ('1,2,"a,b"\n1,,"c"\n', ""),
        ("1,2,a\n1,2,\n", ""),
    ],
)
def test_lines_of_another_length_are_seen_whatever_is_asked_for(file, names, text, said):
    data = load(file("y,age,town\n" + text, "d.csv"))
    if said:
        assert said in message(data.fetch, names)
    else:
        assert [str(value) for value in data.array("y")] == ["1", "1"]


def test_lines_are_counted_with_quoted_line_ends(file):
    data = load(file('t,y\n"a\nb",1\n\n"c",\n', "d.csv"))
    assert "line 5, column y: missing" in message(data.take, ["y"])
    said = message(load(file('t,y\n"' + "x" * 200_000 + '",\n', "d.csv")).take, ["y"])
    assert "line 2: field larger than field limit" in said


def test_columns_are_read_when_they_are_asked_for(file, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "autoopt.tables.text.TextTable.read",
        lambda self, names: asked.append(list(names)) or dict.fromkeys(names, FRAME["y"]),
    )
    data = load(file(WRITERS[".csv"](FRAME), "d.csv"))
    assert asked == []
    data.take(["y"]), data.take(["y", "age"])
    assert asked == [["y"], ["age"]]


# Stdin, records, frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("compressed", ["", ".gz"])
def test_stdin_is_known_by_its_first_bytes(suffix, compressed, monkeypatch):
    raw = WRITERS[suffix](FRAME)
    stdin = io.TextIOWrapper(io.BytesIO(COMPRESSED[compressed](raw) if compressed else raw))
    monkeypatch.setattr("sys.stdin", stdin)
    data = load("-")
    assert data.source == "stdin" and data.take(["y"])["y"].tolist() == [1, 0, 1, 0]


def test_nothing_on_stdin_is_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert "nothing on stdin" in message(load, "-")


@pytest.mark.parametrize(
    ("raw", "name", "said"),
    [
        ('{"a": 1}\n[2]\n', "d.jsonl", "line 2 is no record: [2]"),
        ("\n \n", "d.jsonl", "has no records"),
        ('{"a": 1}\n{"a": 2}\n', "d.json", "more than one JSON value"),
        ('[{"a": 1}, 3]', "d.json", "record 1 is no record: 3"),
        ('{"a": [1, 2], "b": [3]}', "d.json", "no records, nor columns of one length"),
        ("3", "d.json", "holds no records"),
    ],
)
def test_json_that_is_no_records_is_told(file, raw, name, said):
    assert said in message(load, file(raw, name))


def test_columns_in_json_and_keys_that_records_lack(file):
    assert load(file('{"a": [1, 2], "b": [3, 4.5]}', "d.json")).take(["b"])["b"].tolist() == [3, 4.5]
    data = load(file('{"a": 1}\n\n{"a": 2, "b": 3}\n', "d.jsonl"))
    assert "line 1, column b: missing" in message(data.take, ["b"])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_of_every_library(library):
    frame = GAPS.assign(known=[True, False, True, True], size=pd.Categorical(["s", "l", "l", "s"], ["s", "l"]))
    frame["count"] = pd.array([1, None, 3, 4], dtype="Int64")
    given = {"pandas": frame, "polars": polars.from_pandas(frame), "pyarrow": pyarrow.Table.from_pandas(frame)}[library]
    data = dataset(given)
    assert data.names == list(frame.columns) and data.text == ["town", "size"]
    assert data.take(["y", "known"])["known"].tolist() == [1, 0, 1, 1]
    said = message(data.take, ["age", "count"])
    assert (
        "row 1, column age: missing" in said
        and "row 1, column count: missing" in said
        and "row 2, column age: infinite"
    )
    assert data.array("town").tolist() == FRAME["town"].tolist()


def test_lazy_frames_and_other_things_are_refused():
    assert "lazy frame" in message(dataset, polars.LazyFrame({"a": [1]}))
    assert "of type int" in message(dataset, 3)
    assert "more than one column a" in message(dataset, TWICE)


def test_what_is_not_installed_is_told(file, monkeypatch):
    def missing(module, extra, purpose):
        raise UsageError(f"{purpose} needs {module}, which is not installed.", remedy=f"{extra}")

    monkeypatch.setattr("autoopt.tables.columnar.imported", missing)
    monkeypatch.setattr("autoopt.tables.source.imported", missing)
    path = file(parquet_of(FRAME), "d.parquet")
    assert "A Parquet file needs pyarrow" in message(load, path, kind=UsageError)


def test_the_table_of_readers_has_a_line_each():
    assert all(reader.description and not reader.description.endswith(".") for reader in readers.READERS)
