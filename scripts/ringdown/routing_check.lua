-- SPDX-License-Identifier: Apache-2.0
-- routing_check: the key `routing` of an agent, while it loads.
local shape = require "ringdown.shape"

local M = {}

local word = shape.one_of { "openai", "vapi" }
local split = shape.fields({ split = shape.fields({ openai = shape.number(0, 100) }, { "openai" }) }, { "split" })

---The agent's key `routing`.
function M.shape(value, path, complain)
  if type(value) == "function" then
    return value
  elseif type(value) == "string" then
    return word(value, path, complain)
  elseif type(value) ~= "table" then
    complain(path, "must be \"openai\", \"vapi\", { split = { openai = 25 } } or function(call) … end")
    return nil
  end
  local percent = (split(value, path, complain).split or {}).openai or 0
  local bp = percent * 100
  if bp ~= math.floor(bp) then
    complain(path .. ".split.openai", "has steps of 0.01")
  end
  return { openai_bp = math.floor(bp) }
end

---A share for a system the agent has no table for would fail at the first call.
function M.check(def, complain)
  local sends = def.routing == "vapi" or type(def.routing) == "table" and def.routing.openai_bp < 10000
  if sends and not def.vapi then
    complain("routing", "sends calls to Vapi, but there is no vapi table; add vapi = { assistant = \"…\" }")
  end
  if def.failover and not def.vapi then
    complain("failover", "there is no other system; add vapi = { assistant = \"…\" }, or leave it out")
  end
end

return M
