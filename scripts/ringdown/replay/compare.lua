-- SPDX-License-Identifier: Apache-2.0
-- compare: two versions of an agent in the same call, step by step: what one of them did and the other did not. The
-- order of what is done at one moment does not count.
local json = require "ringdown.json"

local M = {}

local TEXT_MAX = 160

local function key_of(act)
  return json.encode(act)
end

-- What the other one has not, each once per time it was done.
local function without(list, other)
  local n, rest = {}, {}
  for _, act in ipairs(other) do
    n[key_of(act)] = (n[key_of(act)] or 0) + 1
  end
  for _, act in ipairs(list) do
    local key = key_of(act)
    if (n[key] or 0) > 0 then
      n[key] = n[key] - 1
    else
      rest[#rest + 1] = act
    end
  end
  return rest
end

local function take(list, like)
  for i, act in ipairs(list) do
    if act.kind == like.kind and act.name == like.name then
      return table.remove(list, i)
    end
  end
end

-- Long texts differ in a line or two; the first is shown.
local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function cut(text)
  if #text <= TEXT_MAX then
    return text
  end
  local at = utf8.offset(text, 0, TEXT_MAX)
  return text:sub(1, at - 1) .. "…"
end

-- Of one long line, from a little before the first letter that differs.
local function window(text, at)
  local from = utf8.len(text) and utf8.offset(text, 0, math.max(at - 40, 1)) or 1
  return (from > 1 and "…" or "") .. cut(text:sub(from))
end

local function first_difference(was, now)
  local a, b, i = lines_of(was), lines_of(now), 1
  while a[i] and a[i] == b[i] do
    i = i + 1
  end
  local x, y, at = a[i] or "", b[i] or "", 1
  while at <= #x and x:byte(at) == y:byte(at) do
    at = at + 1
  end
  if #x <= TEXT_MAX and #y <= TEXT_MAX then
    return x, y
  end
  return window(x, at), window(y, at)
end

local function difference(step, was, now)
  local d = { at_ms = step.at_ms, input = cut(step.input), kind = (was or now).kind, name = (was or now).name }
  if was and now then
    d.was, d.now = first_difference(was.text or "", now.text or "")
  elseif was then
    d.was = cut(was.text or "")
  else
    d.now = cut(now.text or "")
  end
  return d
end

local function rules_of(steps)
  local rules = {}
  for _, step in ipairs(steps) do
    for _, act in ipairs(step.did) do
      if act.kind == "emergency" then
        rules[act.text] = true
      end
    end
  end
  return rules
end

---@param was ringdown.replay.step[]
---@param now ringdown.replay.step[]
---@param found string[]? emergencies that were recorded
---@return table[] differences { at_ms, input, kind, name, was, now }, in order
---@return string[] lost emergencies that were found and are not any more
function M.compare(was, now, found)
  local differences, lost = json.array {}, json.array {}
  for i = 1, math.max(#was, #now) do
    local a, b = was[i] or { did = {} }, now[i] or { did = {} }
    local gone, new = without(a.did, b.did), without(b.did, a.did)
    for _, act in ipairs(gone) do
      table.insert(differences, difference(was[i] or now[i], act, take(new, act)))
    end
    for _, act in ipairs(new) do
      table.insert(differences, difference(was[i] or now[i], nil, act))
    end
  end
  local before, after = rules_of(was), rules_of(now)
  for _, rule in ipairs(found or {}) do
    before[rule] = true
  end
  for rule in pairs(before) do
    if not after[rule] then
      table.insert(lost, rule)
    end
  end
  table.sort(lost)
  return differences, lost
end

return M
