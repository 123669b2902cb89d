-- SPDX-License-Identifier: Apache-2.0
-- What the proof of several nodes found (proof.lua): as a table for people, and as a list of what is wrong.
local run = require "spec.chaos.run"
local tables = require "spec.chaos.table"

local verdict = {}

-- Rollouts and releases are with every node a second after the database has them; `slack` times that on a machine that
-- does other things.
local SECOND_MS = 1000

local function slowest(took)
  local most = 0
  for i = 1, 3 do
    most = math.max(most, took and took[i] or math.huge)
  end
  return most
end

local function look(list, is_so, fmt, ...)
  if not is_so then
    list[#list + 1] = fmt:format(...)
  end
end

-- Without a word when all is well.
function verdict.wrong(r, slack)
  local list, limit = run.wrong(r), SECOND_MS * (slack or 1)
  local drain, fences = r.drain or {}, r.fences or {}
  look(list, slowest(r.rollout_ms) <= limit, "a rollout's change took %s ms", slowest(r.rollout_ms))
  look(list, slowest(r.release_ms) <= limit, "a release took %s ms", slowest(r.release_ms))
  look(list, r.leaders and r.leaders[2], "nobody leads after the one that did was killed")
  look(list, drain.code == 0 and drain.refused == 0 and drain.cut == 0, "the node that drained: exit code %s, %s new "
    .. "calls refused, %s cut", drain.code, drain.refused, drain.cut)
  look(list, drain.ready == 503, "a draining node said %s at /readyz", drain.ready)
  look(list, #r.books.cut + #r.books.refused == 0, "%d calls were cut, %d refused", #r.books.cut, #r.books.refused)
  look(list, r.books.elsewhere > 0, "no stream came to another node than its webhook")
  for _, door in ipairs { "public", "admin" } do
    local who, another = table.unpack(fences[door] or {})
    look(list, who and who > 0 and another == 200, "the %s fence: who hammered was told to wait %s times, and another "
      .. "heard %s", door, who, another)
  end
  for i = 1, 3 do
    look(list, r.live and r.live[i] and r.live[i].told, "node %d does not tell of another node's call", i)
  end
  return list
end

local function row(what, fmt, ...)
  print(("  %-34s " .. fmt):format(what, ...))
end

function verdict.print(r)
  tables.print(r)
  row("a rollout's change, with all after", "%s ms", table.concat(r.rollout_ms or {}, ", "))
  row("a release, with all after", "%s ms", table.concat(r.release_ms or {}, ", "))
  row("who leads", "%s, killed; then %s, %.1f s later", r.leaders[1], r.leaders[2], r.led_again_s or -1)
  row("the node that drained", "%s calls; exit code %s, %s cut, %d new calls refused meanwhile", r.drain.calls,
    r.drain.code, r.drain.cut, r.drain.refused)
  row("statistics, asked of each node", "%s calls", table.concat(r.statistics or {}, ", "))
  row("who hammers is told to wait", "public %d times, and another heard %d; admin %d times, another %d",
    r.fences.public[1], r.fences.public[2], r.fences.admin[1], r.fences.admin[2])
  for _, text in ipairs(verdict.wrong(r)) do
    print("  ! " .. text)
  end
end

return verdict
