#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whom alerts are told to, for specs and stories: a real mail server (aiosmtpd) and a scripted webhook server.

  receiver.py mail LOG [--tls starttls|smtps|none] [--certificate PEM --key PEM] [--login USER:PASSWORD]
                       [--fault hang|hang-data|refuse|refuse-data|busy|busy-login|busy-tls|cut-tls|closed]
  receiver.py hook LOG [--script WORD,WORD…]   one word a request, the last one for all that follow:
                       a status, "hang", "302" (to /elsewhere), "429:SECONDS"

The first line of its output is the port. Each mail and each request is one line of JSON in LOG.
"""
import argparse
import email
import email.policy
import gzip
import http.server
import json
import re
import socket
import socketserver
import ssl
import sys
import threading
import time

LOCK = threading.Lock()


def keep(path, value):
    value["at"] = time.time()
    with LOCK, open(path, "a", encoding="utf-8") as log:
        log.write(json.dumps(value) + "\n")


def say_port(port):
    print(port, flush=True)


class Mails:
    def __init__(self, options):
        self.options = options

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.options.fault == "refuse":
            return "550 5.1.1 no such user"
        if self.options.fault == "busy":
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.fault == "refuse-data":
            return "554 5.7.1 no"
        if self.options.fault == "hang-data":
            import asyncio

            await asyncio.sleep(600)
        raw = envelope.content.decode("utf-8", "replace")
        m = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text, html = m.get_body(("plain",)), m.get_body(("html",))
        keep(self.options.log, {
            "mail_from": envelope.mail_from, "rcpt_tos": envelope.rcpt_tos, "raw": raw,
            "tls": session.ssl is not None, "login": session.authenticated or False,
            "bare_lf": "\n" in raw.replace("\r\n", ""), "longest": max(len(l) for l in raw.split("\r\n")),
            "headers": [[k, str(v)] for k, v in m.items()],
            "subject": str(m["subject"]), "id": str(m["message-id"]), "answers": str(m["in-reply-to"] or ""),
            "text": text.get_content() if text else "", "html": html.get_content() if html else "",
        })
        return "250 taken"


def serve_mail(options):
    import asyncio

    from aiosmtpd.smtp import SMTP, AuthResult

    def check(server, session, envelope, mechanism, data):
        user, _, password = options.login.partition(":")
        if options.fault == "busy-login":
            return AuthResult(success=False, handled=False, message="454 4.7.0 Temporary authentication failure")
        good = (data.login.decode(), data.password.decode()) == (user, password)
        return AuthResult(success=good, handled=False)

    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    smtp = {"hostname": "mail.test", "timeout": 300, "enable_SMTPUTF8": False}
    if options.tls == "starttls":
        smtp.update(tls_context=context, require_starttls=True)
    if options.login:
        smtp.update(authenticator=check, auth_required=True, auth_require_tls=options.tls == "starttls")

    async def serve():
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Mails(options), **smtp), "127.0.0.1", 0,
            ssl=context if options.tls == "smtps" else None)
        say_port(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def serve_words(options):
    """Says what it is told to, and hangs up: as a server in trouble does."""
    words = {"closed": ["554 5.3.2 no service today"],
             "busy-tls": ["220 here", "250-here\r\n250 STARTTLS", "454 4.7.0 TLS not available"],
             "cut-tls": ["220 here", "250-here\r\n250 STARTTLS", "220 go on"]}[options.fault]
    s = socket.create_server(("127.0.0.1", 0))
    say_port(s.getsockname()[1])
    while True:
        c = s.accept()[0]
        c.sendall((words[0] + "\r\n").encode())
        for word in words[1:]:
            c.recv(4096)
            c.sendall((word + "\r\n").encode())
        c.recv(4096)
        c.close()


def serve_silence(options):
    """Accepts and never says a word."""
    s = socket.create_server(("127.0.0.1", 0))
    say_port(s.getsockname()[1])
    kept = []
    while True:
        kept.append(s.accept())
        keep(options.log, {"connected": True})


class Hook(http.server.BaseHTTPRequestHandler):
    words = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with LOCK:
            word = Hook.words.pop(0) if len(Hook.words) > 1 else Hook.words[0]
        keep(self.server.log, {"path": self.path, **self.read(body), "word": word,
                               "headers": {k.lower(): v for k, v in self.headers.items()}})
        if word == "hang":
            time.sleep(600)
            return
        status, _, seconds = word.partition(":")
        self.send_response(int(status))
        if seconds:
            self.send_header("Retry-After", seconds)
        if status == "302":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST

    def read(self, body):
        return {"body": body.decode("utf-8", "replace")}

    def log_message(self, *_):
        pass


class Sentry(Hook):
    """Takes envelopes, strictly: "event" and "client_report" are what was in one, "broken" what was wrong."""

    def read(self, body):
        try:
            auth = self.headers.get("X-Sentry-Auth", "")
            assert auth.startswith("Sentry sentry_version=7, ") and "sentry_key=" in auth, "no auth"
            assert self.headers.get("Content-Type") == "application/x-sentry-envelope", "content type"
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return self.envelope(body)
        except Exception as e:  # whatever it is, it is told
            return {"broken": repr(e)}

    @staticmethod
    def envelope(body):
        found = {}
        head, _, rest = body.partition(b"\n")
        head = json.loads(head)
        while rest:
            line, lf, rest = rest.partition(b"\n")
            item = json.loads(line)
            n = item["length"]
            assert lf and len(rest) >= n and rest[n:n + 1] in (b"\n", b""), "length"
            assert item["type"] in ("event", "client_report"), "type"
            assert item["type"] not in found, "twice"
            assert n < 200 * 1024, "too long"
            found[item["type"]] = json.loads(rest[:n].decode("utf-8"))
            rest = rest[n + 1:]
        if "event" in found:
            event = found["event"]
            assert re.fullmatch("[0-9a-f]{32}", head["event_id"]) and event["event_id"] == head["event_id"], "id"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", head["sent_at"]), "sent_at"
            assert isinstance(event["timestamp"], float) and event["platform"] in ("native", "other"), "head"
            assert event["level"] in ("fatal", "error", "warning", "info", "debug"), "level"
            for key, value in event["tags"].items():
                assert len(key) < 200 and len(value) < 200 and "\n" not in value, "tag"
            for error in event["exception"]["values"]:
                for frame in error.get("stacktrace", {}).get("frames", []):
                    assert frame["filename"] and frame["function"], "frame"
        return found


class Hooks(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def serve_hook(options, handler):
    Hook.words = options.script.split(",")
    server = Hooks(("127.0.0.1", 0), handler)
    server.log = options.log
    say_port(server.server_address[1])
    server.serve_forever()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["mail", "hook", "sentry"])
    p.add_argument("log")
    p.add_argument("--tls", default="none", choices=["starttls", "smtps", "none"])
    p.add_argument("--certificate")
    p.add_argument("--key")
    p.add_argument("--login", default="")
    p.add_argument("--fault", default="")
    p.add_argument("--script", default="200")
    options = p.parse_args()
    if options.what == "hook":
        serve_hook(options, Hook)
    elif options.what == "sentry":
        serve_hook(options, Sentry)
    elif options.fault == "hang":
        serve_silence(options)
    elif options.fault in ("closed", "busy-tls", "cut-tls"):
        serve_words(options)
    else:
        serve_mail(options)


if __name__ == "__main__":
    sys.exit(main())
