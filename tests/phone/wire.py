"""Twilio's JSON: a message, a page of messages, an error."""

import json
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from tests.phone.faults import CODES
from tests.phone.messages import Text, error_sentence

VERSION: Final = "2010-04-01"


def json_answer(payload: object, status: int = 200) -> web.Response:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def error_answer(code: int, about: str = "") -> web.Response:
    status, sentence = CODES[code]
    return json_answer(
        {
            "code": code,
            "message": sentence.format(about),
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        status,
    )


@lru_cache(maxsize=1024)
def _rfc2822_second(second: int) -> str:
    return formatdate(second).replace("-0000", "+0000")


def rfc2822(moment: float | None) -> str | None:
    return None if moment is None else _rfc2822_second(int(moment))


def message(text: Text, account: str) -> dict[str, Any]:
    """A message resource, https://www.twilio.com/docs/messaging/api/message-resource."""
    stem = f"/{VERSION}/Accounts/{account}/Messages/{text.sid}"
    is_unplaced = text.status == "accepted"  # a service has not chosen its sender yet
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": text.body,
        "date_created": rfc2822(text.created_at),
        "date_sent": rfc2822(text.sent_at),
        "date_updated": rfc2822(text.updated_at),
        "direction": text.direction,
        "error_code": text.error_code,
        "error_message": error_sentence(text.error_code) or None,
        "from": None if is_unplaced else text.sender,
        "messaging_service_sid": text.service or None,
        "num_media": "0",
        "num_segments": "0" if is_unplaced else str(text.segments),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{stem}/Media.json"},
        "to": text.to,
        "uri": f"{stem}.json",
    }


def page(
    texts: list[Text],
    account: str,
    query: dict[str, str],
    *,
    number: int,
    size: int,
    has_more: bool,
) -> dict[str, Any]:
    """One page of a list. The next page continues behind this one's last message."""
    stem = f"/{VERSION}/Accounts/{account}/Messages.json"
    filters = {key: value for key, value in query.items() if key not in ("Page", "PageToken")}
    filters["PageSize"] = str(size)

    def uri(at: int, **token: str) -> str:
        return f"{stem}?{urlencode({**filters, 'Page': str(at), **token})}"

    follows = uri(number + 1, PageToken="PA" + texts[-1].sid) if texts and has_more else None
    return {
        "end": number * size + max(0, len(texts) - 1),
        "first_page_uri": uri(0),
        "messages": [message(text, account) for text in texts],
        "next_page_uri": follows,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1) if number else None,
        "start": number * size,
        "uri": uri(number),
    }
