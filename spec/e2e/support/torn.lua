-- SPDX-License-Identifier: Apache-2.0
-- A peer between two others who tears what goes towards one of them (torn.js).
--
--   torn.start{ folder =, port =, towards = "server", tear = true, seed =, cases =, arm = } -> t
--   t.port, t:told() -> what became of the cases, t:stop()
local json = require "cjson"
local proc = require "spec.e2e.support.proc"

local M = {}
local Torn = {}
Torn.__index = Torn

local n_started = 0

-- JSON that node reads as latin1: every byte above ASCII as \u00XX.
local function encode(plan)
  return (json.encode(plan):gsub("[\x80-\xff]", function(c)
    return ("\\u%04x"):format(c:byte())
  end))
end

function M.start(o)
  n_started = n_started + 1
  local name = "torn" .. n_started
  local plan = proc.write(o.folder .. "/" .. name .. ".plan", encode { port = o.port, towards = o.towards,
    tear = o.tear or false, seed = o.seed or 1, cases = o.cases, arm = o.arm })
  local t = setmetatable({ child = proc.start { name = name, folder = o.folder,
    args = { "sh", "-c", "exec node spec/e2e/support/torn.js <" .. proc.quote(plan) } } }, Torn)
  t.port = tonumber(t.child:says("port (%d+)", 30))
  assert(t.port, "the peer between does not start: " .. t.child:text())
  return t
end

function Torn:told()
  local list = {}
  for line in proc.read(self.child.out):gmatch "({[^\n]*})\n" do
    table.insert(list, json.decode(line))
  end
  return list
end

function Torn:stop()
  self.child:stop()
end

return M
