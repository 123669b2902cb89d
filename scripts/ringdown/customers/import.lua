-- SPDX-License-Identifier: Apache-2.0
-- customers.import: customers and visits from a table. The first line names the columns; each other line stands for
-- itself: one that is wrong is told with its number, and the others are done. What a line does not say stays as it was.
-- Asked twice, done once: a customer is known by agent and number, a visit by its `key`, else by what it is.
--
--   customers      agent, number, name, email, notes, vip, fact.NAME
--   appointments   agent, site, resource, begins, minutes, number, name, service, notes, status, key
local agents = require "ringdown.numbers.agents"
local csv = require "ringdown.csv"
local db = require "ringdown.numbers.db"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local rollout = require "ringdown.rollout"
local sorted = require "ringdown.sorted"

local M = {}

local ROWS_MAX, WRONG_MAX = 10000, 500
local PART_ROWS, PART_BYTES = 500, 400000

local function fits(text, max)
  return not text or utf8.len(text) <= max
end

local function agent_wrong(row, all)
  local name = row.agent or ""
  return not all.by_name[name] and ("there is no agent '%s'; %s"):format(name, nearest.hint(name,
    sorted.keys(all.by_name))) or nil
end

local function number_wrong(row)
  local number = row.number and rollout.number(row.number)
  if row.number and not number then
    return ("'%s' is no number like +13125550142"):format(row.number:sub(1, 40))
  end
  row.number = number
end

local yes = { ["true"] = true, yes = true, ["1"] = true, ["false"] = false, no = false, ["0"] = false }

-- ── customers ───────────────────────────────────────────────────────────────────────────────────

local customers = { what = "customer", required = { "agent", "number" },
  columns = { "agent", "number", "name", "email", "notes", "vip", "fact.NAME" } }

function customers.known(name)
  return name:match "^fact%.[%l%d_]+$" ~= nil and #name <= 64 or ("/agent/number/name/email/notes/vip/"):find(
    "/" .. name .. "/", 1, true) ~= nil
end

function customers.read(cells)
  local facts = {}
  for name, value in pairs(cells) do
    local fact = name:match "^fact%.(.*)$"
    if fact then
      facts[fact] = value
    end
  end
  local vip = cells.vip
  if vip then
    facts.vip = yes[vip:lower()]
  end
  return { agent = cells.agent, number = cells.number, name = cells.name, email = cells.email, notes = cells.notes,
    facts = next(facts) and facts or nil, vip = vip }
end

function customers.wrong(row)
  local facts = row.facts and json.encode(row.facts) or ""
  if not row.number then
    return "has no number"
  elseif row.vip and yes[row.vip:lower()] == nil then
    return ("vip is '%s'; it is yes or no"):format(row.vip:sub(1, 20))
  elseif row.email and not row.email:match "^[^%s@]+@[^%s@]+$" then
    return ("'%s' is no e-mail address"):format(row.email:sub(1, 80))
  elseif not fits(row.name, 200) or not fits(row.email, 320) or not fits(row.notes, 16000) or #facts > 16000 then
    return "is too long: a name has 200 characters at most, notes and facts 16,000"
  end
end

-- ── visits ──────────────────────────────────────────────────────────────────────────────────────

local visits = { what = "appointment", required = { "agent", "resource", "begins", "minutes" },
  columns = { "agent", "site", "resource", "begins", "minutes", "number", "name", "service", "notes", "status",
    "key" } }

function visits.known(name)
  for _, column in ipairs(visits.columns) do
    if column == name then
      return true
    end
  end
  return false
end

local BEGINS = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ](%d%d):(%d%d)(.*)$"

-- "2026-12-01 09:00" on the site's clock, or with seconds and a zone of its own.
local function begins_wrong(text)
  local y, m, d, h, min, rest = tostring(text):match(BEGINS)
  rest = rest and rest:gsub("^:[0-5]%d", "")
  local zone_h = rest and rest:match "^[+-](%d%d):?[0-5]%d$"
  local good = y and tonumber(y) > 2000 and tonumber(m) >= 1 and tonumber(m) <= 12 and tonumber(d) >= 1
    and tonumber(d) <= 31 and tonumber(h) < 24 and tonumber(min) < 60
    and (rest == "" or rest == "Z" or zone_h and tonumber(zone_h) < 15)
  return not good and ("begins is '%s'; write like 2026-12-01 09:00 or 2026-12-01T09:00:00Z"):format(
    tostring(text or ""):sub(1, 40)) or nil
