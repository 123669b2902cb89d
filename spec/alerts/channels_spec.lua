-- SPDX-License-Identifier: Apache-2.0
-- Whom alerts go to: what a channel may be, and what each kind of it gets.
local channels = require "ringdown.alerts.channels"
local command = require "ringdown.alerts.command"
local fake = require "ringdown.fake.host"
local formats = require "ringdown.alerts.formats"
local json = require "ringdown.json"
local shapes = require "spec.alerts.shapes"

local function notice(status, n)
  local alerts = {}
  for i = 1, n or 1 do
    alerts[i] = { id = i, fingerprint = ("%064x"):format(i), rule = "failed_calls", status = status, severity = "page",
      labels = { agent = "north", node = "a" }, value = .125, threshold = .1, call = "CA1", text = "<&> it fails",
      since_ms = 1795329401000, resolved_ms = status == "resolved" and 1795329461000 or nil }
  end
  local body = formats.notice({ status = status, severity = "page", rule = "failed_calls", group = "failed_calls|north",
    at_ms = 1795329402000, alerts = alerts, n_alerts = #alerts }, { unit = "share", about = "too many calls fail",
    runbook = "docs/troubleshooting.md#failed-calls" })
  body.notice = ("ab"):rep(16)
  for i, a in ipairs(body.alerts) do
    a.id = tostring(i)
  end
  return body
end

