-- SPDX-License-Identifier: Apache-2.0
-- Who looks on while calls go on: for each node a console that asks again and again, a stream of events that is left
-- and begun again, and exports. What they are answered is thrown away; how often, and that it was no mistake, is kept.
--
--   local o = onlookers.start(cluster)
--   o:stop() -> { ["200"] = n, … }    how often each status was answered
local proc = require "spec.e2e.support.proc"

local onlookers = {}
local Onlookers = {}
Onlookers.__index = Onlookers

local PATHS = { "/today", "/calls/live", "/calls?limit=20", "/live", "/status", "/nodes", "/alerts", "/rollouts",
  "/statistics?by=hour&since=1d", "/emergencies?limit=20", "/texts?limit=20", "/costs?since=1d",
  "/statistics?by=day&since=30d&format=csv" }

local SCRIPT = [[
ask() { curl -s -o /dev/null -w '%%{http_code}\n' -H 'Authorization: Bearer %s' "$@" >>%s.answers; }
i=0
while :; do
  for path in %s; do
    ask -m 10 "%s/api/v1$path"
    sleep 0.3
  done
  ask -m 4 -N "%s/api/v1/events"
done
]]

function onlookers.start(cluster)
  local said, code = cluster.nodes[1]:ringdown("tokens", "create", "soak", "--role", "operator")
  local token = code == 0 and tostring(said):match "rd_%x+"
  assert(token, "no token: " .. tostring(said))
  local paths = {}
  for i, path in ipairs(PATHS) do
    paths[i] = proc.quote(path)
  end
  local o = setmetatable({ children = {}, files = {} }, Onlookers)
  for i, n in ipairs(cluster.nodes) do
    local base, admin = ("%s/looks-%d"):format(cluster.folder, i), "http://127.0.0.1:" .. n.admin_port
    proc.write(base .. ".sh", SCRIPT:format(token, base, table.concat(paths, " "), admin, admin))
    o.children[i] = proc.start { name = "looks-" .. i, folder = cluster.folder, args = { "sh", base .. ".sh" } }
    o.files[i] = base .. ".answers"
  end
  return o
end

function Onlookers:stop()
  local count = {}
  for i, child in ipairs(self.children) do
    child:signal "KILL"
    child:stop(1)
    for status in proc.read(self.files[i]):gmatch "%d+" do
      count[status] = (count[status] or 0) + 1
    end
  end
  return count
end

return onlookers
