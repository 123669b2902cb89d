-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"

local VAPI = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }

local function define(more)
  complaints.start("sales")
  local spec = { name = "sales", greeting = "Hello.", prompt = "Help." }
  for key, value in pairs(more) do
    spec[key] = value
  end
  local def = agent(spec)
  return def, complaints.text()
end

local function system_of(more, from)
  local def, wrong = define(more)
  assert.equal("", wrong)
  local call = fake.call { agent = def, from = from }
  return call.system, call.reason
end

describe("routing", function()
  it("is fixed, split, or a function of the call", function()
    assert.same({ "vapi", "fixed" }, { system_of { routing = "vapi", vapi = VAPI } })
    assert.same({ "openai", "fixed" }, { system_of { routing = "openai", vapi = VAPI } })
    assert.same({ "openai", "split" },
      { system_of({ routing = { split = { openai = 31 } }, vapi = VAPI }, "+14155550101") })
    assert.same({ "vapi", "split" },
      { system_of({ routing = { split = { openai = 30.95 } }, vapi = VAPI }, "+14155550101") })
    assert.same({ "openai", "default" }, { system_of { routing = { split = { openai = 100 } } } })
    local vip = function() return "vapi", "vip" end
    assert.same({ "vapi", "vip" }, { system_of { routing = vip, vapi = VAPI } })
    assert.same({ "vapi", "agent" }, { system_of { routing = function() return "vapi" end, vapi = VAPI } })
    assert.same({ "openai", "default" }, { system_of { routing = function() end, vapi = VAPI, openai = {} } })
    assert.same({ "vapi", "default" }, { system_of { vapi = VAPI } })
    assert.same({ "openai", "default" }, { system_of {} })
  end)

  it("says at load what cannot work at a call", function()
    local function wrong(value)
      local _, text = define { routing = value }
      return text
    end
    assert.matches("routing: sends calls to Vapi, but there is no vapi table", wrong "vapi")
    assert.matches("routing: sends calls to Vapi", wrong { split = { openai = 25 } })
    assert.matches("routing: \"opena1\" is unknown; did you mean 'openai'?", wrong "opena1", 1, true)
    assert.matches("routing.split.openai: must be a number from 0 to 100", wrong { split = { openai = 101 } }, 1, true)
    assert.matches("routing.split.openai: has steps of 0.01", wrong { split = { openai = 0.005 } }, 1, true)
    assert.matches("routing: 'split' is missing", wrong {})
    assert.matches("routing: must be", wrong(7))
  end)
end)

