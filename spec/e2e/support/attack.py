#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# attack.py - somebody who means ill, for so many seconds, and what he got. For attack.lua.
#
# usage: attack.py FILE, which holds { "port": N, "seconds": S, "kind": … }. A line "ready" on stdout once it has begun,
# in the end one JSON object:
#   "slow":     "parts": [ { "text", "every_ms", "times" } ], "tls"   bytes one by one, again when it is cut off
#               -> { "opened", "statuses" ("left": not cut off when time was up), "longest_ms" }
#   "idle":     "count", "sources"   so many connections that say nothing -> { "opened", "open_most", "closed" }
#   "flood":    "text", "workers"    the same request, as fast as it is answered -> { "opened", "statuses" }
#   "carrier":  "upgrade", "connected", "start", "media", "deaf"   a media stream that sends fifty frames a second; deaf:
#               and never reads -> { "frames", "bytes", "closed_ms", "code" }
#   "provider": "calm_ms"            OpenAI, on `port`, until it is killed. What the instructions say is what it does:
#               CALM speaks for calm_ms in real time, LOUD without an end, ten times as fast as it plays, HUGE sends a
#               message of 3 MB first.
import asyncio
import base64
import hashlib
import json
import resource
import ssl
import struct
import sys
import time

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)
until = 0
SILENCE = base64.b64encode(b"\xff" * 1600).decode()  # 200 ms


def now():
    return time.monotonic()


async def connect(source=None, rcvbuf=None):
    import socket
    peer = socket.socket()
    peer.setblocking(False)
    if rcvbuf:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    if source:
        peer.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", plan["port"]))
    return peer


def count(tally, key):
    tally[key] = tally.get(key, 0) + 1


def status_of(got):
    return got[9:12].decode("latin1") if got.startswith(b"HTTP/1.1 ") else "none"


# ---- bytes one by one ----

async def slow_one(part, tally):
    while now() < until:
        begun = now()
        got = b""
        try:
            context = ssl._create_unverified_context() if plan.get("tls") and not part.get("raw") else None
            reader, writer = await asyncio.open_connection("127.0.0.1", plan["port"], ssl=context)
            tally["opened"] += 1
            answer = asyncio.ensure_future(reader.read(4096))
            for byte in part["text"].encode("latin1"):
                writer.write(bytes([byte]))
                done, _ = await asyncio.wait([answer], timeout=part["every_ms"] / 1000)
                if done or now() > until:
                    break
            got = await asyncio.wait_for(answer, max(0.01, until - now()))
            writer.close()
        except asyncio.TimeoutError:
            count(tally["statuses"], "left")
            continue
        except (OSError, ssl.SSLError):
            pass
        count(tally["statuses"], status_of(got))
        tally["longest_ms"] = max(tally["longest_ms"], int((now() - begun) * 1000))


async def slow():
    tally = {"opened": 0, "statuses": {}, "longest_ms": 0}
    await asyncio.gather(*[slow_one(p, tally) for p in plan["parts"] for _ in range(p["times"])])
    return tally


# ---- nothing ----

async def idle():
    tally = {"opened": 0, "open_most": 0, "closed": 0}
    open_now = set()
    gate = asyncio.Semaphore(200)
    sources = plan["sources"]

    async def one(i):
        async with gate:
            try:
                peer = await connect(sources[i % len(sources)])
            except OSError:
                return
        tally["opened"] += 1
        open_now.add(peer)
        tally["open_most"] = max(tally["open_most"], len(open_now))
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(peer, 1), max(0.1, until - now()))
            tally["closed"] += 1
        except OSError:
            tally["closed"] += 1
        except asyncio.TimeoutError:
            pass
        open_now.discard(peer)
        peer.close()

    await asyncio.gather(*[one(i) for i in range(plan["count"])])
    return tally


# ---- the same again and again ----

async def flood_one(text, tally):
    loop = asyncio.get_running_loop()
    while now() < until:
        got = b""
        try:
            peer = await connect()
            tally["opened"] += 1
            await loop.sock_sendall(peer, text)
            while True:
                piece = await loop.sock_recv(peer, 4096)
                if not piece:
                    break
                got += piece
            peer.close()
        except OSError:
            pass
        count(tally["statuses"], status_of(got))


async def flood():
    tally = {"opened": 0, "statuses": {}}
    await asyncio.gather(*[flood_one(plan["text"].encode("latin1"), tally) for _ in range(plan["workers"])])
    return tally


# ---- WebSockets ----

def frame(text, mask, op=1):
    body = text.encode("latin1") if isinstance(text, str) else text
    flag = 0x80 if mask else 0
    n = len(body)
    if n < 126:
        head = struct.pack(">BB", 0x80 | op, flag | n)
    elif n < 65536:
        head = struct.pack(">BBH", 0x80 | op, flag | 126, n)
    else:
        head = struct.pack(">BBQ", 0x80 | op, flag | 127, n)
    return head + (b"\0\0\0\0" if mask else b"") + body


