-- SPDX-License-Identifier: Apache-2.0
-- Plain data as YAML, readable and always the same: members in the order of `first`, then of the alphabet.
local json = require "ringdown.json"
local sorted = require "ringdown.sorted"

local M = {}

local first = { "openapi", "info", "title", "version", "servers", "security", "tags", "paths", "components", "get",
  "put", "post", "patch", "delete", "operationId", "summary", "description", "name", "in", "type", "required" }
local rank = {}
for i, name in ipairs(first) do
  rank[name] = i
end

local function keys_of(value)
  local keys = sorted.keys(value)
  table.sort(keys, function(a, b)
    local x, y = rank[a] or 100, rank[b] or 100
    return x == y and a < b or x < y
  end)
  return keys
end

local words = { ["true"] = true, ["false"] = true, null = true, yes = true, no = true, on = true, off = true, y = true,
  n = true }

local function scalar(value)
  if type(value) == "string" and value:match "^[%a/][%w _/.{}%-]*$" and not value:match " $" and not value:match "^ref"
    and not words[value:lower()] and not value:find("{", 1, true) then
    return value
  end
  return assert(json.encode(value))
end

local function is_list(value)
  return json.is_array(value) or #value > 0
end

local write

local function inline(value)
  if type(value) ~= "table" then
    return scalar(value)
  elseif next(value) == nil then
    return is_list(value) and "[]" or "{}"
  end
end

local function write_list(value, indent, out)
  for _, item in ipairs(value) do
    local short = inline(item)
    if short then
      out[#out + 1] = indent .. "- " .. short
    else
      local at = #out + 1
      write(item, indent .. "  ", out)
      out[at] = indent .. "- " .. out[at]:sub(#indent + 3)
    end
  end
end

function write(value, indent, out)
  if is_list(value) then
    return write_list(value, indent, out)
  end
  for _, key in ipairs(keys_of(value)) do
    local item = value[key]
    if item == nil then -- sorted.keys() made a text of it
      key = math.tointeger(tonumber(key))
      item = value[key]
    end
    local name = type(key) == "number" and '"' .. key .. '"' or scalar(key)
    local short = inline(item)
    out[#out + 1] = indent .. name .. ":" .. (short and " " .. short or "")
    if not short then
      write(item, indent .. "  ", out)
    end
  end
end

---@param value table
---@return string
function M.text(value)
  local out = {}
  write(value, "", out)
  return table.concat(out, "\n") .. "\n"
end

return M
