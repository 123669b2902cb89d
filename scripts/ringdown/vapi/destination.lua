-- SPDX-License-Identifier: Apache-2.0
-- vapi.destination: the errand `vapi_transfer`: Vapi's model wants the caller handed over and asks where to. Only to
-- people whom the agent's own transfer_call may reach.
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local numbers_of = require "ringdown.transfer".numbers_of
local tools = require "ringdown.vapi.tools"

local M = {}

-- The names that transfer_call has; none without it.
local function allowed(def)
  for _, t in ipairs(def.tools) do
    if t.name == "transfer_call" then
      return t.args.to.one_of or {}
    end
  end
  return {}
end

local function wanted(p, names)
  local asked = tools.read(p)[1]
  local args = asked and json.decode(asked.arguments)
  local to = type(args) == "table" and (args.to or args.destination or args.name)
  return type(to) == "string" and to or #names == 1 and names[1] or nil
end

local function answer(p, def)
  local names = allowed(def)
  local to = wanted(p, names)
  if #names == 0 then
    return { error = "There is nobody to transfer to; offer to take a message." }
  end
  for _, name in ipairs(names) do
    if name == to then
      local numbers, why = numbers_of(def, name)
      return numbers and { destination = { type = "number", number = numbers[1] } } or { error = why }
    end
  end
  return { error = to and ("Nobody is called '%s'; %s."):format(to, nearest.hint(to, names))
    or ("Say whom: %s."):format(table.concat(names, ", ")) }
end

---@param p table
---@param def table the agent
function M.run(p, def)
  local reply = answer(p, def)
  host.fact("transfer", json.encode { whom = reply.destination and wanted(p, allowed(def)) or "?",
    state = reply.destination and "asked" or "refused", why = reply.error })
  host.reply(json.encode(reply))
end

return M
