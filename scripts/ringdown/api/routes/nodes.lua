-- SPDX-License-Identifier: Apache-2.0
-- routes/nodes: the processes that share this database.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"

local function list()
  return 200, { items = db.ask "select nodes_shown()::text" }
end

local function own_name()
  local text = host.node and host.node.status()
  local status = text and json.decode(text)
  return status and status.node
end

-- Only the node that answers: another cannot be asked from here.
local function must_be_own(name)
  local own = own_name()
  if name ~= own then
    local known = db.ask("select to_jsonb(n.node)::text from nodes n where node = $1", { name })
    if not known then
      problem(404, "no-such-node", "There is no such node", { detail = name .. " has not told of itself",
        fix = "GET /api/v1/nodes lists them" })
    end
    problem(409, "elsewhere", "A node drains itself", { detail = ("this is %s"):format(own or "no node"),
      fix = "ask that node's own admin address, or send its process SIGTERM" })
  end
end

local function starting(why)
  problem(503, "starting", "The node cannot do this now", { detail = why, fix = "ask again" })
end

local function drain(r)
  local name = r.params.node
  must_be_own(name)
  local done, why = host.node.drain()
  if not done then
    starting(why)
  end
  r.note("nodes.drain", name, { draining = false }, { draining = true })
  return 202, { node = name, asked = "drain" }
end

local function undrain(r)
  local name = r.params.node
  must_be_own(name)
  local done, why, code = host.node.undrain()
  if code == "away" then
    problem(409, "leaving", "The process of this node ends", {
      detail = "it was told to stop, and does so with its last call",
      fix = "start the node again; whoever watches over it does that by itself" })
  elseif not done then
    starting(why)
  end
  r.note("nodes.undrain", name, { draining = true }, { draining = false })
  return 202, { node = name, asked = "undrain" }
end

local moment = { type = "string", format = "time", nullable = true }
local text = { type = "string", nullable = true }
local whole = { type = "integer", nullable = true }

return {
  schemas = {
    Node = { type = "object", fields = {
      node = { type = "string", required = true }, process = { type = "integer", required = true },
      version = text, host = text, pid = whole, started_at = moment, seen_at = moment, seen_s = whole,
      state = { type = "string", one_of = { "live", "draining", "stopped", "lost" }, required = true },
      leader = { type = "boolean", required = true }, calls = whole,
      left_open = { type = "integer", nullable = true, about = "calls that it left behind" }, agents = text,
    } },
    Nodes = { type = "object", fields = { items = { type = "array", of = { ref = "Node" }, required = true } } },
    Draining = { type = "object", fields = { node = { type = "string", required = true },
      asked = { type = "string", required = true } } },
  },
  { method = "GET", path = "/nodes", role = "viewer", about = "the processes of the last day, and which of them leads",
    answers = { [200] = "Nodes" }, example = {}, run = list },
  { method = "POST", path = "/nodes/{node}/drain", role = "admin",
    about = "the node that answers takes no new calls and keeps those it has, until this is taken back or it ends",
    answers = { [202] = "Draining" }, example = { path = "/nodes/n1/drain" }, run = drain },
  { method = "DELETE", path = "/nodes/{node}/drain", role = "admin",
    about = "takes back a drain: the node that answers takes new calls again. Not after its process was told to end",
    answers = { [202] = "Draining" }, example = { path = "/nodes/n1/drain" }, run = undrain },
}
