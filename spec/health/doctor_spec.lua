-- SPDX-License-Identifier: Apache-2.0
-- Each finding of `ringdown doctor`, provoked once, beside an installation that has none.
local doctor = require "ringdown.doctor"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"

describe("ringdown doctor", function()
  local p, told

  before_each(function()
    fake.reset()
    fake.set_unix(1795800000)
    fake.known_agents = { { name = "dentist", shown = "{}", numbers = { "+13125550100" } } }
    fake.query_handlers[1] = { part = "clock_timestamp", answer = { { tostring(fake.unix_ms()), "45" } } }
    fake.query_handlers[2] = { part = "nodes.differ", answer = {} }
    fake.openai_replies = { ["GET /models"] = {}, ["GET outside"] = { body = "ok\n" } }
    fake.vapi_replies = { ["GET /assistant?limit=1"] = {} }
    fake.twilio_replies = { ["GET Balance.json"] = { body = '{"balance":"99.00","currency":"USD"}' },
      ["GET IncomingPhoneNumbers.json"] = { body = json.encode { incoming_phone_numbers = {
        { phone_number = "+13125550100", voice_url = "https://calls.example.com/twilio/voice" } } } } }
    p = { migration = 45, offline = false,
      data = { path = "/data", there = true, writable = true, open = false },
      complaints = {},
      certificate = { set = true, good = true, why = "", expires_in_s = 90 * 86400, matches = true, host = "h",
        chain = 2, trusted = true, untrusted = "", chain_expires_in_s = 90 * 86400, own_authority = false },
      unit = { LoadState = "loaded", ActiveState = "active", Type = "notify", NotifyAccess = "all",
        WatchdogUSec = "30s" },
      standing = { disk_free_mb = 90000, disk_free_percent = 60, descriptors = 65536, shutdowns = "",
        openai_model = "gpt-realtime-2.1", transcription_model = "gpt-transcribe",
        twilio_balance = 20, heartbeat_url = "set", synthetic_to = "dentist",
        synthetic_every_s = 900, synthetic_first_audio_ms = 4000 },
      set = { max_calls = 200, channels = true, smtp = true } }
    fake.channels_text = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } } }
    p.call = { call = "CA1", over = true, ended_by = "caller", spoke = "words", webhook_status = 200, webhook_ms = 8,
      stream_ms = 40, first_audio_ms = 350, said_ms = 3000, answer_ms = 800, duration_ms = 6000, violations = 0,
      verbs = "Connect", error = "" }
    fake.query_handlers[3] = { part = "from calls", answer = { { "true", "synthetic" } } }
  end)

  local function run()
    told = {}
    return doctor.run(p, function(line) told[#told + 1] = line.text end)
  end

  -- What is not in order, "verdict what".
  local function found()
    local list = {}
    for _, one in ipairs(run().findings) do
      if one.verdict ~= "ok" then
        assert.is_string(one.remedy)
        list[#list + 1] = one.verdict .. " " .. one.what
      end
    end
    return list
  end

  it("finds nothing where all is well", function()
    local result = run()
    assert.same({ 0, 0, false }, { result.warn, result.fail, result.failed })
    assert.equal("24 ok, 0 to look at, 0 failing", told[#told])
  end)

  it("asks nobody when it is offline", function()
    p.offline, fake.database_down, p.unit = true, "gone", nil
    fake.twilio_replies, fake.openai_replies, fake.vapi_replies = nil, nil, nil
    assert.same({}, found())
    assert.same({}, fake.queries)
  end)

  for name, case in pairs {
    ["a missing data folder"] = { "fail data folder", function() p.data.there = false end },
    ["one that cannot be written to"] = { "fail data folder", function() p.data.writable = false end },
    ["one that everybody reads"] = { "warn data folder", function() p.data.open = true end },
    ["a full disk"] = { "fail disk", function() p.standing.disk_free_mb = 10 end },
    ["few descriptors"] = { "warn descriptors", function() p.standing.descriptors = 1024 end },
    ["a broken pair"] = { "fail certificate", function() p.certificate.good = false end },
    ["another's certificate"] = { "fail certificate", function() p.certificate.matches = false end },
    ["one that is over soon"] = { "warn certificate", function() p.certificate.expires_in_s = 10 * 86400 end },
    ["a chain that is cut off"] = { "fail certificate chain", function()
      p.certificate.trusted, p.certificate.untrusted = false, "its chain of 1 ends before any authority"
    end },
    ["an authority of our own"] = { "warn certificate chain", function()
      p.certificate.trusted, p.certificate.untrusted, p.certificate.own_authority = false, "not public", true
    end },
    ["an intermediate one that is over soon"] = { "warn certificate chain", function()
      p.certificate.chain_expires_in_s = 10 * 86400
    end },
    ["a wrong setting, and goes on"] = { "fail settings", function()
      p.complaints = { "ringdown.lua:3: public.listne: unknown key; did you mean public.listen?" }
    end },
    ["no unit"] = { "warn systemd", function() p.unit = { LoadState = "not-found" } end },
    ["a unit that does not wait"] = { "warn systemd", function() p.unit.Type = "simple" end },
    ["a unit that hears only the first process"] = { "warn systemd", function() p.unit.NotifyAccess = "main" end },
    ["a unit without a watchdog"] = { "warn systemd", function() p.unit.WatchdogUSec = "0" end },
    ["a channel that is none"] = { "fail alerts", function()
      fake.channels_text = json.encode { { name = "desk", kind = "webhook", url = "https://desk.example/a" } }
    end },
    ["nobody to ring"] = { "fail synthetic call", function() p.standing.synthetic_to = "nobody" end },
    ["a call that fails"] = { "fail call", function() p.call.first_audio_ms = -1 end },
    ["a caller who hums"] = { "warn call", function() p.call.spoke = "hum" end },
    ["a mail server that does not let us in"] = { "fail mail", function()
      fake.mail_refused = { why = "the mail server refuses user and password of smtp.url", code = "refused" }
    end },
    ["a key without the right to sessions"] = { "fail openai", function()
      fake.session_refused = { why = "the session was refused (403)", code = "403" }
    end },
    ["no money at OpenAI"] = { "fail openai", function()
      fake.session_refused = { why = "You exceeded your current quota", code = "insufficient_quota" }
    end },
    ["a model that is not ours"] = { "fail openai", function()
      fake.session_refused = { why = "no such model", code = "model_not_found" }
    end },
    ["a firewall before WebSockets"] = { "fail openai", function()
      fake.session_refused = { why = "no connection", code = "lost" }
    end },
    ["a model that goes"] = { "warn model", function() p.standing.openai_model = "gpt-realtime" end },
    ["an agent that does not load"] = { "fail agents", function()
      fake.broken_agents = { { module = "x", lines = "x.lua:1: no" } }
    end },
    ["no agents"] = { "warn agents", function() fake.known_agents, p.standing.synthetic_to = {}, "" end },
    ["nobody who is told"] = { "warn alerts", function()
      p.set.channels, fake.channels_text = false, ""
    end },
    ["no watcher"] = { "warn heartbeat", function() p.standing.heartbeat_url = nil end },
    ["an old schema"] = { "fail database", function() p.migration = 46 end },
    ["a wrong clock"] = { "fail clock", function()
      fake.query_handlers[1].answer = { { tostring(fake.unix_ms() + 90000), "45" } }
    end },
    ["nodes that differ"] = { "fail nodes", function() fake.query_handlers[2].answer = { { "n2 differs" } } end },
    ["an address that leads elsewhere"] = { "fail public.url", function()
      fake.openai_replies["GET outside"] = { body = "<html>" }
    end },
    ["an address that leads nowhere"] = { "fail public.url", function() fake.openai_replies["GET outside"] = nil end },
    ["a model for transcripts that goes"] = { "warn transcription", function()
      p.standing.transcription_model, p.standing.shutdowns = "gpt-transcribe", "gpt-transcribe=2027-01-10\n"
    end },
    ["a refused key of OpenAI"] = { "fail openai", function()
      fake.openai_replies["GET /models"].status = 401
      fake.session_refused = { why = "the session was refused (401)", code = "401" }
    end },
    ["OpenAI out of reach"] = { "fail openai", function()
      fake.openai_replies["GET /models"] = { lost = true }
      fake.session_refused = { why = "no connection", code = "lost" }
    end },
    ["a refused token of Twilio"] = { "fail twilio", function()
      fake.twilio_replies["GET Balance.json"] = { status = 401 }
    end },
    ["little money"] = { "warn twilio balance", function()
      fake.twilio_replies["GET Balance.json"].body = '{"balance":"15","currency":"USD"}'
    end },
    ["no key of Vapi"] = { "warn vapi", function() fake.vapi_replies = nil end },
    ["a number that leads elsewhere"] = { "warn numbers", function()
      fake.twilio_replies["GET IncomingPhoneNumbers.json"].body = json.encode { incoming_phone_numbers = {
        { phone_number = "+13125550100", voice_url = "https://api.vapi.ai/twilio/inbound_call" } } }
    end },
    ["a number that is not ours"] = { "warn numbers", function()
      fake.known_agents[1].numbers[2] = "+13125550199"
    end },
  } do
    it("finds " .. name, function()
      case[2]()
      assert.same({ case[1] }, found())
    end)
  end

  it("takes a key that may not list models, when a session opens", function()
    for _, status in ipairs { 401, 403, 500 } do
      fake.openai_replies["GET /models"].status = status
      assert.same({}, found())
    end
    assert.equal("gpt-realtime-2.1", fake.session_of)
  end)

  it("sends a mail only when it is asked to", function()
    run()
    assert.equal(0, #fake.mails)
    p.send = true
    run()
    assert.same({ "ops@example.com" }, fake.mails[1].to)
    fake.mail_refused = { why = "no", code = "refused" }
    assert.same({ "fail mail" }, found())
  end)

  it("tells all mistakes, not the first", function()
    p.complaints = { "one", "two" }
    fake.known_agents[1].numbers = { "+13125550198", "+13125550199" }
    p.standing.synthetic_to = "+13125550198"
    assert.same({ "fail settings", "fail settings", "warn numbers", "warn numbers" }, found())
  end)

  it("makes no call by itself", function()
    p.call = nil
    assert.same({}, found())
  end)

  it("says that the database is away, and goes on", function()
    fake.database_down = "connection refused"
    p.call = nil
    assert.same({ "fail database" }, found())
    assert.is_true(run().failed)
  end)
end)
