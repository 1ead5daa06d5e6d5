"""The columns of a row: those a mail is read into, those scoring adds."""

import pyarrow as pa

from textsent.errors import InputError, OptionError

MAIL_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string()),
        pa.field("date", pa.timestamp("ms", tz="UTC")),
        pa.field("from", pa.string()),
        pa.field("to", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("in_reply_to", pa.string()),
        pa.field("list_id", pa.string()),
        pa.field("text", pa.string()),  # what is scored
        pa.field("attachments", pa.int32()),
        pa.field("flags", pa.list_(pa.string())),  # what is to be known of the message, or of how it was read
        pa.field("offset", pa.int64()),  # bytes from the start of the (decompressed) file
    ]
)

RAW_FIELDS = pa.schema(
    [
        pa.field("raw_separator", pa.binary()),  # and what else stands before it; null in a file of its own
        pa.field("raw_content", pa.large_binary()),
        pa.field("raw_begins", pa.bool_()),  # the first of its mailbox
    ]
)
"""A message as it stood in its mailbox, carried beside its columns where it is to be written back."""

_PROBLEM_KEY = b"textsent.problem"

PROBLEM_FIELDS = pa.schema(
    [
        pa.field("problem", pa.string(), metadata={_PROBLEM_KEY: b""}),  # null where there is none
        pa.field("line", pa.int64(), metadata={_PROBLEM_KEY: b""}),  # from 1 on; null in a file without lines
    ]
)
"""What is wrong with a row as it was read, carried behind its columns until it is scored."""

UNDECODABLE = "undecodable bytes"
TOO_FEW_FIELDS = "too few fields"
TOO_MANY_FIELDS = "too many fields"
OPEN_QUOTE = "quote not closed"
TOO_LONG = "row too long"
NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not a JSON object"
UNKNOWN_FIELD = "unknown field"
WRONG_TYPE = "wrong type"
"""The problems. One that begins with WRONG_TYPE goes on with names of columns."""

ADVICE = {
    UNDECODABLE: "convert it, for instance with `iconv -f WINDOWS-1252 -t UTF-8`; textsent score has --encoding",
    TOO_FEW_FIELDS: "give it a field for each column, empty where there is no value",
    TOO_MANY_FIELDS: "put fields that hold the delimiter or a line's end into quotes",
    OPEN_QUOTE: "close it, and write a quote within quotes twice",
    TOO_LONG: "cut it up",
    NOT_JSON: "mend the line or take it out",
    NOT_AN_OBJECT: 'write it like {"text": "…"}',
    UNKNOWN_FIELD: "put all fields into the first line, null where they are missing",
    WRONG_TYPE: "give the values of a field one type, for instance strings",
}
"""What to do about each."""

MODEL_KEY = "textsent.model"
"""Key of a scored table's metadata: the name of the model."""

NO_TEXT = {
    "encrypted": "encrypted",
    "images_only": "only images",
    "attachments_only": "only attachments",
    "oversize": "too large",
    "unreadable": "unreadable",
}
"""Flags of a message without text, and what `error` says of it."""

SCORE_SCHEMA = pa.schema(
    [
        pa.field("sentiment", pa.string()),  # positive, negative or neutral
        pa.field("score", pa.float32()),  # probability that the text is positive, 0 … 1
        pa.field("words", pa.int32()),  # words in the text
        pa.field("coverage", pa.float32()),  # share of them in the vocabulary, 0 … 1
        pa.field("error", pa.string()),  # why there is no score, or what else is wrong with the row; else null
    ]
)


SENTENCE_SCHEMA = pa.schema(
    [
        pa.field("lowest_sentence", pa.string()),  # the text's most negative sentence; null where none has a score
        pa.field("lowest_score", pa.float32()),  # its score, 0 … 1
    ]
)


def scored_schema(
    schema: pa.Schema, prefix: str = "", model: str | None = None, sentences: bool = False
) -> pa.Schema:
    """Return `schema` with the columns that scoring adds after its own.

    Args:
        schema: The columns that came in.
        prefix: Put before the name of each added column.
        model: The model's name, for the metadata.
        sentences: Also those of SENTENCE_SCHEMA.

    Raises:
        OptionError: An added column has the name of one that came in.
    """
    fields = [*SCORE_SCHEMA, *(SENTENCE_SCHEMA if sentences else ())]
    added = [field.with_name(prefix + field.name) for field in fields]
    clashes = [field.name for field in added if field.name in schema.names]
    if clashes:
        raise OptionError(
            f"the input already has the column{'s'[: len(clashes) > 1]} {_listed(clashes)}: "
            "give the added columns a prefix, for instance --prefix textsent_"
        )
    metadata = {**(schema.metadata or {}), **({MODEL_KEY.encode(): model.encode()} if model else {})}
    return pa.schema([*schema, *added], metadata=metadata or None)


