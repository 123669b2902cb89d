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
      certificate = { set = true, good = true, why = "", expires_in_s = 90 * 86400, matches = true, host = "h" },
      standing = { disk_free_mb = 90000, disk_free_percent = 60, descriptors = 65536, shutdowns = "",
        openai_model = "gpt-realtime-2.1", transcription_model = "gpt-transcribe",
        twilio_balance = 20, heartbeat_url = "set" },
      set = { max_calls = 200, channels = true } }
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
    assert.equal("18 ok, 0 to look at, 0 failing", told[#told])
  end)

  it("asks nobody when it is offline", function()
    p.offline, fake.database_down = true, "gone"
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
    ["a model that goes"] = { "warn model", function() p.standing.openai_model = "gpt-realtime" end },
    ["an agent that does not load"] = { "fail agents", function()
      fake.broken_agents = { { module = "x", lines = "x.lua:1: no" } }
    end },
    ["no agents"] = { "warn agents", function() fake.known_agents = {} end },
    ["nobody who is told"] = { "warn alerts", function() p.set.channels = false end },
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
    ["a refused key of OpenAI"] = { "fail openai", function() fake.openai_replies["GET /models"].status = 401 end },
    ["OpenAI in trouble"] = { "warn openai", function() fake.openai_replies["GET /models"].status = 500 end },
    ["OpenAI out of reach"] = { "fail openai", function() fake.openai_replies["GET /models"] = { lost = true } end },
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

  it("says that the database is away, and goes on", function()
    fake.database_down = "connection refused"
    assert.same({ "fail database" }, found())
    assert.is_true(run().failed)
  end)
end)
