-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- A rollout as its operator sees it: callers move, stay, and come back, each change with the next call.
require "spec.helper" -- the library, for its buckets
local cjson = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local rollout = require "ringdown.rollout"

local AGENT = [[
local agent = require "ringdown.agent"
return agent { name = "sales", numbers = { "+13125550100" }, time_zone = "America/Chicago",
  openai = { voice = "marin" }, vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" },
  greeting = "Hello.", prompt = "Help." }
]]
local SECOND_S = 1.0

describe("a rollout", function()
  local n, made = nil, 0

  setup(function()
    n = node.start { agents = { ["sales.lua"] = AGENT } }
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  -- Where one call of this caller goes, and then it is over.
  local function system_of(caller)
    made = made + 1
    local form = node.voice_form { CallSid = ("CA%032x"):format(made), From = caller }
    local answer = n:post_signed("/twilio/voice", form)
    assert.equal(200, answer.status)
    form.CallStatus = "completed"
    n:post_signed("/twilio/status", form)
    return answer.body:find("<Connect>", 1, true) and "openai" or answer.body:find("/twilio/inbound_call", 1, true)
      and "vapi" or answer.body, form.CallSid
  end

  -- A caller of each kind: below the share, or not.
  local function caller_between(from, to)
    for i = 100, 999 do
      local number = ("+1312555%04d"):format(i)
      local bucket = rollout.bucket(rollout.seed "sales", number)
      if bucket >= from and bucket < to then
        return number
      end
    end
  end

  local first, second, last = caller_between(0, 2500), caller_between(2500, 5000), caller_between(5000, 10000)

  local function systems()
    return { (system_of(first)), (system_of(second)), (system_of(last)) }
  end

  local function say(...)
    local out, code = n:ringdown(...)
    assert.equal(0, code, out)
    return out
  end

  -- The change is made; until the next call knows, at most a second may pass.
  local function next_calls(expected)
    local began = proc.now()
    local now
    repeat
      now = systems()
    until cjson.encode(now) == cjson.encode(expected) or proc.now() - began > proc.promised(5)
    assert.same(expected, now)
    assert.is_true(proc.now() - began < proc.promised(SECOND_S + 0.5), "the change took " .. proc.now() - began .. " s")
  end

  it("takes callers along and back, each change with the next call", function()
    say("rollout", "rollback", "--reason", "before anything has begun")
    next_calls { "vapi", "vapi", "vapi" }
    say("rollout", "plan", "--stages", "25,50,100", "--min", "50", "--bake", "1h")
    assert.matches("goes to OpenAI for 25 %% of callers", say("rollout", "start", "--force", "--reason", "a story"))
    next_calls { "openai", "vapi", "vapi" }
    local _, sid = system_of(second)
    n:wait_shipped()
    local call = pg.query(n.database, ("select * from calls where call = '%s'"):format(sid))[1]
    assert.same({ "vapi", "split", 2500, rollout.bucket(rollout.seed "sales", second) },
      { call.routed_first, call.route_reason, call.percent_bp, call.bucket })
    local why, code = n:ringdown("rollout", "advance")
    assert.equal(1, code)
    assert.matches("its guards do not say ready", why)
    say("rollout", "advance", "--force", "--reason", "a story")
    next_calls { "openai", "openai", "vapi" }
    say("force", "vapi")
    next_calls { "vapi", "vapi", "vapi" }
    say("undo", "--yes")
    next_calls { "openai", "openai", "vapi" }
    say("rollout", "rollback", "--reason", "a story")
    next_calls { "vapi", "vapi", "vapi" }
  end)

  it("obeys its machine while the database is away for whoever orders, and the database has it afterwards", function()
    say("rollout", "start", "--force", "--reason", "again")
    next_calls { "openai", "vapi", "vapi" }
    local url, port = n.env.DATABASE_URL, proc.free_port()
    local silent = proc.start { name = "silent", folder = n.folder, args = { "perl", "-MIO::Socket::INET", "-e",
      'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:" . shift, Listen => 8) or die; sleep', tostring(port) } }
    n.env.DATABASE_URL = ("postgresql://127.0.0.1:%d/none"):format(port) -- accepts, and says nothing
    local began = proc.now()
    local text = say("rollout", "rollback", "--reason", "an outage")
    assert.is_true(proc.now() - began < proc.promised(4), "it took " .. proc.now() - began .. " s")
    n.env.DATABASE_URL = url
    silent:stop()
    assert.matches("ordered at this machine alone", text)
    next_calls { "vapi", "vapi", "vapi" }
    local record
    assert.is_truthy(proc.wait_for(function()
      record = pg.query(n.database, "select * from rollout_now")[1]
      return record.state == "rolled_back"
    end, 15), "the order never reached the database")
    assert.matches("^local override by .*: an outage", record.reason)
    assert.is_truthy(proc.wait_for(function()
      return proc.run("ls " .. n.folder .. "/data/kept"):find("override.json", 1, true) == nil
    end, 10), "the order is still at the machine")
    next_calls { "vapi", "vapi", "vapi" }
  end)

  it("is taken back by its guards when the canary goes bad", function()
    say("rollout", "start", "--force", "--reason", "again")
    next_calls { "openai", "vapi", "vapi" }
    pg.run(n.database, [[insert into calls (call, started_at, agent, from_number, system, routed_first, route_reason,
        percent_bp, ended_at, ended_reason, duration_ms)
      select 'CAbad' || i, now(), 'sales', '+1' || (4155550000 + i), 'openai', 'openai', 'split', 2500, now(),
        'provider_failed', 900 from generate_series(1, 12) i]])
    say("rollout", "check") -- or the node that leads was faster
    next_calls { "vapi", "vapi", "vapi" }
    assert.matches("by auto:guards", say("rollout", "history"))
  end)
end)
