"""The API key: on every call, refused where it cannot be sent, and never shown whole."""

import logging
import traceback

import grpc
import pytest
from hypothesis import given, strategies as st
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.auth import check_api_key, metadata, redact, redact_key
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.redaction import masked
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway

SECRET = "s3cret_With-underscores"
KEY = f"mxgw_plant7_{SECRET}"

# What the gateway makes keys of: the secret is URL-safe base64 and may have underscores.
key_ids = st.text(st.sampled_from("ABCXYZabcxyz0189-"), min_size=1, max_size=12)
secrets = st.text(st.sampled_from("ABCXYZabcxyz0189-_"), min_size=4, max_size=44)


# On every call.


async def test_every_unary_call_carries_the_key(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        server = await session.register("auth")
        await session.add_item_bulk(server, ["TestChildObject.TestInt"])
        await client.invoke(session.request("ping"))
    await client.galaxy.test_connection()
    await client.galaxy.last_deploy_time()
    async for _ in client.galaxy.discover():
        pass
    rpcs = {call.rpc for call in gateway.calls}
    assert rpcs >= {
        "TestConnection",
        "OpenSession",
        "Invoke",
        "CloseSession",
        "GetLastDeployTime",
        "DiscoverHierarchy",
    }
    assert {call.metadata["authorization"] for call in gateway.calls} == {f"Bearer {gateway.api_key}"}


async def test_the_event_stream_carries_the_key(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        server = await session.register("auth")
        await session.subscribe_bulk(server, ["TestChildObject.TestInt"])
        async for _ in session.stream_events():
            break
        await eventually(lambda: gateway.open_streams == 0, "the stream goes")
        gateway.set("TestChildObject.TestInt", 7)
        async for _ in session.stream_events_raw(after=1):
            break
    streams = [call for call in gateway.calls if call.rpc == "StreamEvents"]
    assert len(streams) == 2
    assert {call.metadata["authorization"] for call in streams} == {f"Bearer {gateway.api_key}"}


async def test_without_a_key_nothing_is_sent_in_its_place() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        async with await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client:
            await (await client.open_session()).close()
        assert len(gateway.calls) == 3
        assert all("authorization" not in call.metadata for call in gateway.calls)


def test_the_metadata_of_a_key() -> None:
    assert metadata(KEY) == (("authorization", f"Bearer {KEY}"),)
    assert metadata(None) == ()


# Keys that cannot be sent.


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "empty"),
        (f"{KEY} ", "a space at position 36"),
        (f" {KEY}", "a space at position 1"),
        (f"{KEY}\n", "a control character at position 36"),
        ("mxgw_plant7_hush\x00hush", "a control character at position 17"),
        ("mxgw_plant7_hush\x7fhush", "a control character"),
        ("mxgw_plant7_hush\thush", "a control character"),
        ("mxgw_plant7_hüsh", "not ASCII at position 14"),
        ("mxgw_plant7_hush\u00a0hush", "not ASCII"),
        (b"mxgw_plant7_hush", "must be text, not bytes"),
        (7, "must be text, not int"),
    ],
)
async def test_a_key_that_cannot_be_sent_is_refused_before_any_call(
    key: str, said: str, gateway: SimulatedGateway
) -> None:
    with pytest.raises(MxGatewayAuthenticationError, match=said) as caught:
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key, plaintext=True)
    for part in ("hush", "h\xfcsh", SECRET, "plant7"):
        assert part not in str(caught.value)
    assert gateway.calls == ()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_every_printable_key_can_be_sent(key: str) -> None:
    assert check_api_key(key) == key


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.characters())
def test_no_other_character_can(key: str, character: str) -> None:
    if "!" <= character <= "~":
        assert check_api_key(key + character)
    else:
        with pytest.raises(MxGatewayAuthenticationError):
            check_api_key(key + character)


# Keys that the gateway does not accept.


@pytest.mark.parametrize("key", ["mxgw_demo_wrong", "mxgw_nobody_x", "not-of-the-form"])
async def test_a_wrong_key_is_an_authentication_error_that_says_which(key: str, gateway: SimulatedGateway) -> None:
    with pytest.raises(MxGatewayAuthenticationError) as caught:
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key, plaintext=True)
    assert gateway.endpoint in str(caught.value)
    assert redact_key(key) in str(caught.value)
    assert key not in "".join(traceback.format_exception(caught.value))
    assert (caught.value.grpc_code, caught.value.endpoint) == ("UNAUTHENTICATED", gateway.endpoint)