async def read_frame(reader):
    a, b = await reader.readexactly(2)
    n = b & 127
    if n == 126:
        n, = struct.unpack(">H", await reader.readexactly(2))
    elif n == 127:
        n, = struct.unpack(">Q", await reader.readexactly(8))
    mask = await reader.readexactly(4) if b & 128 else b""
    body = await reader.readexactly(n)
    if mask and mask != b"\0\0\0\0":
        whole = int.from_bytes(body, "big") ^ int.from_bytes((mask * (n // 4 + 1))[:n], "big")
        body = whole.to_bytes(n, "big")
    return a & 15, body


# Plays in its time, and says so by marks.
async def hear(reader, writer, tally):
    plays_until = now()
    tasks = set()

    async def echo(name, at):
        await asyncio.sleep(max(0, at - now()))
        writer.write(frame(json.dumps({"event": "mark", "streamSid": plan["stream"], "mark": {"name": name}}), True))

    try:
        while True:
            op, body = await read_frame(reader)
            if op == 8:
                tally["code"] = struct.unpack(">H", body[:2])[0] if len(body) > 1 else 0
                break
            event = json.loads(body)
            if event["event"] == "media":
                n = len(event["media"]["payload"]) * 3 // 4
                plays_until = max(plays_until, now()) + n / 8000
                tally["frames"] += 1
                tally["bytes"] += n
            elif event["event"] == "mark" and len(tasks) < 1000:
                task = asyncio.ensure_future(echo(event["mark"]["name"], plays_until))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
    except (asyncio.IncompleteReadError, OSError):
        pass
    tally["closed_ms"] = int((now() - tally["begun"]) * 1000)


async def carrier():
    tally = {"frames": 0, "bytes": 0, "begun": now(), "closed_ms": None, "code": None}
    deaf = plan.get("deaf")
    peer = await connect(rcvbuf=4096 if deaf else None)
    reader, writer = await asyncio.open_connection(sock=peer)
    writer.write(plan["upgrade"].encode("latin1"))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    if deaf:
        writer.transport.pause_reading()
    writer.write(frame(plan["connected"], True) + frame(plan["start"], True))
    ears = None if deaf else asyncio.ensure_future(hear(reader, writer, tally))
    i = 0
    while now() < until and tally["closed_ms"] is None:
        i += 1
        text = plan["media"].replace("@1", str(i + 1)).replace("@2", str(i)).replace("@3", str(20 * i))
        try:
            writer.write(frame(text, True))
            await writer.drain()
        except OSError:
            tally["closed_ms"] = int((now() - tally["begun"]) * 1000)
        if writer.transport.is_closing():
            tally["closed_ms"] = tally["closed_ms"] or int((now() - tally["begun"]) * 1000)
        await asyncio.sleep(max(0, tally["begun"] + i * 0.02 - now()))
    if ears:
        ears.cancel()
    writer.transport.abort()
    return tally


# ---- a model ----

def event(kind, **more):
    return frame(json.dumps({"type": kind, "event_id": "e", **more}), False)


def session(kind):
    return event(kind, session={"type": "realtime", "object": "realtime.session", "id": "s1",
                                "model": "gpt-realtime-2.1", "expires_at": 4102444800})


async def speak(writer, words, n):
    r, item = "r%d" % n, "i%d" % n
    writer.write(event("response.created", response={"id": r, "object": "realtime.response", "status": "in_progress",
                                                     "conversation_id": "c", "output": []}))
    sent = 0
    every, most_ms = (0.02, 1 << 60) if "LOUD" in words else (0.2, plan["calm_ms"])
    begun = now()
    while sent * 200 < most_ms:
        writer.write(event("response.output_audio.delta", response_id=r, item_id=item, output_index=0, content_index=0,
                           delta=SILENCE))
        await writer.drain()
        sent += 1
        await asyncio.sleep(max(0, begun + sent * every - now()))
    writer.write(event("response.output_audio.done", response_id=r, item_id=item, output_index=0, content_index=0))
    writer.write(event("response.done", response={"id": r, "object": "realtime.response", "status": "completed",
                                                  "conversation_id": "c", "output": [], "usage": None}))


async def on_session(reader, writer):
    words, n, tasks = "", 0, []
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        key = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:")][0]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + session("session.created"))
        while True:
            op, body = await read_frame(reader)
            if op == 8:
                break
            if op == 9:
                writer.write(frame(body, False, 10))
            told = json.loads(body) if op == 1 else {}
            if told.get("type") == "session.update":
                words = words or told["session"].get("instructions", "")
                writer.write(session("session.updated"))
            elif told.get("type") == "response.create":
                n += 1
                if "HUGE" in words and n == 1 and not plan.get("was_huge"):
                    plan["was_huge"] = True
                    writer.write(frame("x" * 3000000, False))
                tasks.append(asyncio.ensure_future(speak(writer, words, n)))
    except (asyncio.IncompleteReadError, OSError):
        pass
    for task in tasks:
        task.cancel()
    writer.close()


async def provider():
    await asyncio.start_server(on_session, "127.0.0.1", plan["port"], limit=1 << 22)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def main():
    global until
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    until = now() + plan.get("seconds", 0)
    if plan["kind"] != "provider":
        print("ready", flush=True)
    result = await {"slow": slow, "idle": idle, "flood": flood, "carrier": carrier, "provider": provider}[plan["kind"]]()
    print(json.dumps(result), flush=True)


asyncio.run(main())
