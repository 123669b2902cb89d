-- SPDX-License-Identifier: Apache-2.0
-- complaints: the mistakes of an agent's file, all of them, each as
-- "agents/x.lua:12: what is wrong, and what is allowed". Warnings look the same, and refuse nothing.
local host = require "ringdown.host"
local where = host.loading and require "ringdown.where" -- a call has no use for it

local M = {}

local list, warnings = {}, {}
local module -- being loaded

---Begins a new file.
function M.start(name)
  list, warnings, module = {}, {}, name
end

local function module_of(file)
  return (file:gsub("^%.?/?[^/]*/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

---@class ringdown.place where a constructor was called
---@field file string
---@field line integer?
---@field callee string?
---@field label string? said before the path

---The place of the running call of `callee { … }`. A tail call leaves no line, only the file.
---@return ringdown.place
function M.place(callee)
  local file, line = host.where()
  if not file then
    file = module and host.shown(module) or "agents/?.lua"
  end
  return { file = file, line = line, callee = callee }
end

local function line_of(place, path)
  if not place.callee or not where then
    return place.line or 1
  end
  if not place.lines then
    local source = host.source(module_of(place.file))
    place.lines, place.line = where.fields(source, place.callee, place.line)
  end
  while path ~= "" do
    if place.lines[path] then
      return place.lines[path]
    end
    path = path:match("^(.*)%.[^.]*$") or ""
  end
  return place.line or 1
end

-- "numbers.1" reads better as "numbers[1]".
local function show(path)
  return (path:gsub("%.(%d+)", "[%1]"))
end

local function add_to(lines, place, path, text, kind)
  local line = line_of(place, path)
  local shown = show(place.label and (path == "" and place.label or place.label .. "." .. path) or path)
  local what = shown == "" and text or shown .. ": " .. text
  lines[#lines + 1] = { file = place.file, line = line, text = (kind or "") .. what, n = #lines }
end

---@param place ringdown.place
---@param path string "openai.voice"; "" for the whole
---@param text string
function M.add(place, path, text)
  add_to(list, place, path, text)
end

---What is allowed and probably not meant.
---@param place ringdown.place
---@param path string
---@param text string
function M.warn(place, path, text)
  add_to(warnings, place, path, text, "warning: ")
end

---@return boolean
function M.any()
  return #list > 0
end

local function text_of(complaints)
  table.sort(complaints, function(a, b)
    if a.file ~= b.file then
      return a.file < b.file
    end
    if a.line ~= b.line then
      return a.line < b.line
    end
    return a.n < b.n
  end)
  local lines = {}
  for i, c in ipairs(complaints) do
    lines[i] = ("%s:%d: %s"):format(c.file, c.line, c.text)
  end
  return table.concat(lines, "\n")
end

---All mistakes, in the order of the file.
---@return string
function M.text()
  return text_of(list)
end

---All warnings, in the order of the file; "" when there are none.
---@return string
function M.warnings()
  return text_of(warnings)
end

return M
