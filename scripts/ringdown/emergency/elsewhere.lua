-- SPDX-License-Identifier: Apache-2.0
-- emergency.elsewhere: one of an agent's people answers a text, and the emergency it is about is followed up on another
-- node, or by nobody any more. The database knows what the sender was asked; the node that follows it up looks there.
--
-- Failure: the database is away. What one of our people answers is not lost for that: it is asked again and again.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local LOOK_MS, LOOKS = 5000, 120 -- ten minutes

local yes = { yes = true, y = true, ok = true, okay = true, si = true, ["sí"] = true, vale = true }

-- By number: what the agent calls them.
local function people_of(def)
  local names = {}
  for name, numbers in pairs(def.people) do
    for _, number in ipairs(type(numbers) == "table" and numbers or { numbers }) do
      names[number] = name
    end
  end
  return names
end

-- Which digit, "yes" for a word that means it; nil when it is no such answer.
local function answer_of(body)
  local first = body:lower():match "^%s*([%w\128-\255]+)" or ""
  if first:match "^[1-9]$" and (first == "1" or body:match "^%s*%d%s*$") then
    return math.tointeger(tonumber(first))
  end
  return yes[first] and "yes" or nil
end

local function rows_about(def, from, patient)
  local question = "select call, rule, code from triage_asked_with($1, $2)"
  local rows = host.query(question, { def.name, from }, LOOK_MS)
  for _ = 1, rows and 0 or patient and LOOKS or 0 do
    host.wait(LOOK_MS)
    rows = host.query(question, { def.name, from }, LOOK_MS)
    if rows then
      break
    end
  end
  return rows or {}
end

-- A digit says which one; where nobody was told a digit, it was 1.
local function chosen(rows, answer)
  if answer == "yes" then
    return #rows == 1 and rows[1] or nil
  end
  for _, row in ipairs(rows) do
    if tonumber(row[3]) == answer then
      return row
    end
  end
end

---@param def table the agent
---@param from string
---@param body string
---@return boolean taken it was such an answer
function M.confirm(def, from, body)
  local answer, names = answer_of(body), people_of(def)
  local row = answer and chosen(rows_about(def, from, names[from] ~= nil), answer)
  if not row then
    return false
  end
  host.fact("triage", json.encode { call = row[1], rule = row[2], state = "handled", by = names[from] or from })
  return true
end

return M
