# SPDX-License-Identifier: GPL-2.0-or-later
"""A switch of one's own with three parties around it: calls, figures, a diagnosis, records.

Usage: script/demo [stop]
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from script.demo_agents import Agent, Call, CallFailed
from script.demo_audio import Impairment
from script.private_switch import ROOT, NotReady, PrivateSwitch

POINTER = ROOT / "build" / "demo"
CUSTOMER, VENDOR, PHONE = "127.0.0.2", "127.0.0.3", "127.0.0.5"
#: numbers set aside for drama (Ofcom), so that nobody is called by mistake
LONDON, BRISTOL = "442079460000", "441174960000"
PHONE_NUMBER = "1001"
TALK_S, BAD_TALK_S = 5.0, 7.0
FAILURES = (NotReady, CallFailed, RuntimeError, TimeoutError)
IMPAIRED = Impairment(loss=0.04, jitter_ms=80)


class Show:
    """What the audience sees: the commands as typed, and their real output."""

    def __init__(self, switch: PrivateSwitch) -> None:
        self._switch = switch

    def say(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    async def vosctl(self, *words: str, accepts: tuple[int, ...] = (0,)) -> None:
        """Run one command; an exit status outside `accepts` ends the demo."""
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        print(f"\n$ vosctl {shown}", flush=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vosctl", "--socket", str(self._switch.socket), *words,
            cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        code = await process.wait()
        if code not in accepts:
            raise RuntimeError(f"vosctl {shown} ended with {code}")

    def proof(self, text: str, good: bool) -> None:
        print(f"  {'yes' if good else 'NO '}  {text}", flush=True)
        if not good:
            raise RuntimeError("audio was not proven in both directions")


async def configure(show: Show, directory: Path, vendor: Agent, password: str) -> None:
    """The sample: a customer known by address, a vendor for 44, a phone with a password."""
    secret = directory / "phone.password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    await show.vosctl("gateway", "add", "customer-a", "--kind", "mapping",
                      "--address", f"{CUSTOMER}:5060", "--auth", "ip", "--capacity", "30",
                      "--why", "demo")  # fmt: skip
    await show.vosctl("gateway", "add", "vendor-x", "--kind", "routing",
                      "--address", f"{VENDOR}:{vendor.port}", "--prefix", "44",
                      "--why", "demo")  # fmt: skip
    await show.vosctl("phone", "add", PHONE_NUMBER, "--password-file", str(secret),
                      "--why", "demo")  # fmt: skip


def prove(
    show: Show, caller: Agent, one: Call, callee: Agent, other: Call, rest: list[int]
) -> None:
    """Both recordings hold the other side's tone and no third one."""
    heard, said = one.audio, other.audio
    show.proof(
        f"{caller.name} hears {callee.name}'s {callee.hertz} Hz"
        f" ({heard.received} packets received, {heard.sent} sent)",
        heard.hears(callee.hertz, rest),
    )
    show.proof(
        f"{callee.name} hears {caller.name}'s {caller.hertz} Hz"
        f" ({said.received} packets received, {said.sent} sent)",
        said.hears(caller.hertz, rest),
    )


async def good_calls(
    show: Show, switch: PrivateSwitch, customer: Agent, vendor: Agent, phone: Agent
) -> None:
    """Customer to vendor and customer to phone at once, looked at while they run."""
    show.say("Two calls: customer-a to London through vendor-x, customer-a to the phone.")
    out = await customer.call(LONDON)
    home = await customer.call(PHONE_NUMBER)
    await asyncio.sleep(TALK_S)
    away, here = vendor.calls[-1], phone.calls[-1]
    await show.vosctl("call", "list")
    calls = await asyncio.to_thread(switch.json, "call", "list")
    shown = next(call["id"] for call in calls["calls"] if call["callee"] == LONDON)
    await show.vosctl("call", "show", shown)
    show.say("Who hears whom, by the tone in the decoded audio:")
    prove(show, customer, out, vendor, away, [phone.hertz])
    prove(show, customer, home, phone, here, [vendor.hertz])
    customer.hang_up(out)
    phone.hang_up(here)
    await asyncio.wait_for(asyncio.gather(away.ended.wait(), home.ended.wait()), 5)


