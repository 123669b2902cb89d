-- SPDX-License-Identifier: Apache-2.0
-- What happens during a soak, each by name, as in spec/chaos/faults.lua: an event happens to a world { cluster, crowd,
-- chance } and returns the function that ends it and after how many seconds; nothing when it is over at once; false
-- when it could not be now. `weight`: how often, against the others. Nodes are not killed: who asks whether memory
-- grows needs a process that lives (scripts/chaos kills).
local faults = require "spec.chaos.faults"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local talk = require "spec.soak.talk"

local events = {}

local function event(name, weight, about, begin)
  events[name] = { weight = weight, about = about, begin = begin }
end

for name, weight in pairs { drop = 10, ["1011-in-answer"] = 6, ["drop-in-tool"] = 6, stream = 5, database = 3 } do
  event(name, weight, faults[name].about, faults[name].begin)
end

-- ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────

-- One outage at a time; the chaos fault `database` looks at the same word.
local function outage(world, begin, finish)
  if world.is_without_database then
    return false
  end
  world.is_without_database = true
  begin()
  return function()
    finish()
    world.is_without_database = false
  end, world.chance(4)
end

event("database-stops", 4, "PostgreSQL is stopped in order, and started again 1 to 4 s later", function(world)
  return outage(world, pg.halt, pg.start)
end)

event("database-hangs", 4, "PostgreSQL stops for 1 to 4 s, and says nothing meanwhile", function(world)
  return outage(world, pg.freeze, pg.thaw)
end)

-- ── agents and rollout ──────────────────────────────────────────────────────────────────────────

local function save(world, text)
  for _, n in ipairs(world.cluster.nodes) do
    local path = n.agents .. "/desk.lua"
    proc.write(path .. ".new", text)
    os.rename(path .. ".new", path)
  end
end

local function next_version(world)
  world.version = (world.version or 1) + 1
  return world.version
end

event("reload", 12, "the agent's file is saved; the next call has it", function(world)
  save(world, talk.agent(next_version(world)))
end)

event("reload-broken", 5, "the agent's file is saved with a mistake, and mended 1 to 3 s later", function(world)
  if world.is_broken then
    return false
  end
  world.is_broken = true
  save(world, talk.broken(next_version(world)))
  return function()
    world.is_broken = false
    save(world, talk.agent(next_version(world)))
  end, world.chance(3)
end)

-- A command beside the node, which nobody waits for here: the database may be away.
local function command(world, ...)
  local n = world.cluster.nodes[1]
  world.n_commands = (world.n_commands or 0) + 1
  local child = proc.start { name = "command" .. world.n_commands, folder = n.folder, env = n.env,
    args = { proc.binary(), ... } }
  return function()
    child:signal "KILL" -- one that the database kept waiting; the callers are not kept waiting by it
    child:stop(1)
  end, 6
end

local SHARES = { "25", "50", "75" }

event("share", 10, "another share of the callers goes to OpenAI, the others to Vapi", function(world)
  local share = SHARES[world.chance(#SHARES)]
  if not world.has_rollout then
    world.has_rollout = true
    return command(world, "rollout", "start", "--force", "--reason", "soak")
  elseif world.chance(2) == 1 then
    return command(world, "rollout", "advance", "--to", share, "--force", "--reason", "soak")
  end
  return command(world, "rollout", "rollback", "--to", share, "--reason", "soak")
end)

-- ── the others ──────────────────────────────────────────────────────────────────────────────────

local MODEL = { "429", "500", "503", "slow-900ms", "server-error", "rate-limit", "drop-4000ms", "late-deltas",
  "unknown-events", "null-fields" }

event("model", 12, "for 1 to 3 s whoever connects to the model is refused, is slow, or has a session that fails",
  function(world)
    local order = ("fault/%s?ms=%d"):format(MODEL[world.chance(#MODEL)], 1000 * world.chance(3))
    return world.cluster:order(order) == 202 and nil
  end)

local REST = { "429,500", "503,well,lost", "slow,timeout", "text-429,text-503", "text-slow,text-500",
  "dial-500,dial-429", "get-500,get-503,get-lost", "500-after,429" }

event("twilio", 10, "the next requests to Twilio's API are refused, late, or done without an answer", function(world)
  world.crowd:control("faults?list=" .. REST[world.chance(#REST)])
end)

local VAPI = { "call-429,call-500", "get-500,get-429", "no-report", "twice", "backwards", "burst", "inbound-503",
  "write-503", "forged" }

event("vapi", 6, "for 5 s Vapi's API refuses, or its webhooks come twice, backwards or not at all", function(world)
  local vapi = world.cluster.vapi
  pcall(vapi.control, vapi, "faults", { words = VAPI[world.chance(#VAPI)] })
  return function() pcall(vapi.control, vapi, "faults", { words = "" }) end, 5
end)

function events.names()
  local list = {}
  for name, what in pairs(events) do
    list[#list + 1] = type(what) == "table" and name or nil
  end
  table.sort(list)
  return list
end

-- A name by chance, by weight, of `names`.
function events.pick(chance, names)
  local sum = 0
  for _, name in ipairs(names) do
    sum = sum + events[name].weight
  end
  local roll = chance(sum)
  for _, name in ipairs(names) do
    roll = roll - events[name].weight
    if roll <= 0 then
      return name
    end
  end
end

return events
