-- SPDX-License-Identifier: Apache-2.0
-- takes: 35 s
-- What calls were like and what they cost is counted while the node runs; at the day's cap new calls hear the fallback,
-- and a call that has cost what one may says goodbye. The mail server hangs all the while: no call notices.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local pg = require "spec.support.postgres"
local receiver = require "spec.support.receiver"
local sims = require "spec.e2e.support.sim"

local NUMBER = "+13125550221"

local greeter = ([[
local agent, tools = require "ringdown.agent", require "ringdown.tools"
return agent {
  name = "greeter", numbers = { "%s" }, time_zone = "America/Chicago",
  greeting = "Hello.", prompt = "You greet.", tools = { tools.end_call },
}
]]):format(NUMBER)

local talker = [[
local agent = require "ringdown.agent"
return agent {
  name = "talker", numbers = { "+13125550222" }, greeting = "Hello, this is somebody who has a lot to say.",
  prompt = "You talk.", max_call = { after = "10m", say = "Time is up, goodbye." },
}
]]

describe("who pays for calls", function()
  local sim, n, sid, dear, silent

  setup(function()
    sim = sims.start()
    silent = receiver.mail { fault = "hang" }
    n = node.start { sim = sim, agents = { ["greeter.lua"] = greeter, ["talker.lua"] = talker }, env = {
      SMTP_URL = "smtp://127.0.0.1:" .. silent.port, SMTP_FROM = "alerts@example.com",
      RINGDOWN_ALERT_CHANNELS = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } } } } }
    local _, reports = n:call { scenarios = { "hears-and-hangs-up" }, to = NUMBER }
    assert.equal("", reports[1].why)
    sid = reports[1].call
    assert.is_true(n:wait_shipped())
  end)

  teardown(function()
    n:stop()
    sim:stop()
    silent:stop()
  end)

  it("sees the call in the statistics a moment after it ended, by the agent's own clock", function()
    local stats
    assert.is_truthy(proc.wait_for(function()
      stats = n:ringdown("stats", "--agent", "greeter", "--since", "1d", "--json")
      return stats.total.calls == 1
    end, 10))
    assert.equal(1, stats.total.answered + stats.total.missed)
    assert.equal("America/Chicago", stats.zone)
    local text = n:ringdown("stats", "--agent", "greeter", "--by", "weekday")
    assert.matches("greeter, %d+%-%d+%-%d+ to .*, by weekday", text)
    assert.matches("Sunday", text)
    assert.matches("^weekday,calls,answered", (n:ringdown("stats", "--by", "weekday", "--csv")))
  end)

  it("sees what it cost, line by line, and in the sum of the day", function()
    local bill = n:ringdown("cost", sid, "--json")
    local day = n:ringdown("cost", "range", "--since", "1d", "--json")
    assert.equal(bill.micro_usd, day.total.cost.micro_usd)
    assert.is_true(bill.micro_usd > 0)
    local sum = 0
    for _, line in ipairs(bill.lines) do
      sum = sum + line.micro_usd_exact
    end
    assert.equal(bill.micro_usd, math.floor(sum + 0.5))
    assert.matches("twilio_dial", (n:ringdown("cost", "rates")))
  end)

  it("has new calls hear the fallback once the day's cap is reached, on every node within seconds", function()
    pg.run(n.database, "insert into alerts (node, kind, subject, severity, text, opened_at, last_at) values "
      .. "('n', 'triage.deaf', 'talker', 'critical', 'somebody must be told', now(), now())")
    pg.run(n.database, "select budget_put('talker', null, 300, 'story')") -- a few tokens
    dear = n:place { scenarios = { "costs-too-much" }, rest = true }
    local text, code = n:ringdown("cost", "caps", "set", "greeter", "--day", "0.01")
    assert.equal(0, code, text)
    local callers = 0
    local function rings()
      callers = callers + 1
      local form = node.voice_form { To = NUMBER, From = "+13125559" .. 100 + callers }
      return n:post_signed("/twilio/voice", form).body, form.CallSid
    end
    local body, refused
    assert.is_truthy(proc.wait_for(function()
      body, refused = rings()
      return not body:find("<Stream", 1, true)
    end, 12), text)
    assert.matches("<Say", body)
    assert.is_true(n:wait_shipped())
    assert.matches("fallback: .*", (n:ringdown("why", refused)))
    assert.matches("budget", (n:ringdown("why", refused)))
    n:ringdown("cost", "caps", "clear", "greeter")
    assert.is_truthy(proc.wait_for(function()
      return (rings()):find("<Stream", 1, true)
    end, 12))
  end)

  it("hears goodbye in a call that has cost what one may", function()
    local _, reports = dear:wait()
    assert.equal("", reports[1].why)
    assert.is_true(n:wait_shipped())
    assert.equal("max_duration", pg.query(n.database, ("select ended_reason from calls where call = '%s'"):format(
      reports[1].call))[1].ended_reason)
    assert.matches("budget", (n:ringdown("why", reports[1].call)))
    assert.equal(reports[1].call, n:wait_log("call.spent").call)
    local notices = pg.query(n.database, "select sum(attempts)::integer as tried, count(sent_at) as sent from notices")
    assert.is_true(notices[1].tried >= 1 and notices[1].sent == 0)
    assert.is_true(#silent:wait(1, 1) >= 1)
  end)
end)
