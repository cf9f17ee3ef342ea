"""Mails new alarms: one mail for all that come within a few seconds, and one when alarms may be missed.

python alarm_mail.py HOST:PORT MAILHOST:PORT FROM TO
"""

import asyncio
import os
import smtplib
import sys
from email.message import EmailMessage

from zb_mom_ww_mxgateway import (
    ActiveAlarm,
    AlarmFeed,
    AlarmFeedLost,
    AlarmListRead,
    AlarmNews,
    AlarmTransition,
    AlarmTransitionKind,
    GatewayClient,
)

GATHER = 2.0
"""Seconds within which alarms share one mail."""


def line(alarm: ActiveAlarm | AlarmTransition) -> str:
    return f"severity {alarm.severity}  {alarm.reference}  {alarm.current_value!r}  {alarm.description}"


def lines(news: AlarmNews) -> list[str]:
    match news:
        case AlarmTransition(kind=AlarmTransitionKind.RAISE | AlarmTransitionKind.RETRIGGER):
            return [line(news)]
        case AlarmListRead():
            return [line(alarm) for alarm in news.new]
        case AlarmFeedLost():
            return [f"alarms are not kept up to date: {news.error}"]
        case _:
            return []


def send(server: str, sender: str, recipient: str, said: list[str]) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = f"{len(said)} alarms" if len(said) > 1 else said[0][:100].replace("\n", " ")
    mail.set_content("\n".join(said))
    host, _, port = server.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=30) as connection:
        connection.send_message(mail)


async def main(endpoint: str, server: str, sender: str, recipient: str) -> None:
    async with (
        await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY"), wait=600) as client,
        AlarmFeed(client) as feed,
        feed.follow() as followed,
    ):
        await feed.ready(timeout=60)
        while batch := await followed.batch():
            if any(lines(news) for news in batch):
                await asyncio.sleep(GATHER)
                batch += followed.take()
                said = [each for news in batch for each in lines(news)]
                await asyncio.to_thread(send, server, sender, recipient, said)
                print(f"mailed {len(said)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
