"""A ring in a worker's hand while the broker vanishes."""

from __future__ import annotations

import signal
from typing import Any

from kombu import Connection

from aftercare.celery import Rings
from tests.services.valkey import Valkey


def ring_in_hand(connection: Connection) -> tuple[Any, Any]:
    """The message, and the channel it came by."""
    queue = connection.SimpleQueue("rings-of-this-test")
    queue.put({})
    message: Any = queue.get(timeout=10)
    assert isinstance(message.channel.qos, Rings)
    return message, message.channel


def test_a_ring_is_told_as_answered_while_the_broker_is_there(valkey: Valkey) -> None:
    with Connection(f"redis+socket://{valkey.socket}") as connection:
        message, channel = ring_in_hand(connection)
        client = channel.client
        assert client.hexists("unacked", message.delivery_tag)
        message.ack()
        assert not client.hexists("unacked", message.delivery_tag)


def test_a_ring_in_hand_is_let_go_with_a_broker_that_has_vanished(valkey: Valkey) -> None:
    """As Celery does it when the connection is lost; what it raised here ended the worker."""
    connection = Connection(f"redis+socket://{valkey.socket}")
    message, channel = ring_in_hand(connection)
    valkey.stop(signal.SIGKILL)
    try:
        connection.collect()
        channel.close()
        message.ack()
    finally:
        valkey.start()
