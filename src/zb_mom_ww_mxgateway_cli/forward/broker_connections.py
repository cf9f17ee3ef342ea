"""Connections to the brokers of a destination, by its protocol."""

from collections.abc import Callable

from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway_cli.forward.broker import MQTT, NATS, BrokerConnection
from zb_mom_ww_mxgateway_cli.forward.destination import Address, Destination


async def connect(
    destination: Destination, client_name: str, address: Address, on_lost: Callable[[], None]
) -> BrokerConnection:
    """Connect to a broker of the destination; call `on_lost` when the connection is lost.

    Raises BrokerLostError and BrokerRefusedError.
    """
    if destination.protocol == "nats":
        from zb_mom_ww_mxgateway_cli.forward.nats_broker import NatsConnection

        return await NatsConnection.open(address, destination.access, client_name, on_lost)
    from zb_mom_ww_mxgateway_cli.forward.mqtt_broker import MqttConnection

    return await MqttConnection.open(address, destination.access, client_name, on_lost)


def check_extra(destination: Destination) -> None:
    """Raise MxGatewayMissingExtraError if what the destination needs is not installed."""
    if destination.protocol == "nats":
        extra("nats", "nats", NATS)
    elif destination.protocol == "mqtt":
        extra("paho.mqtt.client", "mqtt", MQTT)
