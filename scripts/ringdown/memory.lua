-- SPDX-License-Identifier: Apache-2.0
-- memory: what was said and done in a call, newest last and bounded, for when its conversation must go
-- on with a model that was not there.
local json = require "ringdown.json"

local M = {}

local ENTRIES_MAX, BYTES_MAX = 40, 240

---@class ringdown.memory
---@field [integer] string one line each: who, and the words as JSON text

---@return ringdown.memory
function M.new()
  return {}
end

-- At most so many bytes, and no half character.
local function cut(text)
  if #text <= BYTES_MAX then
    return text
  end
  local at = utf8.len(text) and utf8.offset(text, 0, BYTES_MAX + 1) or BYTES_MAX + 1
  return text:sub(1, at - 1) .. "…"
end

local function add(memory, line)
  if #memory >= ENTRIES_MAX then
    table.remove(memory, 1)
  end
  memory[#memory + 1] = line
end

---Somebody said something.
---@param memory ringdown.memory
---@param who "caller"|"you"
---@param text string
function M.heard(memory, who, text)
  add(memory, who .. ": " .. (json.encode(cut(text)) or '""'))
end

---A tool answered.
---@param memory ringdown.memory
---@param name string
---@param output string JSON
function M.did(memory, name, output)
  add(memory, "tool " .. name .. ": " .. (json.encode(cut(output)) or '""'))
end

return M