async def test_no_key_where_one_is_wanted_says_so(gateway: SimulatedGateway) -> None:
    with pytest.raises(MxGatewayAuthenticationError, match="no key") as caught:
        await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True)
    assert gateway.endpoint in str(caught.value)


async def test_a_key_that_is_revoked_later_is_an_authentication_error(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.revoke("demo")
    with pytest.raises(MxGatewayAuthenticationError, match="open_session"):
        await client.open_session()


async def test_a_missing_scope_is_an_authorization_error() -> None:
    reader = GatewayKey("reader", "secret", {KeyScope.METADATA_READ, KeyScope.SESSION_OPEN, KeyScope.SESSION_CLOSE})
    async with SimulatedGateway(plaintext=True, api_keys=[reader]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=reader.text, plaintext=True)
        async with client, await client.open_session() as session:
            with pytest.raises(MxGatewayAuthorizationError, match="invoke:read") as caught:
                await session.register("auth")
            assert caught.value.grpc_code == "PERMISSION_DENIED"
            with pytest.raises(MxGatewayAuthorizationError, match="events:read"):
                await anext(session.stream_events())


async def test_a_key_without_metadata_read_connects() -> None:
    key = GatewayKey("operator", "secret", {KeyScope.SESSION_OPEN, KeyScope.SESSION_CLOSE, KeyScope.INVOKE_READ})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client, await client.open_session() as session:
            assert await session.register("auth") == 1


# Never shown whole.


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (KEY, "mxgw_plant7_***"),
        ("mxgw_a_b_c_d", "mxgw_a_***"),
        ("mxgw_nosecret", "***"),
        ("anything", "***"),
        ("mxgw_plant7_quo'te", "***"),
    ],
)
def test_what_is_shown_of_a_key(key: str, shown: str) -> None:
    assert redact_key(key) == shown


@given(before=st.text(max_size=20), key_id=key_ids, secret=secrets, after=st.sampled_from(" \n\t'\",;)]}"))
def test_no_key_of_the_gateways_form_survives(before: str, key_id: str, secret: str, after: str) -> None:
    key = f"mxgw_{key_id}_{secret}"
    redacted = redact(f"{before}{key}{after}")
    assert key not in redacted
    assert f"mxgw_{key_id}_***{after}" in redacted


