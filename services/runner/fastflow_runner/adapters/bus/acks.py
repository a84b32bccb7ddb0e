"""What a runner tells the server of a message it was given; nothing is awaited, and who is not heard is asked again.

Source: https://docs.nats.io/using-nats/developer/develop_jetstream/consumers (acknowledgements).
"""

import json

import nats.errors
from nats.aio.msg import Msg

DONE = b"+ACK"
STILL_AT_IT = b"+WPI"
NEVER = b"+TERM"
"""It must not be delivered again."""


async def say(msg: Msg, word: bytes) -> None:
    """Say a word; one that is lost is as good as none."""
    try:
        await msg._client.publish(msg.reply, word)
    except nats.errors.Error:
        return


async def give_back(msg: Msg, after_s: float) -> None:
    """Have it delivered again after so many seconds."""
    await say(msg, b"-NAK " + json.dumps({"delay": int(after_s * 1e9)}).encode())