describe("a channel", function()
  before_each(fake.reset)

  it("is as it must be, or what is wrong with it is told", function()
    local list, mistakes = channels.read(json.encode {
      { name = "ops", kind = "mail", to = "ops@example.com" },
      { name = "desk", kind = "webhook", url = "https://desk.example/x", secret = "sixteen letters!" },
      { name = "here", kind = "webhook", url = "http://127.0.0.1:9/x", secret = "sixteen letters!" },
      { name = "chat", kind = "webhook", url = "https://hooks.slack.com/services/T", format = "slack" },
      { name = "pager", kind = "webhook", format = "pagerduty", routing_key = "k", severities = { "page" } },
    })
    assert.same({}, mistakes)
    assert.equal(5, #list)
    assert.same({ "ops@example.com" }, list[1].to)
    list, mistakes = channels.read(json.encode {
      { name = "a", kind = "mial", to = "ops@example.com" },
      { name = "b", kind = "mail", to = "ops" },
      { name = "c", kind = "mail", url = "https://x.example" },
      { name = "d", kind = "webhook", url = "http://desk.example/x", secret = "sixteen letters!" },
      { name = "e", kind = "webhook", url = "http://127.0.0.1.evil.example/", secret = "sixteen letters!" },
      { name = "s", kind = "webhook", url = "https://x.example/", secret = "short" },
      { name = "f", kind = "webhook", format = "pagerduty" },
      { name = "f", kind = "webhook", url = "https://x.example", secret = "sixteen letters!", severity = "page" },
    })
    assert.same({}, list)
    local told = table.concat(mistakes, "\n")
    for _, words in ipairs { 'channels[1].kind: "mial" is unknown; did you mean \'mail\'',
      "[2].to: \"ops\" is not a mail",
      "[3]: a mail channel needs 'to'", "[3].url: belongs to webhooks", "[4].url: must be an address like https://",
      "[5].url: must be an address like https://", "[6]: a webhook needs 'secret', 16 letters",
        "[7]: PagerDuty needs 'routing_key'",
      "[8].name: there are two of this name", "[8].severity: unknown key" } do
      assert.is_truthy(told:find(words, 1, true), words .. " is not in\n" .. told)
    end
    fake.mail_from = ""
    mistakes = select(2, channels.read(json.encode { { name = "ops", kind = "mail", to = "ops@example.com" } }))
    assert.matches("smtp.url and smtp.from are missing", mistakes[1])
  end)

  it("hears what it wants to hear", function()
    assert.is_true(channels.wants({}, "info", "north"))
    assert.is_false(channels.wants({ severities = { "page" } }, "info", "north"))
    assert.is_true(channels.wants({ agents = { "north" } }, "info", nil))
    assert.is_false(channels.wants({ agents = { "north" } }, "info", "south"))
  end)

  it("of ours gets a signed notice with all that is known", function()
    fake.set_unix(1795329402)
    assert.is_true(channels.send({ name = "desk", kind = "webhook", format = "ringdown", url = "https://x",
      secret = "s" },
      notice "firing"))
    local post = fake.posts[1]
    assert.equal("X-Ringdown-Signature: t=1795329402,v1=" .. fake.hmac("s", "1795329402." .. post.body), post.header[3])
    assert.equal("X-Ringdown-Notice: " .. ("ab"):rep(16), post.header[2])
    local a = json.decode(post.body).alerts[1]
    assert.same({ "1", "north", .125, .1, "2026-11-22T06:36:41Z", "docs/troubleshooting.md#failed-calls",
      "ringdown why CA1",
      "ringdown alerts ack 1" }, { a.id, a.agent, a.value, a.threshold, a.since, a.runbook, a.why, a.ack })
  end)

  it("of Slack gets a text, with nothing in it that Slack would take for its own", function()
    channels.send({ name = "chat", kind = "webhook", format = "slack", url = "https://x" }, notice("firing", 3))
    local body = json.decode(fake.posts[1].body)
    assert.equal("[FIRING page] north: too many calls fail (3 alerts)", body.text)
    assert.is_truthy(body.blocks[1].text.text:find("&lt;&amp;&gt; it fails", 1, true))
    assert.is_true(#body.blocks[1].text.text <= 3000)
    assert.is_nil(fake.posts[1].header[3])
  end)

  it("of PagerDuty gets an event for each alert, which ends the same incident later", function()
    local c = { name = "p", kind = "webhook", format = "pagerduty", url = "https://x", routing_key = "k" }
    channels.send(c, notice("firing", 2))
    channels.send(c, notice "resolved")
    local first, over = json.decode(fake.posts[1].body), json.decode(fake.posts[3].body)
    assert.same({ "k", "trigger", "critical", "a", "north", "failed_calls" }, { first.routing_key, first.event_action,
      first.payload.severity, first.payload.source, first.payload.component, first.payload.class })
    assert.same({ "resolve", first.dedup_key }, { over.event_action, over.dedup_key })
    assert.is_nil(over.payload)
    assert.are_not.equal(first.dedup_key, json.decode(fake.posts[2].body).dedup_key)
  end)

  it("gets what its kind takes, whatever is told, and by ringdown alerts test", function()
    fake.channels_text = json.encode {
      { name = "ops", kind = "mail", to = { "ops@example.com" } },
      { name = "desk", kind = "webhook", url = "https://desk.example/a", secret = "sixteen letters!" },
      { name = "chat", kind = "webhook", url = "https://hooks.slack.com/services/T", format = "slack" },
      { name = "pager", kind = "webhook", format = "pagerduty", routing_key = ("0a"):rep(16) } }
    local long = notice("firing", 20)
    for _, a in ipairs(long.alerts) do
      a.text, a.labels = ("wide Ü & <b> "):rep(80), { agent = ("north "):rep(40), node = "a" }
    end
    local told = { notice "firing", notice("firing", 3), notice "resolved", notice "flapping", long,
      formats.notice({ status = "suppressed", severity = "page", rule = "limit", group = "limit", at_ms = 1795329402000,
        alerts = {}, n_alerts = 3 }) }
    for _, name in ipairs { "ops", "desk", "chat", "pager" } do
      for _, one in ipairs(told) do
        local body = json.copy(one)
        body.notice, body.alerts = ("ab"):rep(16), json.array(body.alerts)
        assert.is_true(channels.send(channels.find(name), body))
      end
      local lines = {}
      command.run({ verb = "test", words = { name } }, function(line)
        lines[#lines + 1] = line.text
      end)
      assert.equal(name .. ' was told: "[test info] a test: nothing is wrong"', lines[1])
    end
    assert.equal(7, #fake.mails)
    local by = { slack = 0, pagerduty = 0 }
    for _, post in ipairs(fake.posts) do
      local kind = post.url:find("slack", 1, true) and "slack" or post.url:find("pagerduty", 1, true) and "pagerduty"
      if kind then
        by[kind] = by[kind] + 1
        assert.is_nil(shapes[kind](json.decode(post.body)))
      end
    end
    assert.same({ slack = 7, pagerduty = 1 + 3 + 1 + 1 + 20 + 1 + 1 }, by)
  end)

  it("would be told what no receiver takes", function()
    assert.matches("blocks.1.text.text is longer", shapes.slack { text = "x", blocks = { { type = "section",
      text = { type = "mrkdwn", text = ("x"):rep(3001) } } } })
    assert.matches("take a sign", shapes.slack { text = "<x>", blocks = { { type = "section", text = { type = "mrkdwn",
      text = "x" } } } })
    assert.matches("event.payload is missing", shapes.pagerduty { routing_key = ("0a"):rep(16), dedup_key = "x",
      event_action = "trigger" })
    assert.matches("severity is 'page'", shapes.pagerduty { routing_key = ("0a"):rep(16), dedup_key = "x",
      event_action = "trigger", payload = { summary = "x", source = "y", severity = "page" } })
  end)

  it("that answers is judged by what it says", function()
    local c = { name = "d", kind = "webhook", format = "slack", url = "https://x" }
    for status, code in pairs { [204] = true, [301] = "refused", [400] = "refused", [404] = "refused",
      [408] = "not_sent",
      [429] = "not_sent", [500] = "not_sent", [503] = "not_sent" } do
      fake.post_replies = { status }
      local ok, _, how = channels.send(c, notice "firing")
      assert.equal(code, ok or how, status)
    end
  end)

  it("by mail tells what to do, in lines", function()
    channels.send({ name = "ops", kind = "mail", to = { "o@example.com" } }, notice "firing")
    local mail = fake.mails[1]
    assert.equal("[FIRING page] north: too many calls fail", mail.subject)
    assert.equal(("ab"):rep(16) .. ".ops@example.com", mail.id)
    for _, line in ipairs { "value:     12.5 %", "threshold: 10.0 %", "look:      ringdown why CA1",
      "since:     2026-11-22T06:36:41Z" } do
      assert.is_truthy(mail.text:find(line, 1, true), line)
    end
  end)
end)
