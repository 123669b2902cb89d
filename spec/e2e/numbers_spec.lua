-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- The account's numbers are switched to us and back, as an operator does it: `ringdown numbers` against a Twilio that
-- is simulated, a real database, and processes that are killed. RINGDOWN_NUMBERS says how many (60; with --full 200).
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local MANY = tonumber(os.getenv "RINGDOWN_NUMBERS") or os.getenv "RINGDOWN_PROMISES" and 200 or 60
local A = "+13125550100"
local FIELDS = { "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method", "voice_application_sid",
  "trunk_sid", "status_callback", "status_callback_method", "sms_url", "sms_method", "sms_fallback_url",
  "sms_application_sid" }

local PLUMBER = [[
local agent = require "ringdown.agent"
return agent { name = "plumber", openai = {}, greeting = "Plumbing, how can I help?", prompt = "Help." }
]]

-- Vapi has imported its number, for this assistant.
local DENTIST = [[
local agent = require "ringdown.agent"
return agent { name = "dentist", openai = {}, vapi = { assistant = "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30" },
  routing = "openai", greeting = "Dentist, how can I help?", prompt = "Help." }
]]

describe("the account's numbers", function()
  local n, phones

  -- What Twilio has, by number: the twelve fields in a row.
  local function at_twilio()
    local all, path = {}, "/2010-04-01/Accounts/" .. node.account .. "/IncomingPhoneNumbers.json?PageSize=1000"
    while path do
      local answer = n:request { url = "http://127.0.0.1:" .. n.rest_port, path = path,
        headers = { Authorization = "Basic " .. proc.run(("printf %%s '%s:%s' | base64 -w0"):format(node.account,
          node.token)):gsub("%s", "") } }
      local page = json.decode(answer.body)
      for _, one in ipairs(page.incoming_phone_numbers) do
        local values = {}
        for i, name in ipairs(FIELDS) do
          values[i] = one[name] == json.null and "" or one[name]
        end
        all[one.phone_number] = table.concat(values, "\n")
      end
      path = page.next_page_uri ~= json.null and page.next_page_uri or nil
    end
    return all
  end

  local function numbers(...)
    return n:ringdown("numbers", ...)
  end

  local function must(...)
    local text, code = numbers(...)
    assert.equal(0, code, type(text) == "string" and text or json.encode(text))
    return text
  end

  -- `ringdown numbers …` in the background.
  local function begin(...)
    return proc.start { name = "numbers", folder = n.folder, args = { proc.binary(), "numbers", ... }, env = n.env }
  end

  setup(function()
    n = node.start { agents = { ["plumber.lua"] = PLUMBER, ["dentist.lua"] = DENTIST }, sim = false, vapi = {} }
    phones = n:phones { numbers = MANY }
    local lines = { "number,agent,site", A .. ",dentist" }
    for i = 2, MANY do
      lines[#lines + 1] = ("+%d,plumber,"):format(13125550099 + i)
    end
    proc.write(n.folder .. "/numbers.csv", table.concat(lines, "\n") .. "\n")
    assert.matches(MANY .. " numbers assigned", must("import", n.folder .. "/numbers.csv"))
  end)
  teardown(function()
    phones:stop()
    n:stop()
  end)

  it("many are switched although the process is killed, and given back byte for byte", function()
    local before = at_twilio()
    assert.matches(("Nothing was changed. %d would be switched"):format(MANY),
      must("switch", "--all", "--to", "ringdown", "--dry-run"))
    local ours = n.url .. "/twilio/voice"
    local child = begin("switch", "--all", "--to", "ringdown", "--wave", "50")
    assert(phones:wait_event("number.updated", function(event)
      return event.number >= ("+%d"):format(13125550100 + MANY // 3)
    end), "no number was changed: " .. child:text())
    child:signal "KILL"
    child:wait()
    for number, fields in pairs(at_twilio()) do
      assert.is_true(fields == before[number] or fields:sub(1, #ours) == ours)
    end
    local run = numbers("runs", "--json").details[1] -- cjson has floats
    assert.equal("running", run.state)
    assert.matches(("run %d: %d of %d verified\n"):format(run.run, MANY, MANY),
      must("switch", "--resume", ("%d"):format(run.run)))
    must("verify", "--all")
    for _, fields in pairs(at_twilio()) do
      assert.equal(ours, fields:match "^[^\n]*")
    end
    must("restore", ("%d"):format(run.run))
    assert.same(before, at_twilio())
  end)

  it("a real call says who answers", function()
    must("switch", A, "--to", "ringdown")
    local told, code = numbers("verify", A, "--call", "--from", "+13125550101", "--json")
    assert.equal(0, code)
    local answer = told.details[#told.details]
    assert.equal("dentist", answer.ours.agent)
    assert.equal("openai", answer.ours.first) -- there is none here, so the fallback may have had the last word already
    must("restore", A)
    assert(phones:wait_event "call.ended")
  end)

  it("Vapi answers when we do not, and that is told as a failure", function()
    local url = n.env.RINGDOWN_PUBLIC_URL
    n.env.RINGDOWN_PUBLIC_URL = "http://127.0.0.1:9" -- nobody is there
    must("switch", A, "--to", "ringdown")
    n.env.RINGDOWN_PUBLIC_URL = url
    local told, code = numbers("verify", A, "--call", "--from", "+13125550101", "--json")
    assert.equal(1, code)
    local answer = told.details[#told.details]
    assert.same({ "vapi", "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30" }, { answer.answered_by, answer.vapi.assistant })
    must("restore", A)
  end)

  it("a script of its own gives one back, without us and without the database", function()
    local before = at_twilio()
    must("switch", A, "--to", "ringdown", "--texts")
    local script = n.folder .. "/way-back.sh"
    must("snapshot", A, "--script", script)
    local run = ("env -i PATH=/usr/bin:/bin TWILIO_ACCOUNT_SID=%s TWILIO_AUTH_TOKEN=%s "
      .. "TWILIO_API_URL=http://127.0.0.1:%d sh %s"):format(node.account, node.token, n.rest_port, script)
    local text, code = proc.run(run .. " --check 2>&1")
    assert.equal(1, code, text)
    text, code = proc.run(run .. " 2>&1")
    assert.equal(0, code or 0, text)
    assert.same(before, at_twilio())
    assert.is_nil(proc.read(script):find(node.token, 1, true))
    local _, drifted = numbers "drift"
    assert.equal(1, drifted)
  end)

  it("a node that leads looks by itself whether they are as they were made, first when it begins", function()
    n:kill()
    n:restart()
    local alarm = n:wait_log("alarm", function(line)
      return line.kind == "numbers.drift"
    end, 20)
    assert.same({ A, "warning" }, { alarm.subject, alarm.severity })
    assert.same({ drifted = 1 }, pg.query(n.database,
      "select count(*) as drifted from number_targets where drift is not null")[1])
  end)
end)
