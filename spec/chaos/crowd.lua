-- SPDX-License-Identifier: Apache-2.0
-- The callers: so many at once, wave after wave, through one simulated Twilio at a time; and the book that it keeps of
-- each call, from outside: what was said, what was heard, which streams there were, which texts were made.
--
--   local crowd = crowds.new(cluster, { calls = 40, seconds = 60, short = false })
--   crowd:look()              reads what happened; begins the next wave while there is time. False: all is over
--   crowd:lose_stream(pick)
--   crowd.calls               sid -> call (see `begin`)
--   crowd.texts[number]       how many; crowd.text_sids[sid] = the event
--   crowds.Crowd              the class: spec/soak/churn.lua has callers who come one by one
local json = require "cjson"
local proc = require "spec.e2e.support.proc"
local node = require "spec.e2e.support.node"
local talk = require "spec.chaos.talk"

local crowds = {}
local Crowd = {}
Crowd.__index = Crowd
crowds.Crowd = Crowd

local BORING = { '"ev":"mark"', '"ev":"callback.answered"' } -- nine of ten lines

function crowds.new(cluster, o)
  return setmetatable({ cluster = cluster, o = o, waves = 0, placed = 0, calls = {}, texts = {}, text_sids = {},
    over = 0, began = proc.now() }, Crowd)
end

local function begin(event)
  return { sid = event.call, number = event.from, kind = event.scenario, begun = event.unix_ms, said = {}, heard = {},
    streams = {}, digits = 0 }
end

local on = {}

on["stream.open"] = function(call, e)
  call.streams[#call.streams + 1] = { open = e.unix_ms }
end

on["stream.closed"] = function(call, e)
  local stream = call.streams[#call.streams]
  if stream and not stream.closed then
    stream.closed, stream.code = e.unix_ms, e.code
  end
end

on["caller.says"] = function(call, e)
  call.said[#call.said + 1] = { text = e.text, from = e.unix_ms }
end

on["caller.said"] = function(call, e)
  call.said[#call.said].to = e.unix_ms
end

on["agent.heard"] = function(call, e)
  call.heard[#call.heard + 1] = { from = e.unix_ms }
end

on["agent.silent"] = function(call, e)
  local last = call.heard[#call.heard]
  last.to = last.from + e.heard_ms
end

on["call.ended"] = function(call, e)
  call.ended = e.unix_ms
end

on["caller.gives_up"] = function(call)
  call.gave_up = true
end

on["call.judged"] = function(call, e)
  call.report = e
end

on["leg.ended"] = function(call, e)
  call.legs = call.legs or {}
  call.legs[e.leg] = e.status
end

on["error"] = function(call, e)
  call.errors = call.errors or {}
  table.insert(call.errors, ("%d %s"):format(e.code, e.why))
end

function Crowd:take(event)
  if event.ev == "text.created" then
    self.texts[event.to] = (self.texts[event.to] or 0) + 1
    self.text_sids[event.text] = event
  elseif event.ev == "call.ringing" then
    self.calls[event.call] = begin(event)
  end
  local call = self.calls[event.call]
  if call and on[event.ev] then
    on[event.ev](call, event)
    self.over = self.over + (event.ev == "call.judged" and 1 or 0)
  end
end

local function is_boring(line)
  for _, word in ipairs(BORING) do
    if line:find(word, 1, true) then
      return true
    end
  end
end

-- The whole lines that were added since.
function Crowd:read()
  local text = (self.rest or "") .. (self.file:read "a" or "")
  local from = 1
  for line, next_from in text:gmatch "([^\n]*)\n()" do
    from = next_from
    if not is_boring(line) then
      self:take(json.decode(line))
    end
  end
  self.rest = text:sub(from)
end

function Crowd:begin_wave()
  self.waves = self.waves + 1
  local folder = ("%s/wave-%d"):format(self.cluster.folder, self.waves)
  proc.run("mkdir -p " .. folder)
  local args = { proc.double(), "call", "--json", "--parallel", "--as-real", "--url", self.cluster.url, "--rest",
    "127.0.0.1:" .. self.cluster.rest_port, "--linger", "1", "--fallback", self.cluster.url .. "/twilio/voice" }
  if self.cluster.ca_file then
    args[#args + 1] = "--ca-file"
    args[#args + 1] = self.cluster.ca_file
  end
  for _ = 1, self.o.calls do
    self.placed = self.placed + 1
    args[#args + 1] = "--scenario"
    args[#args + 1] = talk.write_caller(folder, self.placed, self.o.short)
  end
  self.child = proc.start { name = "calls", folder = folder, args = args, env = self.cluster.nodes[1].env }
  proc.wait_for(function() return proc.exists(self.child.out) end) -- started is not yet begun, on a busy machine
  self.file, self.rest = assert(io.open(self.child.out, "rb")), nil
end

function Crowd:end_wave()
  self:read()
  self.file:close()
  self.child:stop()
  self.child, self.file = nil, nil
end

function Crowd:is_time_left()
  return self.o.waves and self.waves < self.o.waves or not self.o.waves and proc.now() - self.began < self.o.seconds
end

function Crowd:look()
  if self.child and self.child:ended() then
    self:end_wave()
  end
  if not self.child then
    if self.waves > 0 and not self:is_time_left() then
      return false
    end
    self:begin_wave()
  end
  self:read()
  return true
end

-- The network loses a stream. The status: 202 when there was one.
function Crowd:lose_stream(pick)
  local url = ("http://127.0.0.1:%d/control/lose-stream?pick=%d"):format(self.cluster.rest_port, pick)
  return tonumber((proc.run(("curl -s -m 5 -o /dev/null -w '%%{http_code}' -u %s:%s -X POST %s"):format(node.account,
    node.token, proc.quote(url))))) or 0
end

-- Callers on the line now.
function Crowd:live()
  local n = 0
  for _, call in pairs(self.calls) do
    n = n + (call.ended and 0 or 1)
  end
  return n
end

function Crowd:stop()
  if self.child then
    self.child:stop()
  end
end

return crowds
