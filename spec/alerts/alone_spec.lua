-- SPDX-License-Identifier: Apache-2.0
-- The database is away, and the node that sees it tells it.
local alone = require "ringdown.alerts.alone"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"

describe("a node without a database", function()
  local now_s = 1795329402
  local stored, status

  local function alarm(kind, subject, ago_s)
    return { kind = kind, subject = subject or "", text = "it is broken", fix = "mend it", severity = "critical",
      since_ms = (now_s - (ago_s or 0)) * 1000 }
  end

  before_each(function()
    fake.reset()
    now_s = 1795329402
    fake.set_unix(now_s)
    stored, status = {}, { pid = 7, began_s = now_s - 100 }
    fake.node = { status = function()
      return json.encode { pid = status.pid, uptime_s = now_s - status.began_s }
    end }
    fake.channels_text = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } },
      { name = "desk", kind = "webhook", url = "https://desk.example/", secret = "sixteen letters!" } }
    fake.query_handlers = { { part = "alerts_told", answer = function(params)
      stored = json.decode(params[1])
      return { { "" } }
    end } }
  end)

  after_each(function()
    fake.node = nil
  end)

  local function starts_anew()
    fake.alarms_open = {}
    status = { pid = 7, began_s = now_s } -- in a container it has the same number
  end

  local function run(later_s, away_s)
    now_s = now_s + (later_s or 0)
    fake.set_unix(now_s)
    return alone.run { away_ms = away_s and away_s * 1000 }
  end

  it("tells it once, whatever restarts, and that it is over", function()
    fake.alarms_open = { alarm "database.down", alarm "journal.behind" }
    run(0, 20)
    run(4, 24)
    assert.equal(1, #fake.mails)
    assert.equal(1, #fake.posts)
    assert.matches("^%[FIRING page%] PostgreSQL cannot be reached", fake.mails[1].subject)
    assert.matches("what: +it is broken", fake.mails[1].text)
    fake.alarms_open = {}
    run(60)
    assert.matches("^%[over page%] PostgreSQL", fake.mails[2].subject)
    assert.equal("resolved", json.decode(fake.posts[2].body).status)
    assert.is_nil(fake.files["alerts_alone.json"])
    run(4)
    assert.equal(2, #fake.mails)
  end)

  it("is not told to be over by a process that started meanwhile, until the database has answered", function()
    fake.alarms_open = { alarm "database.down" }
    run(0, 20)
    now_s = now_s + 6
    starts_anew()
    run(4, 4)
    assert.equal(1, #fake.mails)
    fake.alarms_open = { alarm "database.down" }
    run(4, 14)
    assert.equal(1, #fake.mails)
    fake.alarms_open = {}
    run(60)
    assert.matches("^%[over page%] PostgreSQL", fake.mails[2].subject)
  end)

  it("asks again where nobody answered, and no other channel waits for that", function()
    fake.alarms_open = { alarm "database.down" }
    fake.mail_replies = { { "the mail server does not answer", "unknown" } }
    run(0, 20)
    run(4, 24)
    assert.equal(1, #fake.mails)
    assert.equal(1, #fake.posts)
    fake.mail_replies = {}
    run(30, 54)
    run(4, 58)
    assert.equal(2, #fake.mails)
    assert.equal(fake.mails[1].id, fake.mails[2].id)
  end)

  it("tells of emergencies too, but not of those that were told before it was alone", function()
    local old, new = "CA" .. ("a"):rep(32), "CA" .. ("b"):rep(32)
    fake.alarms_open = { alarm("emergency.unanswered", old, 60), alarm "database.down",
      alarm("emergency.unanswered", new) }
    run(0, 20)
    local told = {}
    for i, mail in ipairs(fake.mails) do
      told[i] = mail.text
    end
    told = table.concat(told, "\n")
    assert.equal(2, #fake.mails)
    assert.is_truthy(told:find("ringdown why " .. new, 1, true))
    assert.is_nil(told:find(old, 1, true))
  end)

  it("tells that an emergency is taken while the outage goes on, unless it began since and cannot know", function()
    local call = "CA" .. ("b"):rep(32)
    local both = { alarm "database.down", alarm("emergency.unanswered", call) }
    fake.alarms_open = { both[1], both[2] }
    run(0, 20)
    assert.equal(2, #fake.mails)
    fake.alarms_open = { both[1] }
    run(4, 24)
    assert.equal(3, #fake.mails)
    assert.matches("^%[over page%]", fake.mails[3].subject)
    assert.is_truthy(fake.mails[3].text:find("ringdown why " .. call, 1, true))
    run(4, 28)
    assert.equal(3, #fake.mails)
    fake.alarms_open = { both[1], alarm("emergency.unanswered", "CA" .. ("c"):rep(32)) }
    run(4, 32)
    assert.equal(4, #fake.mails)
    starts_anew()
    fake.alarms_open = { both[1] }
    run(4, 4)
    assert.equal(4, #fake.mails)
    fake.alarms_open = {}
    run(60)
    assert.equal(6, #fake.mails) -- the emergency, and that the database is back
  end)

  it("tells webhooks before mails, and asks whoever hangs once in a round, after the others", function()
    local order = {}
    local post, mail = fake.post, fake.mail
    fake.post = function(o)
      order[#order + 1] = o.url
      return post(o)
    end
    fake.mail = function(o)
      order[#order + 1] = "mail"
      return mail(o)
    end
    fake.channels_text = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } },
      { name = "one", kind = "webhook", url = "https://one/", secret = "sixteen letters!" },
      { name = "two", kind = "webhook", url = "https://two/", secret = "sixteen letters!" } }
    fake.alarms_open = { alarm "database.down", alarm("emergency.unanswered", "CA" .. ("b"):rep(32)) }
    fake.post_replies = { { lost = "timed out" }, 200 }
    run(0, 20)
    assert.same({ "https://one/", "https://two/", "https://two/", "mail", "mail" }, order)
    assert.is_truthy(json.decode(fake.posts[1].body).rule == "emergency_unanswered") -- about life first
    order = {}
    run(31, 51)
    fake.post, fake.mail = post, mail
    assert.same({ "https://one/", "https://one/" }, order)
    local told = json.decode(fake.files["alerts_alone.json"])
    assert.same({}, told.slow)
  end)

  it("that dies while it tells repeats one notice at most", function()
    fake.alarms_open = { alarm "database.down", alarm("emergency.unanswered", "CA" .. ("b"):rep(32)) }
    local mail, n = fake.mail, 0
    fake.mail = function(o)
      n = n + 1
      mail(o)
      if n == 2 then
        error "it dies"
      end
      return true
    end
    assert.is_false((pcall(run, 0, 20)))
    assert.equal(2, #fake.posts)
    fake.mail = mail
    run(4, 24)
    assert.equal(2, #fake.posts)
    assert.equal(3, #fake.mails) -- the second one twice, with one id
    assert.equal(fake.mails[2].id, fake.mails[3].id)
  end)

  it("hands over what goes on to the database, which does not tell it again", function()
    local call = "CA" .. ("b"):rep(32)
    fake.alarms_open = { alarm "database.down", alarm("emergency.unanswered", call) }
    run(0, 20)
    fake.alarms_open = { alarm("emergency.unanswered", call) }
    run(30)
    assert.same({ "emergency_unanswered", "firing", "firing", call }, { stored[1].rule, stored[1].state, stored[1].told,
      stored[1].call })
    assert.is_nil(fake.files["alerts_alone.json"])
    assert.equal(3, #fake.mails) -- both, and that the database is back
  end)

  it("does nothing while nothing is wrong", function()
    run(0)
    fake.alarms_open = { alarm("emergency.unanswered", "CA1") }
    run(4, 2) -- a beat that came late
    assert.same({}, fake.mails)
    assert.same({}, fake.files)
  end)
end)
