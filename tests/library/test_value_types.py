"""The table of types: each type there and back, through everything that reads, sends, compares and shows values."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from zb_mom_ww_mxgateway import Array, MxGatewayArgumentError, Typed, from_mx_value, same_value, to_mx_value
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import (
    TYPE_NAMES,
    TYPES,
    WIDEST,
    DataType,
    TypeSpec,
    family_of,
    type_of,
    type_of_tag,
)
from zb_mom_ww_mxgateway.values import normalize
from zb_mom_ww_mxgateway_console.render.forms import json_line, value_form, value_text
from zb_mom_ww_mxgateway_console.render.text_values import parse_typed, typed_from_json
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.comparison import ORDERING, Comparison
from zb_mom_ww_mxgateway_shell.language.literals import Literal, TagType
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import literal_text, plain_text


def samples() -> Iterator[tuple[TypeSpec, str]]:
    """Texts of each type: its example, its choices, and the ends of its range."""
    for spec in TYPES.values():
        for text in dict.fromkeys((spec.example, *spec.choices, *map(str, spec.wire.limits or ()))):
            yield spec, text


each_sample = pytest.mark.parametrize(
    ("spec", "text"), [pytest.param(*each, id=f"{each[0].name}:{each[1]}") for each in samples()]
)
each_type = pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in TYPES.items()])


def literal(text: str, known: TagType | None = None) -> Typed:
    (word,) = split(text)
    return Literal(word).for_tag("A.B", known)


def there_and_back(value: Any) -> Any:
    return from_mx_value(pb.MxValue.FromString(to_mx_value(value).SerializeToString()))


def holds(operator: str, wanted: str, actual: Any, spec: TypeSpec) -> bool:
    (word,) = split(wanted)
    comparison = Comparison(Token(operator, 0, len(operator)), word)
    comparison.check()
    return comparison.holds(actual, spec.wire.data_type)


def is_value(found: Any, expected: Any, spec: TypeSpec) -> bool:
    return type(found) is spec.python_type and bool(found == expected)


@each_sample
def test_a_value_is_typed_sent_and_comes_back(spec: TypeSpec, text: str) -> None:
    typed = literal(f"{spec.name}:{text}")
    assert typed == parse_typed(spec.name, text, is_array=False)
    message = to_mx_value(typed)
    assert message.WhichOneof("kind") == f"{spec.wire.arm}_value"
    assert (message.data_type, message.variant_type) == (spec.wire.data_type, spec.wire.variant_type)
    back = there_and_back(typed)
    assert is_value(back, typed.sent, spec)
    found = type_of(back)
    assert found is not None
    assert (found.python_type, found.family) == (spec.python_type, spec.family)
    if spec.implied_by is not None:
        assert normalize(back).data_type is spec.wire.data_type


@each_sample
def test_a_bare_value_takes_the_type_of_the_tag(spec: TypeSpec, text: str) -> None:
    for data_type in spec.tag_types or (spec.wire.data_type,):
        assert type_of_tag(data_type, spec.wire.variant_type) is spec
        known = TagType(data_type, variant_type=spec.wire.variant_type)
        assert literal(text, known) == literal(f"{spec.name}:{text}")
        assert (known.type_name, known.title, known.choices) == (spec.name, spec.title, spec.choices)


@each_sample
def test_a_value_compares_with_what_was_typed(spec: TypeSpec, text: str) -> None:
    typed = literal(f"{spec.name}:{text}")
    back = there_and_back(typed)
    assert same_value(typed, back)
    assert same_value(typed.sent, back, data_type=spec.wire.data_type)
    assert not same_value(typed, None)
    quoted = f'"{text}"' if spec.family.name == "TEXT" else text
    for wanted in (quoted, f"{spec.name}:{text}"):
        assert holds("=", wanted, back, spec)
        assert not holds("!=", wanted, back, spec)
        for operator in ORDERING:
            if spec.family.is_ordered:
                assert holds(operator, wanted, back, spec) is (operator in ("<=", ">="))
            else:
                with pytest.raises(InputError):
                    holds(operator, wanted, back, spec)


@each_sample
def test_the_text_and_the_json_of_a_value_read_back_as_the_same(spec: TypeSpec, text: str) -> None:
    typed = literal(f"{spec.name}:{text}")
    back = there_and_back(typed)
    assert value_text(typed) == value_text(back) == spec.text(back) == plain_text(back)
    assert same_value(parse_typed(spec.name, value_text(back)), back)
    assert same_value(literal(f"{spec.name}:{literal_text(back)}"), back)
    form = json.loads(json_line(value_form(back)))
    assert form == json.loads(json_line(value_form(typed)))
    assert same_value(typed_from_json(spec.name, form), back)
    assert isinstance(form, str) is spec.is_quoted


@each_sample
def test_an_array_goes_there_and_back_too(spec: TypeSpec, text: str) -> None:
    typed = literal(f"{spec.name}:[{text}, {text}]")
    back = there_and_back(typed)
    assert isinstance(back, Array)
    assert (back.dimensions, back.element_type) == ((2,), spec.wire.data_type)
    assert all(is_value(element, expected, spec) for element, expected in zip(back, typed.sent, strict=True))
    assert there_and_back(back) == back
    assert to_mx_value(Typed(spec.name, [])).array_value.WhichOneof("values") == f"{spec.wire.arm}_values"
    form = json.dumps(value_form(back))
    assert same_value(parse_typed(spec.name, form, is_array=True), back)
    assert same_value(typed_from_json(spec.name, json.loads(form)), back)
    assert holds("=", f"{spec.name}:[{text}, {text}]", back, spec)
    assert not holds("=", f"{spec.name}:[{text}]", back, spec)


@each_type
def test_a_value_of_another_family_is_refused(spec: TypeSpec) -> None:
    for other in TYPES.values():
        if other.family is spec.family:
            continue
        value = there_and_back(literal(f"{other.name}:{other.example}"))
        with pytest.raises(MxGatewayArgumentError):
            Typed(spec.name, value)
        assert not same_value(Typed(spec.name, spec.read(spec.example)), value)
        with pytest.raises(InputError, match=spec.family):
            holds("=", f"{spec.name}:{spec.example}", value, spec)


@each_type
def test_the_widest_type_of_a_family_is_the_last(spec: TypeSpec) -> None:
    widest = WIDEST[spec.family]
    assert TYPE_NAMES.index(spec.name) <= TYPE_NAMES.index(widest.name)
    assert widest.read(spec.example) == spec.read(spec.example)
    assert family_of(there_and_back(Typed(spec.name, spec.read(spec.example)))) is spec.family


def test_every_arm_of_the_contract_is_of_one_type() -> None:
    scalars = {field.name for field in pb.MxValue.DESCRIPTOR.oneofs_by_name["kind"].fields}
    arrays = {field.name for field in pb.MxArray.DESCRIPTOR.oneofs_by_name["values"].fields}
    arms = {spec.wire.arm for spec in TYPES.values()} | {"raw"}
    assert scalars == {f"{arm}_value" for arm in arms} | {"array_value", "sparse_array_value"}
    assert arrays == {f"{arm}_values" for arm in arms}


def test_the_most_specific_python_type_decides() -> None:
    found = [type_of(value) for value in (True, 1, Float32(0.5), 1.5, "a")]
    assert found == [TYPES[name] for name in ("bool", "int32", "float", "double", "string")]
    assert [type_of(value) for value in (None, b"", [1], 1j)] == [None] * 4
    assert type_of_tag(DataType.REFERENCE_TYPE) is None
    assert type_of_tag(77) is None
