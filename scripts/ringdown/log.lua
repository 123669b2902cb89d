-- SPDX-License-Identifier: Apache-2.0
-- log: facts from scripts. Numbers and flags appear as they are; phone numbers are shortened, and
-- texts appear only at debug level, because nobody can tell a caller's words from a constant.
local host = require "ringdown.host"
local sorted = require "ringdown.sorted"

local M = {}

---Words of our own, or of a program: never what a person said or wrote. They appear as they are.
---@param text string
function M.known(text) return { known = tostring(text) } end

local function typed(value)
  if type(value) == "table" and value.known then
    return "str", value.known
  elseif type(value) == "boolean" then
    return "str", tostring(value)
  elseif math.type(value) == "integer" and math.abs(value) < 1e12 then -- longer: perhaps a card
    return "int", value
  elseif math.type(value) == "float" then
    return "str", ("%.6g"):format(value)
  elseif type(value) == "string" and value:match("^%+?%d[%d %-()]+$") and #value >= 7 then
    return "phone", value
  end
  return "words", tostring(value)
end

---Writes a line to the log. In tools and hooks call:log() is shorter, and knows the call.
---@param level "debug"|"info"|"warn"|"error"
---@param event string dotted name
---@param call_id string
---@param facts table<string, any>?
function M.fact(level, event, call_id, facts)
  local fields = { "call", "str", call_id }
  for _, key in ipairs(sorted.keys(facts)) do
    local kind, value = typed(facts[key])
    fields[#fields + 1] = key:gsub("[^%w_]", "_")
    fields[#fields + 1] = kind
    fields[#fields + 1] = value
  end
  host.log(level, event, fields)
end

return M
