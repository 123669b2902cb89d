-- SPDX-License-Identifier: Apache-2.0
-- Attacks on a node (attack.py), and what the node spends on them: for stories.
--
--   attack.start(n, plan)        one attack in the background, begun; :wait() -> what the attacker got
--   attack.model(plan)           OpenAI as attack.py plays it: { url(), stop() }, for node.start{ sim = … }
--   attack.stream(n, form, path) the plan of a media stream for a call that rings: kind "carrier"
--   attack.spent(n)              -> function() that tells what the node used since:
--                                { cpu_s, rss_kb, files }, the last two at most
--   attack.metrics(n)            -> { ["name{labels}"] = value } of /metrics
--   attack.seconds(short)        how long: HOSTILE_SECONDS, else `short`
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local M = {}

local Attack = {}
Attack.__index = Attack

local n_attacks = 0

local function begin(folder, plan)
  n_attacks = n_attacks + 1
  local name = "attack" .. n_attacks
  local file = proc.write(folder .. "/" .. name .. ".plan", json.encode(plan))
  local child = proc.start { name = name, folder = folder,
    args = { "python3", "-B", "spec/e2e/support/attack.py", file } }
  assert(child:says("^ready\n()", 60), "the attacker does not start: " .. child:text())
  return setmetatable({ child = child, plan = plan }, Attack)
end

function M.start(n, plan)
  plan.port = plan.port or n.port
  return begin(n.folder, plan)
end

function Attack:wait()
  local rest = (self.plan.seconds or 0) + 120
  self.child:wait(rest)
  local text = self.child:text()
  self.child:stop()
  local told = text:match "^ready\n({.*)"
  assert(told, text)
  return json.decode(told)
end

local Model = {}
Model.__index = Model

function M.model(plan)
  local folder = proc.folder "model"
  plan.kind, plan.port = "provider", proc.free_port()
  return setmetatable({ attack = begin(folder, plan), folder = folder, port = plan.port }, Model)
end

function Model:url()
  return ("ws://127.0.0.1:%d/v1/realtime"):format(self.port)
end

function Model:stop()
  self.attack.child:stop()
  proc.remove(self.folder)
end

-- ---- a media stream ----

local SILENCE = ("/"):rep(212) .. "//8="

function M.stream(n, form, path, o)
  local sid = "MZ" .. form.CallSid:sub(3)
  local plan = { kind = "carrier", upgrade = raw.upgrade(n, path), stream = sid,
    connected = '{"event":"connected","protocol":"Call","version":"1.0.0"}',
    start = ([[{"event":"start","sequenceNumber":"1","streamSid":"%s","start":{"accountSid":"%s","streamSid":"%s",]]
      .. [["callSid":"%s","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,]]
      .. [["channels":1},"customParameters":{}}}]]):format(sid, node.account, sid, form.CallSid),
    media = ([[{"event":"media","sequenceNumber":"@1","streamSid":"%s","media":{"track":"inbound","chunk":"@2",]]
      .. [["timestamp":"@3","payload":"%s"}}]]):format(sid, SILENCE) }
  for name, value in pairs(o or {}) do
    plan[name] = value
  end
  return plan
end

-- ---- what the node spends ----

local function cpu_ns(n)
  local total = 0
  for line in proc.run(("cat /proc/%d/task/*/schedstat 2>/dev/null"):format(n.child.pid)):gmatch "[^\n]+" do
    total = total + tonumber(line:match "^%d+")
  end
  return total
end

local function rss_kb(n)
  return tonumber(proc.read("/proc/" .. n.child.pid .. "/status"):match "VmRSS:%s+(%d+)")
end

local function open_files(n)
  return tonumber((proc.run(("ls /proc/%d/fd | wc -l"):format(n.child.pid))))
end

-- Ask the function now and then: it keeps the most that it has seen.
function M.spent(n)
  local cpu, rss, files = cpu_ns(n), rss_kb(n), open_files(n)
  local most = { rss_kb = 0, files = 0 }
  return function()
    most.cpu_s = (cpu_ns(n) - cpu) / 1e9
    most.rss_kb = math.max(most.rss_kb, rss_kb(n) - rss)
    most.files = math.max(most.files, open_files(n) - files)
    return most
  end
end

function M.metrics(n)
  local list = {}
  for name, value in n:admin("/metrics").body:gmatch "\n(ringdown_[^ \n]+) ([%d.e+-]+)" do
    list[name] = tonumber(value)
  end
  return list
end

function M.seconds(short)
  return tonumber(os.getenv "HOSTILE_SECONDS") or short
end

return M
