-- SPDX-License-Identifier: Apache-2.0
-- What can go wrong, each by name. A fault happens to a world { cluster, crowd, chance } and returns the function that
-- ends it and after how many seconds; or nothing when it is over at once; or false when there was nobody to happen to.
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local faults = {}

local KILLED_S = 2 -- until a supervisor starts it again

local function any_node(world)
  return world.cluster:is_whole() and world.cluster.nodes[world.chance(#world.cluster.nodes)]
end

-- In turns, because all calls are with the one that was not killed last.
local function next_node(world)
  if not world.cluster:is_whole() then
    return false
  end
  world.killed = (world.killed or world.chance(#world.cluster.nodes)) % #world.cluster.nodes + 1
  return world.cluster.nodes[world.killed]
end

-- The double says 202 when it happened; nothing is left to be ended then.
local function at_once(status)
  if status ~= 202 then
    return false
  end
end

faults.kill = {
  about = "kill -9 of one of the nodes, in turns; it is started again 2 s later",
  begin = function(world)
    local n = next_node(world)
    if not n then
      return false
    end
    world.cluster:kill(n)
    return function() world.cluster:begin_again(n) end, KILLED_S
  end,
}

faults.pause = {
  about = "SIGSTOP for one of the nodes, SIGCONT 1 to 3 s later: what a machine does that swaps",
  begin = function(world)
    local n = any_node(world)
    if not n then
      return false
    end
    n:signal "STOP"
    return function() n:signal "CONT" end, 0.5 + 0.5 * world.chance(5)
  end,
}

faults.drop = {
  about = "the connection to the model breaks, in one of the calls in which it has not yet",
  begin = function(world)
    return at_once(world.cluster:order("drop?pick=" .. world.chance(1000) - 1))
  end,
}

faults["1011-in-answer"] = {
  about = "the model breaks off its next answer in the middle and closes with 1011",
  begin = function(world)
    return at_once(world.cluster:order "1011-in-answer")
  end,
}

faults["drop-in-tool"] = {
  about = "the connection to the model breaks while the next tool runs",
  begin = function(world)
    return at_once(world.cluster:order "drop-in-tool")
  end,
}

faults.stream = {
  about = "the telephone network loses one of the streams without a word: its `stop` means that the caller is gone",
  begin = function(world)
    return at_once(world.crowd:lose_stream(world.chance(1000) - 1))
  end,
}

faults.database = {
  about = "PostgreSQL is killed (kill -9), and started again 1 to 5 s later",
  begin = function(world)
    if world.is_without_database then
      return false
    end
    world.is_without_database = true
    pg.crash()
    return function()
      pg.start()
      world.is_without_database = false
    end, world.chance(5)
  end,
}

-- No way to slow the disk down from outside works everywhere; being one of many who want it does.
faults["slow-disk"] = {
  about = "for 4 s somebody else writes to the disk of the journals, with an fsync for each megabyte",
  begin = function(world)
    local storm = "while :; do for i in 1 2 3 4; do dd if=/dev/zero of=storm.$i bs=1M count=4 oflag=dsync & done; "
      .. "wait; done"
    local child = proc.start { name = "storm", folder = world.cluster.folder,
      args = { "setsid", "sh", "-c", "cd " .. world.cluster.folder .. " && echo $$ >storm.pid && " .. storm } }
    return function()
      proc.run(("kill -KILL -- -$(cat %s/storm.pid) 2>/dev/null"):format(world.cluster.folder))
      child:stop(1)
    end, 4
  end,
}

return faults
