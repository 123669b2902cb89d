-- SPDX-License-Identifier: Apache-2.0
-- Mails through io/mail.c to a mail server that we did not write.
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local tls = require "spec.e2e.support.tls"

local CLI = "build/dev/runtime/tests/mail_cli"

describe("a mail", function()
  local folder, ours, others, certificate
  local running = {}

  setup(function()
    folder = proc.folder "mail"
    ours, others = tls.authority(folder, "ours"), tls.authority(folder, "others")
    certificate = ours:certificate "mail"
  end)

  teardown(function()
    proc.remove(folder)
  end)

  after_each(function()
    for _, r in ipairs(running) do
      r:stop()
    end
    running = {}
  end)

  local function server(o)
    local r = receiver.mail(o)
    running[#running + 1] = r
    return r
  end

  -- Its output, its exit code, how many seconds it took.
  local function send(o)
    local words = { o.url, o.ca or "-", o.from or "alerts@example.com", o.to or "ops@example.com", o.subject or "Hello",
      o.text or "Good morning.", o.html or "", o.id or "", o.answers }
    for i, word in ipairs(words) do
      words[i] = proc.quote(word)
    end
    local began = proc.now()
    local text, code = proc.run(("%s %s %s 2>&1"):format(o.stop_ms and "STOP_MS=" .. o.stop_ms or "", CLI,
      table.concat(words, " ")))
    return text, code or 0, proc.now() - began
  end

  local function smtp(r, login)
    return ("smtp://%s127.0.0.1:%d"):format(login and login .. "@" or "", r.port)
  end

  it("goes over STARTTLS with a login, and arrives as it was meant", function()
    local r = server { tls = "starttls", certificate = certificate, login = "ann:s3:cret" }
    local text = "Line one\n.a dot\r\n\n" .. ("wide "):rep(60) .. "\nGrüße = 100 % \tend "
    local said, code = send { url = smtp(r, "ann:s3%3Acret"), ca = ours.file, to = "ops@example.com,b@example.org",
      subject = "Notfall: Wasser läuft – Anruf nicht übernommen, niemand hat bestätigt, bitte sofort", text = text,
      html = "<p>Grüße</p>", id = "alert-7@example.com", answers = "alert-1@example.com" }
    assert.equal("ok\n", said)
    assert.equal(0, code)
    local m = r:got()[1]
    assert.equal("alerts@example.com", m.mail_from)
    assert.same({ "ops@example.com", "b@example.org" }, m.rcpt_tos)
    assert.is_true(m.tls and m.login)
    assert.equal("Notfall: Wasser läuft – Anruf nicht übernommen, niemand hat bestätigt, bitte sofort", m.subject)
    assert.equal((text:gsub("\r\n", "\n")), (m.text:gsub("\r\n", "\n")))
    assert.equal("<p>Grüße</p>", (m.html:gsub("%s+$", "")))
    assert.equal("<alert-7@example.com>", m.id)
    assert.equal("<alert-1@example.com>", m.answers)
    assert.is_false(m.bare_lf)
    assert.is_true(m.longest <= 76, m.longest)
  end)

  it("goes over TLS from the first byte", function()
    local r = server { tls = "smtps", certificate = certificate, login = "ann:secret" }
    local said = send { url = ("smtps://ann:secret@127.0.0.1:%d"):format(r.port), ca = ours.file }
    assert.equal("ok\n", said)
    assert.is_true(r:got()[1].login)
    assert.matches("^<%x+@example.com>$", r:got()[1].id)
  end)

  it("is given to nobody whose certificate is another's", function()
    local r = server { tls = "starttls", certificate = certificate, login = "ann:secret" }
    local said, code = send { url = smtp(r, "ann:secret"), ca = others.file }
    assert.matches("^not_sent: the mail server's certificate is not trusted; name its authority in smtp.ca", said)
    assert.equal(1, code)
    assert.same({}, r:got())
  end)

  it("is refused with a wrong password, which is told without it", function()
    local r = server { tls = "starttls", certificate = certificate, login = "ann:secret" }
    local said = send { url = smtp(r, "ann:wrong"), ca = ours.file }
    assert.matches("^refused: the mail server refuses user and password of smtp.url", said)
    assert.is_nil(said:find("wrong", 1, true))
    assert.same({}, r:got())
  end)

  it("does without TLS on loopback alone", function()
    local r = server {}
    assert.equal("ok\n", (send { url = smtp(r) }))
    assert.is_false(r:got()[1].tls)
    -- The same server by an address that is not loopback's.
    local address = proc.run("hostname -I"):match "%d+%.%d+%.%d+%.%d+"
    if not address then
      return pending "this machine has no other address"
    end
    local relay = proc.start { name = "relay", folder = folder, args = { "/usr/bin/python3", "-c", ([[
import socket, threading
s = socket.create_server(("%s", 0)); print(s.getsockname()[1], flush=True)
def pump(a, b):
    while True:
        d = a.recv(65536)
        if not d: break
        b.sendall(d)
while True:
    c = s.accept()[0]; u = socket.create_connection(("127.0.0.1", %d))
    threading.Thread(target=pump, args=(c, u), daemon=True).start()
    threading.Thread(target=pump, args=(u, c), daemon=True).start()
]]):format(address, r.port) } }
    local port = relay:says("^(%d+)\n", 10)
    local said = send { url = ("smtp://%s:%s"):format(address, port) }
    relay:stop()
    assert.matches("^not_sent: the mail server offers no TLS, and nothing is sent without", said)
    assert.equal(1, #r:got())
  end)

  it("cannot be made to say more than one thing", function()
    local r = server {}
    assert.equal("ok\n", (send { url = smtp(r), subject = "Hi\r\nBcc: eve@example.com\r\n\r\nbody" }))
    local m = r:got()[1]
    assert.same({ "ops@example.com" }, m.rcpt_tos)
    for _, header in ipairs(m.headers) do
      assert.is_nil(header[1]:lower():find("bcc", 1, true))
    end
    assert.matches("^Hi +Bcc: eve@example.com +body$", m.subject)
    for _, to in ipairs { "ops@example.com\r\nRCPT TO:<eve@example.com>", "<ops@example.com>", "a b@example.com",
      "ops@exa mple.com", "ops", "", "ops@example.com\n", "-x@example.com", "ä@example.com" } do
      local said, code = send { url = smtp(r), to = to }
      assert.matches("^invalid: not a mail address", said, 1, to)
      assert.equal(1, code)
    end
    assert.matches("^invalid: the sender", (send { url = smtp(r), from = "x@y\r\nTo: eve@example.com" }))
    assert.matches("^invalid: a mail's id", (send { url = smtp(r), id = "x>\r\nTo: <eve@example.com" }))
    assert.matches("^invalid: a subject", (send { url = smtp(r), subject = ("x"):rep(401) }))
    assert.equal(1, #r:got())
  end)

  it("that a server does not take is told by who may try again", function()
    assert.matches("^refused: the mail server refuses this mail %(it said 550%)",
      (send { url = smtp(server { fault = "refuse" }) }))
    assert.matches("^not_sent: the mail server wants to be asked later %(it said 451%)",
      (send { url = smtp(server { fault = "busy" }) }))
    assert.matches("^refused: the mail server refuses this mail %(it said 554%)",
      (send { url = smtp(server { fault = "refuse-data" }) }))
    assert.matches("^not_sent: the mail server cannot be reached", (send { url = "smtp://127.0.0.1:1" }))
  end)

  it("is not given up for what is wrong with the server and may be right in a minute", function()
    local busy = server { tls = "starttls", certificate = certificate, login = "ann:secret", fault = "busy-login" }
    assert.matches("^not_sent: the mail server wants to be asked later %(it said 454%)",
      (send { url = smtp(busy, "ann:secret"), ca = ours.file }))
    assert.matches("^not_sent: the mail server wants to be asked later %(it said 454%)",
      (send { url = smtp(server { fault = "busy-tls" }) }))
    assert.matches("^not_sent: the mail server did not get as far as TLS", (send { url = smtp(server {
      fault = "cut-tls" }) }))
    assert.matches("^not_sent: the mail server takes nothing from us %(it said 554%)", (send { url = smtp(server {
      fault = "closed" }) }))
  end)

  it("to a server that hangs is given up at once when nobody wants it any more", function()
    for _, fault in ipairs { "hang", "hang-data" } do
      local said, _, seconds = send { url = smtp(server { fault = fault }), stop_ms = 300 }
      assert.equal("given up\n", said)
      assert.is_true(seconds < 8, seconds) -- and not after the ten seconds that a server has
    end
  end)
end)