def before_scoring(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a scored schema that came in, without those that scoring added after them."""
    added = len(SCORE_SCHEMA)
    ends = [name.endswith(field.name) for name, field in zip(schema.names[-2:], SENTENCE_SCHEMA, strict=False)]
    return pa.schema(list(schema)[: -added - (len(SENTENCE_SCHEMA) if all(ends) else 0)])


def text_column(schema: pa.Schema, name: str | None = None) -> str:
    """Return the name of the column that holds the texts.

    Args:
        schema: The columns of the input.
        name: The column asked for. With None it is `text`, or else the only column of strings.

    Raises:
        InputError: There is no such column, or several could be meant.
    """
    strings = [field.name for field in schema if is_text(field.type)]
    if name is None and ("text" in strings or len(strings) == 1):
        name = "text" if "text" in strings else strings[0]
    if name is None and not strings and "text" in schema.names:
        name = "text"
    if name is not None and name in strings:
        if schema.names.count(name) > 1:
            raise InputError(f"{schema.names.count(name)} columns are named {name!r}: rename them")
        return name
    if name is None:
        problem = "no column is named 'text' and " + (
            f"{len(strings)} hold strings" if strings else "none holds strings"
        )
    elif name in schema.names:
        kind = schema.field(name).type
        is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
        problem = f"the column {name!r} holds {kind}, not strings"
        if is_binary:
            problem += ": write it as strings, in pandas with .str.decode('utf-8')"
    else:
        problem = f"there is no column {name!r}"
    raise InputError(f"{problem}: choose one with --text-column. The columns are {_listed(schema.names) or 'none'}")


def with_problems(
    batch: pa.RecordBatch, problems: pa.Array | None = None, lines: pa.Array | None = None
) -> pa.RecordBatch:
    """Return a batch with PROBLEM_FIELDS behind its columns, by default null."""
    kinds = PROBLEM_FIELDS.types
    added = [pa.nulls(batch.num_rows, kinds[0]) if problems is None else problems]
    added.append(pa.nulls(batch.num_rows, kinds[1]) if lines is None else lines)
    schema = pa.schema([*batch.schema, *PROBLEM_FIELDS], metadata=batch.schema.metadata)
    return pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)


def split_problems(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
    """Return a batch without PROBLEM_FIELDS, and these; None where it has none."""
    schema, own = batch.schema, len(batch.schema) - len(PROBLEM_FIELDS)
    if own < 0 or any(_PROBLEM_KEY not in (schema.field(at).metadata or {}) for at in range(own, len(schema))):
        return batch, None
    columns = batch.columns
    kept = pa.RecordBatch.from_arrays(columns[:own], schema=pa.schema(list(schema)[:own], metadata=schema.metadata))
    return kept, pa.RecordBatch.from_arrays(columns[own:], schema=PROBLEM_FIELDS)


def hides_text(problem: str, column: str) -> bool:
    """Return whether a row with this problem has no text in `column` that could be scored."""
    if problem.startswith(WRONG_TYPE):
        return repr(column) in problem
    return problem not in (UNDECODABLE, UNKNOWN_FIELD)


def is_text(data_type: pa.DataType) -> bool:
    """Return whether `data_type` is a string type, or a dictionary of strings."""
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    return (
        pa.types.is_string(data_type) or pa.types.is_large_string(data_type) or pa.types.is_string_view(data_type)
    )


def is_mail(schema: pa.Schema) -> bool:
    """Return whether rows are mails, which say in `flags` why one has no text."""
    return all(schema.get_all_field_indices(field.name) for field in MAIL_SCHEMA) and (
        schema.names.count("flags") == 1 and schema.field("flags").type == MAIL_SCHEMA.field("flags").type
    )


def why_no_text(flags: list[str] | None) -> str | None:
    """Return what `error` says of a mail without text that has these flags; None where they don't tell."""
    return next((NO_TEXT[name] for name in flags or () if name in NO_TEXT), None)


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
