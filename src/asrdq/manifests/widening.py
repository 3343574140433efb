"""One type for a column that had several: integers widen to floats, what does not fit to text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from asrdq.manifests.formats.exact_json import json_text
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa


def common_type(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """Return the narrowest type that holds values of both; text where nothing else does."""
    import pyarrow as pa

    if left == right or pa.types.is_null(right):
        return left
    if pa.types.is_null(left):
        return right
    if {left, right} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_list(left) and pa.types.is_list(right):
        return pa.list_(common_type(left.value_type, right.value_type))
    if pa.types.is_struct(left) and pa.types.is_struct(right):
        return _common_struct(left, right)
    return pa.string()


def _common_struct(left: pa.StructType, right: pa.StructType) -> pa.StructType:
    import pyarrow as pa

    kinds = {field.name: field.type for field in left}
    for field in right:
        kinds[field.name] = common_type(kinds.get(field.name, field.type), field.type)
    return pa.struct(list(kinds.items()))


def storable(kind: pa.DataType) -> pa.DataType:
    """Return the type a table keeps: text in the place of types that hold nothing."""
    import pyarrow as pa

    if pa.types.is_null(kind) or (pa.types.is_struct(kind) and kind.num_fields == 0):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(storable(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, storable(field.type)) for field in kind])
    return kind


def convert(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return a column in a wider type; values become JSON where that type is text."""
    import pyarrow as pa

    if column.type == kind:
        return column
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if pa.types.is_string(kind):
        texts = [json_text(plain(value)) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, kind)])
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array(_reshape(column.to_pylist(), kind), kind)])
    return column.cast(kind)


def _reshape(values: list[object], kind: pa.DataType) -> list[object]:
    """Turn nested values into what an Arrow array of the type takes."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return [
            None if value is None else _reshape(list(value), kind.value_type)  # type: ignore[call-overload]
            for value in values
        ]
    if pa.types.is_struct(kind):
        return [_reshape_struct(value, kind) for value in values]
    if pa.types.is_string(kind):
        return [v if v is None or isinstance(v, str) else json.dumps(plain(v)) for v in values]
    return values


def _reshape_struct(value: object, kind: pa.StructType) -> dict[str, object] | None:
    if not isinstance(value, dict):
        return None
    return {field.name: _reshape([value.get(field.name)], field.type)[0] for field in kind}
