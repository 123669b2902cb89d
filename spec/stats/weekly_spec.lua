-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local weekly = require "ringdown.stats.weekly"
local world = require "spec.stats.world"

describe("the weekly mail", function()
  local url

  before_each(function()
    url = world.open()
    host.mail_from = "ringdown@example.com"
    host.known_agents = { { name = "northside-plumbing", numbers = {}, shown = json.encode { openai = true,
      time_zone = "America/Chicago" } } }
    host.channels_text = json.encode { { name = "owner", kind = "mail", to = { "owner@example.com" } },
      { name = "pager", kind = "mail", to = { "pager@example.com" }, severities = { "page" } } }
    pg.run(url, [[insert into agents (agent, version, first_seen_at, updated_at)
      values ('northside-plumbing', 'v1', now(), now())]])
    host.set_unix(1795788000) -- 2026-11-27 14:00Z, a Friday
    local list = {}
    for n = 1, 5 do
      local c = events.call(n, { started_us = events.began_us + n * 600 * 1000000, list = list }) -- Wednesday the 25th
      c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
      c:add("decision", { system = "openai", reason = "split" })
      if n == 1 then
        c:add("triage", { rule = "gas", severity = "life", source = "rule", state = "abandoned", words = "gas" })
      end
      c:add("ended", { reason = "caller_hangup", duration_ms = 60000, first_audio_ms = 400 })
      c:add("webhook", { kind = "status", status = "completed", duration_s = 61 })
    end
    events.ingest(url, list)
    world.run("ringdown.stats.roll", {})
  end)

  after_each(world.close)

  local function at(unix)
    host.set_unix(unix)
    return world.run("ringdown.stats.weekly", {}).sent
  end

  local MONDAY_8 = 1796047200 -- 2026-11-30 14:00Z: 08:00 in Chicago

  it("goes out once, on Monday morning by the agent's clock, to those who want to know", function()
    assert.same({}, at(MONDAY_8 - 60))
    assert.same({ "northside-plumbing" }, at(MONDAY_8))
    assert.same({}, at(MONDAY_8 + 300))
    assert.same({}, at(MONDAY_8 + 86400))
    assert.equal(1, #host.mails)
    local mail = host.mails[1]
    assert.same({ "owner@example.com" }, mail.to)
    assert.matches("weekly%.%x+%.2026%-11%-23@example%.com", mail.id)
  end)

  it("arrives at a real mail server as it was written, in words and as a page", function()
    at(MONDAY_8)
    local mail, server = host.mails[1], receiver.mail {}
    local words = { "build/dev/runtime/tests/mail_cli", "smtp://127.0.0.1:" .. server.port, "-", host.mail_from,
      table.concat(mail.to, ","), mail.subject, mail.text, mail.html, mail.id }
    for i, word in ipairs(words) do
      words[i] = proc.quote(word)
    end
    local said = proc.run(table.concat(words, " ") .. " 2>&1")
    local got = server:got()[1]
    server:stop()
    assert.equal("ok\n", said)
    local function lines(text)
      return (text:gsub("\r\n", "\n"):gsub("%s+$", ""))
    end
    assert.same({ "owner@example.com" }, got.rcpt_tos)
    assert.equal(mail.subject, got.subject)
    assert.equal(lines(mail.text), lines(got.text))
    assert.equal(lines(mail.html), lines(got.html))
    assert.equal("<" .. mail.id .. ">", got.id)
    assert.is_false(got.bare_lf)
    assert.matches("5 calls", got.text)
    assert.matches("<html", got.html)
  end)

  it("says what an owner wants to know, in words", function()
    at(MONDAY_8)
    local mail = host.mails[1]
    assert.equal("northside-plumbing: 5 calls last week, 8 of 10 needed nobody", mail.subject)
    assert.matches("Monday, November 23 to Sunday, November 29", mail.text, 1, true)
    assert.matches("5 calls. 5 were answered.", mail.text, 1, true)
    assert.matches("1 emergency. NOBODY took it.", mail.text, 1, true)
    assert.matches("Most called on Wednesday, November 25, and from 04:00 to 05:00.", mail.text, 1, true)
    assert.matches("Worth a look:\n- Somebody with an emergency was not taken by anybody", mail.text, 1, true)
    assert.matches("<li>Somebody with an emergency", mail.html, 1, true)
    assert.not_matches("%%%%", mail.html)
  end)

  it("is tried again when it did not go out, three times in all", function()
    host.mail_replies = { { "the server is away", "down" } }
    assert.same({}, at(MONDAY_8))
    assert.same({}, at(MONDAY_8 + 60))
    for _ = 1, 5 do
      pg.run(url, "update weekly_mails set claimed_at = claimed_at - interval '16 minutes'")
      at(MONDAY_8 + 1200)
    end
    assert.equal(3, #host.mails)
    assert.matches("away", pg.query(url, "select why from weekly_mails")[1].why)
  end)

  it("is shown by a command, and not sent by it", function()
    local _, text = world.run("ringdown.stats.command", { verb = "weekly" })
    assert.matches("Subject: northside%-plumbing: nobody called last week", text)
    assert.same({}, host.mails)
    assert.same({}, pg.query(url, "select * from weekly_mails"))
  end)

  it("holds no marks of its own, whatever somebody called an agent", function()
    local _, _, look = weekly.words { agent = "a<b>", monday = "2026-11-23", before = { calls = 0 },
      total = { calls = 0 } }
    assert.same({}, look)
    assert.not_matches("<b>", weekly.mail("a<b>", "2026-11-23").html, 1, true)
  end)
end)