@given(
    before=st.text(max_size=20),
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=4),
)
def test_no_key_that_is_known_survives(before: str, key: str) -> None:
    for quoted in (key, repr(key), repr({"authorization": f"Bearer {key}"})):
        redacted = redact(f"{before} {quoted}!", key)
        assert key not in redacted.removeprefix(before)
        assert repr(key)[1:-1] not in redacted.removeprefix(before)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("authorization: Bearer abcdef", "authorization: Bearer ***"),
        ("authorization: bearer abcdef, next", "authorization: bearer ***, next"),
        ("Bearer mxgw_nosecondunderscore", "Bearer ***"),
        (f"Bearer {KEY}", "Bearer mxgw_plant7_***"),
        (f"('authorization', 'Bearer {KEY}')", "('authorization', 'Bearer mxgw_plant7_***')"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_bearer_tokens_are_redacted_whatever_they_are(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n", "open-sesame\n"])
def test_what_grpcio_itself_says_of_bad_metadata_is_redacted(key: str) -> None:
    # The words of its synchronous calls, which quote the metadata.
    said = f"metadata was invalid: {[('authorization', f'Bearer {key}')]}"
    for redacted in (redact(said), redact(said, key)):
        assert SECRET not in redacted
        assert "sesame" not in redacted


def test_options_do_not_show_the_key() -> None:
    options = ClientOptions(endpoint="localhost:5000", api_key=KEY)
    for shown in (repr(options), str(options), f"{options!r}"):
        assert SECRET not in shown
        assert "mxgw_plant7_***" in shown


async def test_neither_client_nor_session_nor_their_errors_show_the_key(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    key = gateway.api_key or ""
    async with await client.open_session() as session:
        shown = [repr(client), repr(session), repr(session.info), repr(client.trust), repr(session.stream_events())]
    assert all(key not in text for text in shown)


@pytest.mark.parametrize("wrapped", ["{}", "the key {} is unknown", "two\nlines: {}\r\n", "['Bearer {}']"])
async def test_a_gateway_that_quotes_the_key_does_not_leak_it(
    wrapped: str, gateway: SimulatedGateway, client: GatewayClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    details = wrapped.format(gateway.api_key)
    async with await client.open_session() as session:
        errors: list[MxGatewayError] = []
        for failure in (
            {"code": grpc.StatusCode.UNAUTHENTICATED},
            {"code": grpc.StatusCode.INTERNAL},
            {"protocol_status": pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST},
            {"protocol_status": pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, "hresult": -2147024809},
        ):
            gateway.faults.fail_next("register", details=details, **failure)
            with pytest.raises(MxGatewayError) as caught:
                await session.register("auth")
            errors.append(caught.value)
        gateway.faults.fail_next("StreamEvents", code=grpc.StatusCode.UNAUTHENTICATED, details=details)
        with pytest.raises(MxGatewayAuthenticationError) as caught:
            await anext(session.stream_events())
        errors.append(caught.value)
    for error in errors:
        assert gateway.api_key not in "".join(traceback.format_exception(error))
        assert "mxgw_demo_***" in str(error)
        assert len(str(error).splitlines()) == 1
    assert gateway.api_key not in caplog.text


async def test_a_key_of_another_form_is_redacted_too() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key="open-sesame", plaintext=True)
        async with client:
            gateway.faults.fail_next("OpenSession", code=grpc.StatusCode.INTERNAL, details="say open-sesame, please")
            with pytest.raises(MxGatewayTransportError, match=r"say \*\*\*, please"):
                await client.open_session()


async def test_the_cause_of_an_error_is_kept_where_it_does_not_quote_the_key(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.fail_next("OpenSession", code=grpc.StatusCode.INTERNAL, details="harmless")
    with pytest.raises(MxGatewayTransportError) as caught:
        await client.open_session()
    assert isinstance(caught.value.__cause__, grpc.aio.AioRpcError)


@pytest.mark.parametrize(
    "text", ["write A mxgw_op_c2VjcmV0 5", "mxgw_a_b", '"mxgw_op_c2VjcmV0",mxgw_x_y', "no key at all"]
)
def test_a_key_is_masked_in_the_columns_it_was_typed_in(text: str) -> None:
    shown = masked(text)
    assert len(shown) == len(text)
    assert [at for at, (was, now) in enumerate(zip(text, shown, strict=True)) if was != now and now != "*"] == []
    assert "c2VjcmV0" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "login bob SECRET",
        "3:1: login bob SECRET --server 1",
        "login bob SECRET with blanks",
        "login bob --password=SECRET",
        "login bob -p SECRET",
        'await mx("login bob SECRET")',
        "write A.B true --second anna SECRET",
        'write A.B "two words" --second anna SECRET --timeout 5s',
        "write A.B -5 --second=anna SECRET",
        "write-many a.csv --second anna SECRET",
        "write A.B true --second-password SECRET",
        'call authenticate_user {"verify_user_password": "SECRET"}',
        r'"call authenticate_user {\"verifyUserPassword\": \"SECRET\"}"',
        'call authenticate_user {"verify_user_password": "SECRET',
    ],
)
def test_a_password_in_a_wrong_place_is_redacted(text: str) -> None:
    assert "***" in redact(text)
    assert "SECRET" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "login bob  # who signs",
        "login bob --password-env BOB --server 1",
        "one word too many: login <user> [--password-env <variable>] [--server <server>]",
        "login has no option --password; did you mean --password-env?",
        "A.B is a SecuredWrite tag: login USER signs for it",
        "write --second anna A.B true",
        "write A.B --second anna true",
        "write A.B true --second anna --second-password-env ANNA",
        "write-elements A.B 10 0=5 --second anna 3=7",
    ],
)
def test_what_holds_no_password_stays(text: str) -> None:
    assert redact(text) == text