describe("a decision", function()
  local BOTH = { vapi = VAPI, openai = {}, hours = { mon_fri = "08:00-17:00" }, time_zone = "America/Chicago" }
  local IN, OUT = "+14155550101", "+14155550100" -- buckets 3095 and 9671

  local function call_of(routes, more, from, form)
    local spec = {}
    for _, part in ipairs { BOTH, more or {} } do
      for key, value in pairs(part) do
        spec[key] = value
      end
    end
    local def, wrong = define(spec)
    assert.equal("", wrong)
    return fake.call { agent = def, from = from or IN, routes = routes, form = form }
  end

  local function decided(...)
    local d = call_of(...).decision
    return d.system .. " " .. d.reason
  end

  local function record(over)
    local r = { version = 17, salt = "v1", unit = "caller", mode = "split", percent_bp = 5000, state = "running" }
    for key, value in pairs(over or {}) do
      r[key] = value
    end
    return r
  end

  it("follows the rollout's record, not the file, and tells by what", function()
    local d = call_of({ record = record() }, { routing = { split = { openai = 0 } } }).decision
    assert.same({ system = "openai", first = "openai", reason = "split", first_reason = "split", rollout = 17,
      unit = "caller", bucket = 3095, percent_bp = 5000, key_hash = d.key_hash }, d)
    assert.equal(64, #d.key_hash)
    assert.equal("vapi split", decided({ record = record() }, nil, OUT))
    assert.equal("vapi split", decided { record = record { percent_bp = 3095 } })
    assert.equal("openai split", decided { record = record { percent_bp = 3096 } })
    assert.equal("vapi split", decided { record = record { percent_bp = 0 } })
    assert.equal("openai split", decided({ record = record { percent_bp = 10000 } }, nil, OUT))
  end)

  it("never holds the number", function()
    for name, value in pairs(call_of({ record = record() }).decision) do
      assert.is_true(name == "key_hash" or not tostring(value):find("4155550101", 1, true), name)
    end
  end)

  it("takes the first of its steps that says something", function()
    local vip = { routing = function() return "openai", "vip" end }
    local all = { pinned = "openai", force = "vapi", listed = "allow", record = record { kill = true } }
    local function without(...)
      local known = {}
      for key, value in pairs(all) do
        known[key] = value
      end
      for _, key in ipairs { ... } do
        known[key] = nil
      end
      return known
    end
    assert.equal("openai pinned", decided(all, vip))
    assert.equal("vapi force", decided(without "pinned", vip))
    assert.equal("vapi killed", decided(without("pinned", "force"), vip))
    all.record = record { mode = "vapi" }
    assert.equal("vapi fixed", decided(without("pinned", "force"), vip))
    all.record = record { schedule = { when = "open" } }
    assert.equal("openai allow", decided(without("pinned", "force"), vip))
    all.listed = "deny"
    assert.equal("vapi deny", decided(without("pinned", "force"), vip))
    assert.equal("openai agent", decided(without("pinned", "force", "listed"), vip))
    fake.now "2026-11-28 12:00" -- a Saturday
    assert.equal("vapi schedule", decided(without("pinned", "force", "listed")))
    fake.now "2026-11-27 12:00"
    assert.equal("openai split", decided(without("pinned", "force", "listed")))
    assert.equal("openai default", decided {})
  end)

  it("lets testers in at 0 %, and keeps the denied out at 100 %", function()
    assert.equal("openai allow", decided { record = record { percent_bp = 0, state = "pilot" }, listed = "allow" })
    assert.equal("vapi deny", decided { record = record { percent_bp = 10000 }, listed = "deny" })
  end)

  it("lets nobody in any more once it went back to nobody", function()
    local vip = { routing = function() return "openai", "vip" end }
    local back = record { percent_bp = 0, state = "rolled_back" }
    assert.equal("vapi rolled_back", decided({ record = back }, vip))
    assert.equal("vapi rolled_back", decided { record = back, listed = "allow" })
    assert.equal("vapi deny", decided { record = back, listed = "deny" })
    assert.equal("vapi rolled_back", decided({ record = record(), listed = "allow", override = { rollback = 0 } }, vip))
    assert.equal("openai force", decided({ record = back, force = "openai" }, vip))
    local less = record { percent_bp = 2500, state = "rolled_back" }
    assert.equal("openai agent", decided({ record = less }, vip, OUT))
    assert.equal("openai allow", decided({ record = less, listed = "allow" }, nil, OUT))
  end)

  it("goes by hours of the plan's own, or while they are closed", function()
    local sunday = { record = record { schedule = { hours = { sun = "10:00-11:00" }, zone = "Europe/Berlin" } } }
    fake.now "2026-11-29 03:30" -- in Berlin it is 10:30
    assert.equal("openai split", decided(sunday))
    fake.now "2026-11-29 10:30"
    assert.equal("vapi schedule", decided(sunday))
    fake.now "2026-11-29 10:30"
    assert.equal("openai split", decided { record = record { schedule = { when = "closed" } } })
    fake.now "2026-11-27 10:30"
    assert.equal("vapi schedule", decided { record = record { schedule = { when = "closed" } } })
  end)

  it("does not take a draft for a plan", function()
    assert.equal("openai default", decided { record = record { state = "draft", percent_bp = 0 } })
    assert.equal("vapi killed", decided { record = record { state = "draft", kill = true } })
    assert.equal("openai fixed", decided { record = record { state = "draft", percent_bp = 0, mode = "openai" } })
  end)

  it("obeys what was ordered at the node before what the database said last", function()
    assert.equal("vapi rolled_back", decided { record = record { percent_bp = 10000 }, override = { rollback = 0 } })
    assert.equal("vapi rolled_back", decided { record = record { mode = "openai" }, override = { rollback = 0 } })
    assert.equal("vapi rolled_back", decided { override = { rollback = 0 } })
    assert.equal("vapi killed", decided { record = record(), override = { force = "vapi" } })
    local killed = record { kill = true, state = "killed" }
    assert.equal("openai split", decided { record = killed, override = { force = "off" } })
    assert.equal("vapi rolled_back", decided { record = killed, override = { force = "off", rollback = 0 } })
    assert.equal("openai fixed", decided({ record = killed, override = { force = "openai", rollback = 0 } }, nil, OUT))
    local forced = record { mode = "openai" }
    assert.equal("vapi split", decided({ record = forced, override = { force = "off" } }, nil, OUT))
    assert.equal("vapi split", decided({ override = { force = "off" } }, { routing = { split = { openai = 0 } } }))
  end)

  it("never sends more to OpenAI because somebody went back at the node", function()
    local to_50 = { rollback = 5000 }
    assert.equal("vapi split", decided { record = record { percent_bp = 1000 }, override = to_50 })
    assert.equal("openai split", decided { record = record { percent_bp = 10000 }, override = to_50 })
    assert.equal("vapi split", decided({ override = to_50 }, { routing = "vapi" }))
    assert.equal("vapi split", decided({ override = to_50 }, { routing = { split = { openai = 10 } } }))
    assert.equal("openai split", decided({ override = to_50 }, { routing = "openai" }))
    assert.equal("openai split", decided { override = to_50 })
    local draft = record { state = "draft", percent_bp = 0 }
    assert.equal("vapi rolled_back", decided { record = draft, override = { rollback = 0 } })
  end)

  it("is never for a system that the agent does not have", function()
    local function of(routes, more)
      local def = define(more)
      local d = fake.call { agent = def, from = IN, routes = routes }.decision
      return d.system .. " " .. d.reason
    end
    assert.equal("openai default", of({ force = "vapi" }, {}))
    assert.equal("openai killed", of({ record = record { kill = true } }, { routing = function() end }))
    assert.equal("vapi default", of({ force = "openai" }, { vapi = VAPI }))
  end)

  it("counts calls instead of callers, when the plan does, and when the number is withheld", function()
    local d = call_of({ record = record { unit = "call" } }, nil, IN,
      { CallSid = "CA00000000000000000000000000000001" }).decision
    assert.same({ 8081, "call" }, { d.bucket, d.unit })
    d = call_of({ record = record() }, nil, "anonymous", { CallSid = "CA00000000000000000000000000000001" }).decision
    assert.same({ 8081, "caller" }, { d.bucket, d.unit })
  end)

  it("is about who is called, when we place the call", function()
    local d = call_of({ record = record() }, nil, OUT, { To = IN, Direction = "outbound-api" }).decision
    assert.equal(3095, d.bucket)
  end)

  it("goes to the control when the agent's function breaks, and says so", function()
    local whole = { record = record { percent_bp = 10000 } }
    local d = call_of(whole, { routing = function() error "no table" end }).decision
    assert.same({ "vapi", "error" }, { d.system, d.reason })
    assert.matches("no table", d.detail)
    local mute = setmetatable({}, { __tostring = function() error "not even that" end })
    assert.equal("vapi error", decided(whole, { routing = function() error(mute) end }))
    d = call_of({}, { routing = function() return "opena1" end }).decision
    assert.matches("routing returned opena1", d.detail)
  end)

  it("survives a plan that makes no sense", function()
    assert.equal("vapi error", decided { record = record { percent_bp = "many" } })
    assert.equal("vapi error", decided { record = record { schedule = { hours = { noon = "x" } } } })
  end)

  it("fails over to the other system, and then is no evidence", function()
    local d = call_of({ record = record(), down = { openai = "breaker" } }).decision
    assert.same({ "vapi", "failover:breaker", "openai", "split", "breaker" },
      { d.system, d.reason, d.first, d.first_reason, d.failover })
    assert.equal("openai failover:answered", decided({ record = record(), down = { vapi = "answered" } }, nil, OUT))
    assert.equal("vapi split", decided({ record = record(), down = { openai = "breaker" } }, nil, OUT))
    assert.equal("openai split", decided { record = record(), down = { openai = "breaker", vapi = "breaker" } })
    assert.equal("openai split", decided({ record = record(), down = { openai = "breaker" } }, { failover = false }))
  end)

  it("does not fail over from what was ordered, or was answered before", function()
    assert.equal("openai force", decided { force = "openai", down = { openai = "breaker" } })
    assert.equal("vapi pinned", decided { pinned = "vapi", down = { vapi = "breaker" } })
    assert.equal("openai failover:answered", decided { force = "vapi", down = { vapi = "answered" } })
  end)

  it("says at load that there is nothing to fail over to", function()
    local _, text = define { failover = true }
    assert.matches("failover: there is no other system", text)
  end)
end)

describe("a decision among 1,000 agents and 10,000 numbers", function()
  it("takes less than a millisecond, at the 99th percentile", function()
    local routing = require "ringdown.routing"
    local took = {}
    for i = 1, 10000 do
      local q = { agent = "agent-" .. i % 1000, runs = { openai = true, vapi = true }, usual = "openai",
        failover = true, known = { record = { version = i, mode = "split", percent_bp = i, unit = "caller" } },
        party = ("+1415%07d"):format(i), call_id = "CA1", ask = function() end, is_open = function() return true end }
      local began = os.clock()
      routing.decide(q)
      took[i] = os.clock() - began
    end
    table.sort(took)
    assert.is_true(took[9900] < 0.001, took[9900])
  end)
end)