end

function visits.read(cells, known)
  local row = {}
  for name, value in pairs(cells) do
    row[name] = value
  end
  row.site = row.site or "default"
  row.zone = known.zones[(row.agent or "") .. "/" .. row.site] or known.zones[row.agent or ""] or "UTC"
  return row
end

function visits.wrong(row, known)
  local minutes = row.minutes and row.minutes:match "^%d+$" and #row.minutes <= 5 and tonumber(row.minutes)
  if not row.resource then
    return "has no resource"
  elseif row.site ~= "default" and not known.sites[row.agent .. "/" .. row.site] then
    return ("agent %s has no site '%s'"):format(row.agent, row.site:sub(1, 64))
  elseif begins_wrong(row.begins) then
    return begins_wrong(row.begins)
  elseif not minutes or minutes < 1 or minutes > 44640 then
    return "minutes must be a whole number from 1 on"
  elseif row.status and row.status ~= "booked" and row.status ~= "cancelled" then
    return ("status is '%s'; it is booked or cancelled"):format(row.status:sub(1, 20))
  elseif not fits(row.resource, 128) or not fits(row.name, 200) or not fits(row.service, 200)
    or not fits(row.notes, 16000) or not fits(row.key, 48) then
    return "is too long: a key has 48 characters at most, resource 128, name and service 200, notes 16,000"
  end
end

-- ── a file ──────────────────────────────────────────────────────────────────────────────────────

M.kinds = { customers = customers, appointments = visits }

local function known_of()
  local known = { all = agents.load(), sites = {}, zones = {} }
  for name, agent in pairs(known.all.by_name) do
    known.zones[name] = agent.time_zone
  end
  for _, one in ipairs(db.ask [[select coalesce(jsonb_agg(jsonb_build_array(agent || '/' || site, time_zone)),
      '[]')::text from sites]]) do
    known.sites[one[1]], known.zones[one[1]] = true, one[2]
  end
  return known
end

local function check(kind, row, known, sees)
  return agent_wrong(row, known.all) or not sees(row.agent) and ("there is no agent '%s'"):format(row.agent)
    or number_wrong(row) or kind.wrong(row, known)
end

-- A question may not be longer than a megabyte.
local function parts(list)
  local texts, bytes, at = {}, 0, 0
  return function()
    texts, bytes = {}, 0
    while at < #list and #texts < PART_ROWS and bytes < PART_BYTES do
      at = at + 1
      texts[#texts + 1] = json.encode(list[at])
      bytes = bytes + #texts[#texts]
    end
    return texts[1] and "[" .. table.concat(texts, ",") .. "]"
  end
end

local function put(kind, good, o, result)
  for part in parts(good) do
    for _, one in ipairs(db.ask("select import_part($1, $2::jsonb, $3::boolean, $4)::text",
      { kind.what, part, o.dry_run and "true" or "false", o.who })) do
      if one.why then
        result.complain(one.line, one.why)
      else
        result[one.state] = result[one.state] + 1
      end
    end
  end
end

---@param what "customers"|"appointments"
---@param text string
---@param o { dry_run: boolean?, who: string, sees: fun(agent: string): boolean }
---@return table? result rows, new, changed, same, wrong, errors: the first 500 {line, why}; nil: it is no such table
---@return string? why
function M.run(what, text, o)
  local kind = M.kinds[what]
  local rows, why = csv.read(text, { known = kind.known, required = kind.required, rows_max = ROWS_MAX,
    what = table.concat(kind.columns, ", ") })
  if not rows then
    return nil, why
  end
  local known, good = known_of(), {}
  local result = { dry_run = o.dry_run or false, rows = #rows, new = 0, changed = 0, same = 0, wrong = 0,
    errors = json.array {} }
  function result.complain(line, said)
    result.wrong = result.wrong + 1
    if #result.errors < WRONG_MAX then
      table.insert(result.errors, { line = line, why = said })
    end
  end
  for _, one in ipairs(rows) do
    local row = kind.read(one.cells, known)
    local wrong = one.why or check(kind, row, known, o.sees)
    row.line = one.line
    if wrong then
      result.complain(one.line, wrong)
    else
      good[#good + 1] = row
    end
  end
  put(kind, good, o, result)
  table.sort(result.errors, function(a, b)
    return a.line < b.line
  end)
  result.complain = nil
  return result
end

return M
