-- SPDX-License-Identifier: Apache-2.0
-- Callers who come one by one, so many at once, each of a kind (spec/soak/talk.lua), through one simulated Twilio that
-- lives as long as the soak. What it tells is read as in spec/chaos/crowd.lua.
--
--   local churn = churns.new(cluster, { calls = 20, chance = dice })
--   churn:look(comes)         reads what happened; comes: new callers come. False: nobody is on the line
--   churn:lose_stream(pick), churn:control "faults?list=429"
local crowds = require "spec.chaos.crowd"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local talk = require "spec.soak.talk"

local churns = {}
local Churn = setmetatable({}, { __index = crowds.Crowd })
Churn.__index = Churn

local USUAL_S, START_S = 30, 60 -- a conversation; until the telephones listen

function churns.new(cluster, o)
  local c = setmetatable(crowds.new(cluster, o), Churn)
  local log = cluster.folder .. "/phones.ndjson"
  c.kinds, c.next_at, c.asked = {}, 0, 0
  c.child = proc.start { name = "phones", folder = cluster.folder, env = cluster.nodes[1].env, args = { proc.double(),
    "sim", "--openai", "127.0.0.1:0", "--scenarios", cluster.model, "--twilio", "127.0.0.1:" .. cluster.rest_port,
    "--node", cluster.url, "--fallback", cluster.url .. "/twilio/voice", "--twilio-log", log } }
  assert(c.child:says("TWILIO_API_URL=", START_S), "the telephones do not start: " .. c.child:text())
  c.file = assert(io.open(log, "rb"))
  return c
end

-- The status of an order to the telephones (runtime/sim/carrier/rest_control.c).
function Churn:control(order)
  local url = ("http://127.0.0.1:%d/control/%s"):format(self.cluster.rest_port, order)
  return tonumber((proc.run(("curl -s -m 5 -o /dev/null -w '%%{http_code}' -u %s:%s -X POST %s"):format(node.account,
    node.token, proc.quote(url))))) or 0
end

-- At Vapi's double nobody is really transferred; what must not be is an open line, or a carrier that gave up.
local function is_well(call)
  local report = call.report
  if report.verbs:find "^Redirect" then
    return report.ended_by ~= "timeout" and report.ended_by ~= "error"
  end
  return report.ok
end

function Churn:take(event)
  crowds.Crowd.take(self, event)
  local call = event.ev == "call.judged" and self.calls[event.call]
  if call then
    call.is_well = is_well(call)
  end
end

function Churn:place()
  self.placed = self.placed + 1
  local kind = talk.pick(self.o.chance(100))
  self.kinds[kind] = (self.kinds[kind] or 0) + 1
  local from = talk.caller_number(self.placed):gsub("+", "%%2B")
  assert(self:control(("call?scenario=%s&from=%s"):format(kind, from)) == 202, "the telephones place no call")
end

-- Those that were ordered and are not over.
function Churn:open()
  return self.placed - self.over
end

function Churn:look(comes)
  self:read()
  local now = proc.now()
  if comes and now >= self.next_at and self:open() < self.o.calls then
    self:place()
    self.next_at = now + USUAL_S / self.o.calls / 2 -- or all of them would be at the same point of their calls
  end
  return self:open() > 0
end

function Churn:stop()
  self.file:close()
  return self.child:stop()
end

return churns
