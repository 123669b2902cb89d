-- SPDX-License-Identifier: Apache-2.0
-- What is told before it hurts, and to whom nothing is told any more.
local fake = require "ringdown.fake.host"
local accounts = require "ringdown.health.accounts"
local heartbeat = require "ringdown.health.heartbeat"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"
local look = require "ringdown.health.look"
local models = require "ringdown.health.models"

local NOW = 1795800000 -- 2026-11-27
local DAY = 86400

local function raised(kind, subject)
  for _, alarm in ipairs(fake.alarms) do
    if alarm.kind == kind and (not subject or alarm.subject == subject) then
      return alarm.severity, alarm.text
    end
  end
end

local function is_over(kind, subject)
  for _, alarm in ipairs(fake.alarms_over) do
    if alarm.kind == kind and alarm.subject == (subject or "") then
      return true
    end
  end
  return false
end

describe("a node's health", function()
  local status, calls

  before_each(function()
    fake.reset()
    fake.set_unix(NOW)
    status = { uptime_s = 95, node = "n1", version = "1", agents = { { name = "dentist" } }, agent_errors = 0,
      alarms = {},
      certificate_expires_in_s = 90 * DAY, journal = { oldest_age_ms = 5 },
      standing = { disk_free_mb = 90000, disk_free_percent = 60, openai_model = "gpt-realtime-2.1", shutdowns = "",
        openai_concurrency = 0, twilio_balance = 20, heartbeat_url = "set" } }
    calls = {}
    fake.node = { status = function() return json.encode(status) end,
      calls = function() return json.encode(json.array(calls)) end }
    fake.query_handlers[1] = { part = "clock_timestamp", answer = { { tostring(fake.unix_ms()) } } }
    fake.openai_replies = { ["GET /models"] = {}, ["POST heartbeat"] = {} }
    fake.vapi_replies = { ["GET /assistant?limit=1"] = {} }
    fake.twilio_replies = { ["GET Balance.json"] = { body = '{"balance":"120.50","currency":"USD"}' } }
  end)

  after_each(function()
    fake.node = nil
  end)

  it("raises nothing while all is well, and ends what was wrong before", function()
    look.run()
    accounts.run()
    assert.same({}, fake.alarms)
    for _, kind in ipairs { "disk.low", "certificate.expires", "journal.old", "openai.concurrency",
      "twilio.balance" } do
      assert.is_true(is_over(kind), kind)
    end
    assert.is_true(is_over("clock.wrong", "database"))
    assert.is_true(is_over("credentials.refused", "twilio"))
  end)

  it("watches the model that writes down what callers say, too", function()
    status.standing.transcription_model = "gpt-transcribe"
    look.run()
    assert.is_nil(raised("model.shutdown", "gpt-transcribe"))
    status.standing.shutdowns = "gpt-transcribe=2027-01-10"
    look.run()
    assert.same({ "warning", "gpt-transcribe is shut down on 2027-01-10, in 44 days" },
      { raised("model.shutdown", "gpt-transcribe") })
  end)

  it("ends what it said as the leader once another has led for ten minutes", function()
    fake.alarm("warning", "cost.near_cap", "north", "x")
    fake.alarm("warning", "numbers.drift", "", "x")
    fake.alarm("critical", "target.open", "openai", "x")
    local leader = { { "n1" } }
    fake.query_handlers[2] = { part = "node_leader", answer = function()
      return leader
    end }
    look.run()
    assert.equal(3, #fake.alarms_open)
    leader = {}
    look.run()
    assert.equal(3, #fake.alarms_open)
    leader = { { "n2" } }
    look.run()
    assert.equal(1, #fake.alarms_open)
    assert.equal("target.open", fake.alarms_open[1].kind)
  end)

  it("tells a certificate two weeks before its end, and more loudly in the last days", function()
    status.certificate_expires_in_s = 14 * DAY
    look.run()
    local severity, text = raised "certificate.expires"
    assert.same({ "warning", "the certificate of public.listen is over in 14 days" }, { severity, text })
    assert.equal("critical", (judge.certificate(2 * DAY)))
    assert.equal("critical", (judge.certificate(-1)))
    assert.is_nil(judge.certificate(15 * DAY))
  end)

  it("tells it again when it grows worse, and not each minute meanwhile", function()
    for _, days in ipairs { 14, 14, 2, 2 } do
      status.certificate_expires_in_s = days * DAY
      look.run()
    end
    assert.same({ "warning", "critical" }, { fake.alarms[1].severity, fake.alarms[2].severity })
    assert.equal(2, #fake.alarms)
    assert.equal("critical", fake.open_alarms()[1].severity)
  end)

  it("tells a full disk, also one that cannot be measured", function()
    status.standing.disk_free_mb, status.standing.disk_free_percent = 1000, 3
    look.run()
    assert.equal("warning", (raised "disk.low"))
    assert.equal("critical", (judge.disk(100, 1)))
    assert.equal("warning", (judge.disk(-1, -1)))
    assert.is_nil(judge.disk(200000, 8)) -- a large disk has room at eight percent
  end)

  it("tells events that wait long for the database", function()
    status.journal.oldest_age_ms = 61000
    look.run()
    assert.equal("warning", (raised "journal.old"))
    assert.equal("critical", (judge.journal(900000)))
  end)

  it("tells the end of a model that the node or an agent uses, in time", function()
    status.standing.openai_model = "gpt-realtime"
    fake.known_agents = { { name = "dentist", shown = '{"model":"gpt-4o-realtime-preview"}' } }
    look.run()
    assert.equal("warning", (raised("model.shutdown", "gpt-realtime")))
    assert.equal("critical", (raised("model.shutdown", "gpt-4o-realtime-preview")))
    assert.is_nil((raised("model.shutdown", "gpt-realtime-2.1")))
  end)

  it("is done with a model that no agent names any more, and with an account that has no key any more", function()
    fake.known_agents = { { name = "dentist", shown = '{"model":"gpt-4o-realtime-preview"}' } }
    look.run()
    assert.equal("model.shutdown", fake.open_alarms()[1].kind)
    fake.known_agents = {}
    look.run()
    assert.same({}, fake.open_alarms())
    fake.vapi_replies["GET /assistant?limit=1"] = { status = 401 }
    fake.twilio_replies["GET Balance.json"] = { body = '{"balance":"4.99","currency":"USD"}' }
    accounts.run()
    assert.equal(2, #fake.open_alarms())
    fake.vapi_replies, fake.twilio_replies = nil, nil
    accounts.run()
    assert.same({}, fake.open_alarms())
  end)

  it("takes the days of openai.shutdowns over those it knows", function()
    assert.equal(3, (models.days_left("new", "gpt-realtime=2030-01-01\nnew=2026-11-30", NOW)))
    assert.is_nil(judge.model("gpt-realtime", "gpt-realtime=2030-01-01", NOW))
    assert.is_nil(judge.model("new", "new=soon", NOW))
  end)

  it("tells that the sessions of the account are nearly all in use", function()
    status.standing.openai_concurrency = 3
    calls = { { system = "openai" }, { system = "vapi" }, { system = "openai" } }
    look.run()
    assert.is_nil((raised "openai.concurrency"))
    calls[2].system = "openai"
    look.run()
    assert.equal("warning", (raised "openai.concurrency"))
  end)

  it("tells a clock that is off from the database's, by at least that much", function()
    fake.query_handlers[1].answer = { { tostring(fake.unix_ms() + 5000) } }
    look.run()
    local severity, text = raised("clock.wrong", "database")
    assert.same({ "warning", "this machine's clock is 5 s slow" }, { severity, text })
    assert.equal("critical", (judge.clock(0, 0, 90000, 90001)))
    assert.is_nil(judge.clock(5000, 5000, 1000, 9000)) -- the answer took long: nothing can be said
  end)

  it("tells a clock that is off from what answers are dated by, which are whole seconds", function()
    fake.openai_replies["GET /models"] = { date_ms = (NOW - 120) * 1000 }
    fake.vapi_replies["GET /assistant?limit=1"] = { date_ms = (NOW - 1) * 1000 }
    accounts.run()
    local severity, text = raised("clock.wrong", "openai")
    assert.same({ "critical", "this machine's clock is 119 s fast" }, { severity, text })
    assert.is_true(is_over("clock.wrong", "vapi"))
  end)

  it("tells a refused key at each of the three, and takes no outage for one", function()
    fake.openai_replies["GET /models"] = { status = 403 }
    fake.vapi_replies["GET /assistant?limit=1"] = { status = 401 }
    fake.twilio_replies["GET Balance.json"] = { status = 401 }
    accounts.run()
    for _, whom in ipairs { "openai", "vapi", "twilio" } do
      assert.equal("critical", (raised("credentials.refused", whom)), whom)
    end
    fake.reset()
    fake.openai_replies = { ["GET /models"] = { status = 503 } }
    fake.vapi_replies = { ["GET /assistant?limit=1"] = { status = 503 } }
    fake.twilio_replies = { ["GET Balance.json"] = { lost = true } }
    accounts.run()
    assert.same({ {}, {} }, { fake.alarms, fake.alarms_over })
  end)

  it("tells little money at Twilio, and nothing of an account that has no balance", function()
    fake.twilio_replies["GET Balance.json"] = { body = '{"balance":"4.99","currency":"USD"}' }
    accounts.run()
    local severity, text = raised "twilio.balance"
    assert.same({ "critical", "the Twilio account holds 4.99 USD" }, { severity, text })
    assert.equal("warning", (judge.balance(19, "USD", 20)))
    assert.is_nil(judge.balance(-3, "USD", 0))
    fake.reset()
    fake.twilio_replies = { ["GET Balance.json"] = { status = 404, body = "<html>" } }
    accounts.run()
    assert.is_nil((raised "twilio.balance"))
  end)

  it("asks others once in a quarter of an hour, and not at once", function()
    local asked = 0
    fake.openai_replies["GET /models"] = function()
      asked = asked + 1
      return {}
    end
    for minute = 0, 31 do
      status.uptime_s = minute * 60 + 30
      accounts.run()
    end
    assert.equal(3, asked) -- after 1, 16 and 31 minutes
  end)

  describe("and the watcher elsewhere", function()
    local notes

    local function beat()
      notes = {}
      return heartbeat.run({}, function(line) notes[#notes + 1] = line.note end)
    end

    it("hears each minute that all is well", function()
      assert.same({ told = true }, beat())
      assert.same({ node = "n1", version = "1" }, json.decode(fake.heartbeats[1]))
    end)

    it("hears nothing while callers are let down", function()
      status.alarms = { { kind = "journal.full", severity = "critical" } }
      assert.same({ silent = "journal.full" }, beat())
      status.alarms = { { kind = "target.open", severity = "critical" } } -- calls go to the other system
      assert.same({ told = true }, beat())
      status.draining = true
      assert.same({ silent = "it drains" }, beat())
      status.draining, status.agents, status.agent_errors = false, {}, 1
      assert.same({ silent = "no agent loads" }, beat())
      assert.equal(1, #fake.heartbeats)
    end)

    it("is told of when it cannot be reached, and nobody is asked who is not set", function()
      fake.openai_replies["POST heartbeat"] = { status = 500 }
      beat()
      assert.equal("warning", (raised "heartbeat.failed"))
      fake.openai_replies["POST heartbeat"] = { not_sent = true }
      assert.is_true(beat().failed)
      status.standing.heartbeat_url = nil
      assert.is_nil(beat())
      assert.equal(2, #fake.heartbeats)
    end)

    it("keeps silent for just what /health fails by", function()
      local source, fails = assert(io.open "runtime/control/health.c"):read "a", {}
      for kind, rest in source:gmatch '\n?%s*"(%l[%l_]+%.%l[%l_]+)",%s*([%w"_]+,%s*%l+),' do
        if rest:match "true$" then
          fails[kind] = true
        end
      end
      assert.same(fails, heartbeat.fails)
    end)
  end)
end)
