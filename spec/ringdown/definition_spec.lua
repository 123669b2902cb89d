-- SPDX-License-Identifier: Apache-2.0
-- What a call takes instead of checking its agent again: here an agent is loaded, written down, and its file run
-- once more as in a call's VM.
local fake_host = require "ringdown.fake.host"
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local definition = require "ringdown.definition"
local json = require "ringdown.json"
local sessions = require "ringdown.session"
local tool = require "ringdown.tool"
local tools = require "ringdown.tools"

local function price(more)
  local spec = {
    name = "price", about = "What it costs.", effect = "read",
    args = { hours = { type = "number", about = "how long", min = 0.5, max = 8 } },
    run = function(call, args)
      call.vars.asked = true
      return { cents = args.hours * 9000 }
    end,
  }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return spec
end

local function file(given)
  return {
    name = "shop", greeting = { en = "Hello.", es = "Hola." }, languages = { "en", "es" }, time_zone = "Europe/Berlin",
    hours = { mon_fri = "08:00-17:00" }, people = { office = "+13125550101" },
    prompt = "You answer {{caller.number or \"nobody\" | spell}}. {{hours.text}}",
    vars = { asked = false, list = json.array {}, rate = 0.1, most = math.maxinteger },
    verify = { ask = { "postcode" }, check = function(_, answers) return answers.postcode == "60601" end },
    tools = { tool(price(given)), tools.lookup_customer { show = { "email" } }, tools.transfer_call, tools.end_call },
    on = { utterance = function(call, text) call.vars.asked = text end },
    routing = function() return "openai", "always" end,
    openai = { voice = "sage" },
  }
end

local function load_agent()
  complaints.start "shop"
  local def = agent(file())
  assert.equal("", complaints.text())
  return def
end

local FORM = { CallSid = "CA1", From = "+4930123456" }

-- As in a call: nothing is checked, the data comes from the definition.
local function in_call(def, spec_of, check)
  local texts, real_file = definition.texts(def), fake_host.file
  package.loaded["ringdown.def"] = assert(load(texts["ringdown.def"]))()
  fake_host.loading, fake_host.file = false, function(name)
    return texts[name]
  end
  local ok, why = pcall(function()
    check(sessions.new(agent(spec_of()), FORM))
  end)
  fake_host.loading, fake_host.file = true, real_file
  package.loaded["ringdown.def"] = nil
  if not ok then
    error(why, 0)
  end
end

describe("an agent's definition", function()
  before_each(function()
    fake_host.reset()
  end)

  it("gives a call the same brief, routing and hooks as the agent that was loaded", function()
    local def = load_agent()
    local loaded = sessions.new(def, FORM)
    in_call(def, file, function(session)
      assert.same(loaded:brief(), session:brief())
      assert.equal(loaded:hooks(), session:hooks())
      assert.same({ "openai", "always", "", { system = "openai", first = "openai", first_reason = "agent",
      reason = "agent", detail = "always" } }, { session:route() })
      session:event("utterance", "how much?", 1)
      assert.equal("how much?", session.call.vars.asked)
      assert.equal(math.maxinteger, session.call.vars.most)
      assert.equal(0.1, session.call.vars.rate)
      assert.equal("[]", json.encode(session.call.vars.list))
    end)
  end)

  it("checks what the model says as strictly, and runs the file's own functions", function()
    in_call(load_agent(), file, function(session)
      assert.equal('{"cents":18000}', session:tool("price", '{"hours":2}'))
      assert.matches("must be from 0.5 to 8", session:tool("price", '{"hours":9}'), 1, true)
      assert.matches("no tool 'prize'", session:tool("prize", "{}"), 1, true)
    end)
  end)

  it("brings the library's own tools, which no file runs again", function()
    in_call(load_agent(), file, function(session)
      assert.matches("not verified yet", session:tool("lookup_customer", "{}"), 1, true)
      session:tool("verify_caller", '{"postcode":"60601"}')
      assert.is_true(session.call.verified)
      assert.equal("office", (select(4, session:tool("transfer_call", '{"to":"office"}'))))
      assert.equal("goodbye", (select(3, session:tool("end_call", "{}"))))
    end)
  end)

  it("keeps apart what few calls look at", function()
    in_call(load_agent(), file, function(session)
      assert.is_nil(rawget(session.def, "emergencies"))
      assert.same({}, session.def.emergencies)
      assert.is_nil(session.def.sms)
    end)
  end)

  it("is not for a file that declares other tools the second time", function()
    local ok, why = pcall(in_call, load_agent(), function()
      return file { name = "prices" }
    end, function() end)
    assert.is_false(ok)
    assert.matches("tool 1 is not the one it was when the file was loaded", why, 1, true)
  end)

  it("is the same text for the same agent", function()
    assert.same(definition.texts(load_agent()), definition.texts(load_agent()))
  end)
end)
