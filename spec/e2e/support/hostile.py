#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# hostile.py - requests as bytes, to an address, some at once; what each got. For hostile.lua.
#
# stdin: { "unix": PATH | "port": N, "at_once": N, "requests": [ { "hex": BYTES } ] }
# stdout: [ { "answers": how many status lines came, "status", "type", "body", "closed" } ] in their order
#    or: { "port": N, "crowd": N } -> { "served": whether /livez answers while so many say nothing }
import concurrent.futures
import json
import re
import resource
import socket
import sys

plan = json.load(sys.stdin)


def ask(request):
    address = plan.get("unix")
    peer = socket.socket(socket.AF_UNIX if address else socket.AF_INET)
    peer.settimeout(60)
    got, closed = b"", False
    try:
        peer.connect(address or ("127.0.0.1", plan["port"]))
        peer.sendall(bytes.fromhex(request["hex"]))
    except OSError:
        pass  # it may be refused before it was read
    try:
        while True:
            piece = peer.recv(65536)
            if not piece:
                closed = True
                break
            got += piece
    except ConnectionError:
        closed = True
    except OSError:
        pass
    peer.close()
    head, _, body = got.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d+) ", head)
    kind = re.search(rb"(?im)^content-type: *([^\r\n;]*)", head)
    return {"answers": len(re.findall(rb"HTTP/1\.1 \d+ ", got)), "status": int(status.group(1)) if status else None,
            "type": kind.group(1).decode("latin1") if kind else None, "body": body[:2000].decode("utf-8", "replace"),
            "again": b"\r\nretry-after: " in head.lower(), "closed": closed}


def served_beside(crowd):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, crowd + 100) if most > 0 else crowd + 100, most))
    silent = [socket.create_connection(("127.0.0.1", plan["port"]), 60) for _ in range(crowd)]
    with socket.create_connection(("127.0.0.1", plan["port"]), 60) as peer:
        peer.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        served = peer.recv(100).startswith(b"HTTP/1.1 200 ")
    for one in silent:
        one.close()
    return served


if "crowd" in plan:
    json.dump({"served": served_beside(plan["crowd"])}, sys.stdout)
    sys.exit(0)
with concurrent.futures.ThreadPoolExecutor(plan.get("at_once", 8)) as crowd:
    json.dump(list(crowd.map(ask, plan["requests"])), sys.stdout)
