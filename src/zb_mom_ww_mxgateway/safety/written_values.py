"""Whether the value of a tag is the one that was written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Typed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_as_written(
    written: Any, actual: Any, *, tolerance: float | None = None, data_type: DataType | int = DataType.UNSPECIFIED
) -> bool:
    """Return whether a tag of this type that was written has this value now.

    Whole numbers, Booleans, texts and times are equal or they are not. A real may differ by `tolerance`, or by what its
    type cannot tell (:mod:`zb_mom_ww_mxgateway.comparison`). Arrays are compared element by element.
    """
    if isinstance(written, Typed):
        written = written.sent
    if isinstance(written, SparseArray):
        return isinstance(actual, list | tuple) and _is_sparse_as_written(written, actual, tolerance, data_type)
    if isinstance(written, list | tuple) and isinstance(actual, list | tuple):
        return len(written) == len(actual) and all(
            is_as_written(one, other, tolerance=tolerance, data_type=data_type)
            for one, other in zip(written, actual, strict=True)
        )
    room = tolerance if isinstance(actual, float) else None
    return same_value(written, actual, tolerance=room, data_type=data_type)


def _is_sparse_as_written(
    written: SparseArray, actual: Sequence[Any], tolerance: float | None, data_type: DataType | int
) -> bool:
    named = dict(written.elements)
    return len(actual) == written.total_length and all(
        is_as_written(named[index], element, tolerance=tolerance, data_type=data_type)
        if index in named
        else (not element or element == _EPOCH)
        for index, element in enumerate(actual)
    )
