-- SPDX-License-Identifier: Apache-2.0
-- One node or several on one PostgreSQL and behind one address, with the double of their model.
--
--   local c = clusters.start { nodes = 2 }
--   … front = FRONT                     behind a balancer (spec/cluster/front.lua) instead of on one port: .url,
--                                       .ca_file, .ports and .admin_ports, one for each node
--   … env = {}, agents = FOLDER, scenarios = FOLDER   of the nodes, and of the model's double
--   … agent = TEXT, model = function(folder) that writes other scenarios, vapi = true
--   c.url, c.database, c.sim, c.nodes
--   c:is_whole()                        all of them are up and answer
--   c:kill(n), c:begin_again(n)         kill -9; and the same node once more, which nobody waits for here
--   c:order "drop?pick=500"             to the double of the model: runtime/sim/openai/control.h
--   c:wait_shipped(seconds), c:stop()
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"
local talk = require "spec.chaos.talk"
local vapis = require "spec.e2e.support.vapi"

local clusters = {}
local Cluster = {}
Cluster.__index = Cluster

local function program(port)
  return { "perl", "spec/chaos/share-port.pl", tostring(port), proc.binary(), "serve" }
end

function Cluster:program(n)
  return self.front and { proc.binary(), "serve" } or program(n.port)
end

-- The book that tools write into; nothing stops a visit from being there twice.
local VISITS = "create table if not exists visits (caller text not null, at timestamptz not null default now())"

function Cluster:environment(i, more)
  local env = { RINGDOWN_SECRET = ("c4"):rep(32), RINGDOWN_NODE = ("node-%d"):format(i), RINGDOWN_MAX_CALLS = "400",
    TWILIO_API_URL = "http://127.0.0.1:" .. self.rest_port, RINGDOWN_MAX_CALLS_PER_CALLER = "0",
    RINGDOWN_PUBLIC_URL = self.url, RINGDOWN_CA_FILE = self.ca_file or false }
  if self.front then
    env.RINGDOWN_ADMIN_LISTEN = "127.0.0.1:" .. self.front.admin_ports[i]
  end
  for _, list in ipairs { self.vapi and self.vapi.env or {}, more or {} } do
    for name, value in pairs(list) do
      env[name] = value
    end
  end
  return env
end

function clusters.start(o)
  local c = setmetatable({ port = proc.free_port(), rest_port = proc.free_port(), nodes = {}, front = o.front },
    Cluster)
  c.url = o.front and o.front.url or "http://127.0.0.1:" .. c.port
  c.ca_file = o.front and o.front.ca_file
  c.folder = proc.folder "chaos"
  c.model = o.scenarios or o.model and o.model(c.folder .. "/model") or talk.write_model(c.folder .. "/model")
  c.sim = sims.start { scenarios = c.model, frames = o.frames }
  c.vapi = o.vapi and vapis.start { url = c.url, folder = c.model }
  c.database = pg.database()
  pg.run(c.database, VISITS)
  for i = 1, o.nodes or 2 do
    c.nodes[i] = node.launch { agents = o.agents or { ["desk.lua"] = o.agent or talk.agent }, sim = c.sim,
      database = c.database, port = c.front and c.front.ports[i] or c.port, ca_file = c.ca_file,
      child = function(n) return c:program(n) end, env = c:environment(i, o.env) }
    c.nodes[i].up = false
    if c.front then
      c.nodes[i].admin_port = c.front.admin_ports[i]
    end
  end
  assert(proc.wait_for(function() return c:is_whole() end, 60), "the nodes do not start: " .. c:last_words())
  return c
end

function Cluster:last_words()
  local words = {}
  for _, n in ipairs(self.nodes) do
    words[#words + 1] = n.child:text():sub(-2000)
  end
  return table.concat(words, "\n")
end

function Cluster:is_whole()
  for _, n in ipairs(self.nodes) do
    n.up = n.up or n.child:text():find("\nLook inside", 1, true) ~= nil
    if not n.up then
      return false
    end
  end
  return true
end

function Cluster:kill(n)
  n.child:signal "KILL"
  n.up = false
  n.earlier = (n.earlier or "") .. n.child:text()
  n.child:stop()
  return self
end

function Cluster:begin_again(n)
  n.n_starts = (n.n_starts or 1) + 1
  n.child = proc.start { name = "serve" .. n.n_starts, folder = n.folder, args = self:program(n), env = n.env }
  return self
end

-- The status it is answered with: 202 when somebody was there whom it could happen to.
function Cluster:order(what)
  local url = ("http://127.0.0.1:%d/control/%s"):format(self.sim.port, what)
  return tonumber((proc.run("curl -s -m 5 -o /dev/null -w '%{http_code}' -X POST " .. proc.quote(url)))) or 0
end

function Cluster:wait_shipped(seconds)
  for _, n in ipairs(self.nodes) do
    if not n:wait_shipped(seconds) then
      return false
    end
  end
  return true
end

-- What the journals say of what they could not keep.
function Cluster:lost()
  local lost, dead = 0, 0
  for _, n in ipairs(self.nodes) do
    local status = n:status()
    local journal = type(status) == "table" and status.journal or { lost = 1, dead = 0 }
    lost, dead = lost + journal.lost, dead + journal.dead
  end
  return lost, dead
end

-- Complaints of its end: an exit code that is not 0, something that outlived its call.
function Cluster:stop()
  local complaints = {}
  for _, n in ipairs(self.nodes) do
    n:ask_to_stop()
  end
  for i, n in ipairs(self.nodes) do
    local ok, code = pcall(n.stop, n)
    if not ok or code ~= 0 then
      complaints[#complaints + 1] = ("node %d: %s"):format(i, ok and "exit code " .. tostring(code) or code)
    end
  end
  if self.vapi and self.vapi:stop() ~= 0 then
    complaints[#complaints + 1] = "the simulated Vapi had something to complain about"
  end
  local code = self.sim:stop()
  if code ~= 0 then
    complaints[#complaints + 1] = "the model's double: exit code " .. tostring(code)
  end
  proc.remove(self.folder)
  return complaints
end

return clusters