async def bad_call(show: Show, customer: Agent, vendor: Agent) -> None:
    """The customer's network is made bad on purpose, and the switch is asked why."""
    show.say(
        f"A bad call: {IMPAIRED.loss:.0%} of the customer's packets are dropped,"
        f" the rest is late by up to {IMPAIRED.jitter_ms:.0f} ms."
    )
    bad = await customer.call(BRISTOL, IMPAIRED)
    await asyncio.sleep(BAD_TALK_S)
    sent, dropped = bad.audio.sent, bad.audio.dropped
    prove(show, customer, bad, vendor, vendor.calls[-1], [])
    print(f"       {dropped} of {sent + dropped} packets were dropped on purpose", flush=True)
    customer.hang_up(bad)
    await asyncio.sleep(0.5)
    await show.vosctl("diagnose", "call", "--last", accepts=(0, 5))


async def play(switch: PrivateSwitch) -> None:
    """The whole demo around a switch that is ready."""
    show = Show(switch)
    where = switch.listens[0]
    password = secrets.token_urlsafe(12)
    customer = Agent("customer-a", CUSTOMER, "442071838750", 440, where)
    vendor = Agent("vendor-x", VENDOR, "vendor", 1000, where)
    phone = Agent("phone", PHONE, PHONE_NUMBER, 700, where)
    try:
        await configure(show, switch.directory, vendor, password)
        code = await phone.register(password)
        if code != 200:
            raise RuntimeError(f"the phone's registration was refused with {code}")
        await show.vosctl("phone", "list")
        await good_calls(show, switch, customer, vendor, phone)
        await bad_call(show, customer, vendor)
        await show.vosctl("cdr", "list")
        await show.vosctl("status")
    finally:
        for agent in (customer, vendor, phone):
            agent.close()


def farewell(switch: PrivateSwitch) -> None:
    print(f"""
The switch goes on running (pid {switch.pid}, SIP on {switch.address}, log {switch.log}).
Use it:

  export PATH={ROOT}/.venv/bin:$PATH VOSCTL_SOCKET={switch.socket}
  vosctl                        # status
  vosctl cdr show --help
  vosctl param list media
  vosctl blacklist add {LONDON} --why 'try it'

Stop it, and remove what it kept:

  script/demo stop""")


def running() -> tuple[Path, int] | None:
    """Directory and pid of the demo's switch, if one of ours still runs."""
    try:
        directory = Path(POINTER.read_text("utf-8").strip())
        pid = int((directory / "vosd.pid").read_text("utf-8"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return (directory, pid) if str(directory / "vosd.toml").encode() in command else None


def stop() -> bool:
    """End the switch an earlier demo left, and remove its directory; False when there is none."""
    found = running()
    if found is None:
        return False
    directory, pid = found
    os.kill(pid, signal.SIGTERM)
    asked_again = time.monotonic() + 3
    while running() is not None:
        if time.monotonic() > asked_again:
            # a second SIGTERM ends live calls now
            os.kill(pid, signal.SIGTERM)
            asked_again += 3
        time.sleep(0.1)
    shutil.rmtree(directory, ignore_errors=True)
    POINTER.unlink(missing_ok=True)
    return True


def main() -> int:
    if sys.argv[1:] == ["stop"]:
        print("demo: stopped" if stop() else "demo: no switch of an earlier demo is running")
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    if stop():
        print("demo: the switch of an earlier demo was stopped")
    switch = PrivateSwitch(Path(tempfile.mkdtemp(prefix="vosd-demo-")), node="demo")
    POINTER.parent.mkdir(exist_ok=True)
    POINTER.write_text(f"{switch.directory}\n", "utf-8")
    try:
        took = switch.start()
        (switch.directory / "vosd.pid").write_text(str(switch.pid), "utf-8")
        print(f"vosd is ready after {took:.2f} s: pid {switch.pid}, SIP on {switch.address}")
        asyncio.run(play(switch))
    except BaseException as error:
        switch.close()
        if not isinstance(error, NotReady):
            print(f"demo: the switch's log ends:\n{switch.tail()}", file=sys.stderr)
        shutil.rmtree(switch.directory, ignore_errors=True)
        if not isinstance(error, FAILURES):
            raise
        print(f"demo: {error}", file=sys.stderr)
        return 1
    farewell(switch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
