-- SPDX-License-Identifier: Apache-2.0
-- site: one location an agent answers for. `sites import FILE.lua` reads a file that returns them by id:
--
--   return {
--     lakeview = { name = "Northside Lakeview", time_zone = "America/Chicago", hours = { mon_fri = "08:00-17:00" },
--                  people = { office = "+13125550101" }, prices = { drain = "$90" }, facts = { parking = "behind" } },
--   }
--
-- In a call, and in what is done beside one (an emergency, a text), what a site says goes before what the agent says:
-- its hours, time zone, people and name.
local complaints = require "ringdown.complaints"
local host = require "ringdown.host"
local json = require "ringdown.json"
local shape = require "ringdown.shape"
local time = require "ringdown.time"

local M = {}

local SITES_MAX, BYTES_MAX = 2000, 16 * 1024

local own = { id = true, name = true, time_zone = true, hours = true, people = true, resources = true, prices = true }

local function zone(value, path, complain)
  if type(value) ~= "string" or not time.zone(value) then
    complain(path, ("'%s' is no time zone; write it like \"America/Chicago\""):format(tostring(value)))
    return nil
  end
  return value
end

-- A site's people are rung and texted like the agent's own: `refusal` says whom nobody may.
local function people_shape(refusal)
  local numbers_of = shape.one_or_list_of(function(value, path, complain)
    local number = shape.phone(value, path, complain)
    local why = type(number) == "string" and number ~= "" and refusal(number)
    if why then
      complain(path, ("%s %s"):format(number, why))
    end
    return number
  end)
  return shape.map_of(function(value, path, complain)
    if type(value) == "table" and next(value) == nil then
      complain(path, require("ringdown.numbers").NOBODY)
    end
    return numbers_of(value, path, complain)
  end)
end

local function short_text(value, path, complain)
  local text = shape.text(value, path, complain)
  if #text > 200 or text:find("%c") then
    complain(path, "must be at most 200 bytes on one line")
  end
  return text
end

local function price(value, path, complain)
  if type(value) ~= "string" and (type(value) ~= "number" or not json.encode(value)) then
    complain(path, ("must be a text or a number, not %s"):format(type(value) == "number" and value or type(value)))
  end
  return value
end

local function fact(value, path, complain)
  local text, why = json.encode(value)
  if not text then
    complain(path, why .. "; use texts, numbers, true, false and tables of them")
  end
  return value
end

local function facts(value, path, complain)
  local out = shape.map_of(fact)(value, path, complain)
  for name in pairs(out) do
    if own[name] then
      complain(path .. "." .. name, "is a field of the site itself; move it out of facts")
    end
  end
  return out
end

-- Kept as it was written: a call reads it again.
local function checked(how)
  return function(value, path, complain)
    how(value, path, complain)
    return value
  end
end

local function fields_of(countries)
  local numbers = require "ringdown.numbers"
  return shape.fields({
    name = short_text,
    time_zone = zone,
    hours = checked(time.hours_shape),
    people = checked(people_shape(function(number)
      return numbers.refusal(number, countries)
    end)),
    resources = shape.list_of(short_text),
    prices = shape.map_of(price),
    facts = facts,
  }, { "name" })
end

-- What goes into the column `facts`: everything but name and zone.
local function facts_of(site)
  local all = {}
  for name, value in pairs(site.facts or {}) do
    all[name] = value
  end
  for _, name in ipairs { "hours", "people", "resources", "prices" } do
    all[name] = site[name]
  end
  return all
end

local function read_one(id, value, fields, complain)
  if type(id) ~= "string" or not id:match("^[%l%d][%l%d_-]*$") or #id > 64 then
    complain(tostring(id), "is no site's id; use lower case letters, digits, - and _, like lakeview or shop_12")
    return nil
  end
  local site = fields(value, id, complain)
  local all = facts_of(site)
  local text = json.encode(all)
  if text and #text > BYTES_MAX then
    complain(id, "is larger than 16 KB")
  end
  return { site = id, name = site.name, time_zone = site.time_zone, facts = all }
end

local function read_all(sites, countries, complain)
  local list, ids, fields = json.array {}, {}, fields_of(countries)
  for id in pairs(sites) do
    ids[#ids + 1] = id
  end
  table.sort(ids, function(a, b)
    return tostring(a) < tostring(b)
  end)
  if #ids == 0 or #ids > SITES_MAX then
    complain("", ("must hold 1 to %d sites, not %d"):format(SITES_MAX, #ids))
  end
  for _, id in ipairs(ids) do
    list[#list + 1] = read_one(id, sites[id], fields, complain)
  end
  return list
end

---Reads a file of sites: for the command line.
---@param module string
---@param countries string? JSON: where the agent's people may be called, {"US":true}; nil: anywhere
---@return string? json list of { site, name, time_zone, facts }
---@return string? complaints lines
function M.read(module, countries)
  complaints.start(module)
  local ok, sites = pcall(require, module)
  if not ok then
    local file, line, text = tostring(sites):match("^([^:\n]+%.lua):(%d+): (.*)$")
    complaints.add({ file = file or host.shown(module), line = math.tointeger(tonumber(line)) or 1 }, "",
      text or tostring(sites))
    return nil, complaints.text()
  end
  local place = complaints.place "return"
  local function complain(path, text)
    complaints.add(place, path, text)
  end
  local list
  if type(sites) ~= "table" then
    complain("", "must end in: return { site_id = { name = \"…\" }, … }")
  else
    list = read_all(sites, countries and json.decode(countries), complain)
  end
  if complaints.any() then
    return nil, complaints.text()
  end
  return json.encode(list)
end

---May the agent call the people of a site that was imported earlier? For the command line.
---@param id string the site's
---@param people string JSON
---@param countries string? JSON, as M.read has it
---@return string? wrong the first of it
function M.people_wrong(id, people, countries)
  local numbers = require "ringdown.numbers"
  local allowed, wrong = countries and json.decode(countries), nil
  people_shape(function(number)
    return numbers.refusal(number, allowed)
  end)(json.decode(people), id .. ".people", function(path, text)
    wrong = wrong or path .. ": " .. text
  end)
  return wrong
end

---One site, as it is written in such a file: for whoever changes one without a file.
---@param id string
---@param value any
---@param countries table<string, true>? where the agent's people may be called; nil: anywhere
---@return { site: string, name: string, time_zone: string?, facts: table }? one nil: its id is none
---@return { path: string, text: string }[] complaints
function M.check(id, value, countries)
  local wrong = {}
  local one = read_one(id, value, fields_of(countries), function(path, text)
    wrong[#wrong + 1] = { path = path:match("^" .. id:gsub("%p", "%%%0") .. "%.(.*)$") or "", text = text }
  end)
  return one, wrong
end

-- ── in a call ───────────────────────────────────────────────────────────────────────────────────
-- One field in the library's form, or nil: a row that somebody changed by hand must not end calls.
local function understood(how, value, name, id)
  local wrong
  local good = how(value, name, function(path, text)
    wrong = wrong or path .. ": " .. text
  end)
  if wrong then
    host.log("warn", "site.not_understood", { "site", "str", id, "why", "str", wrong, "fix", "str",
      "import the site again: ringdown sites import; until then the agent's own holds" })
    return nil
  end
  return good
end

-- A group without numbers, of a site imported earlier: the agent's own has some.
local function somebody(people)
  local groups = people
  if type(people) == "table" then
    groups = {}
    for name, numbers in pairs(people) do
      groups[name] = (type(numbers) ~= "table" or next(numbers) ~= nil) and numbers or nil
    end
  end
  return groups
end

local function people_over(def, people)
  local all = {}
  for name, numbers in pairs(def.people or {}) do
    all[name] = numbers
  end
  for name, numbers in pairs(people or {}) do
    all[name] = numbers
  end
  return all
end

---The agent as this site makes it.
---@param def table the agent
---@param site table id, name, time_zone, hours, people, resources, prices and facts by their names
---@return table def
function M.over(def, site)
  local over, id = {}, tostring(site.id)
  if site.time_zone then
    over.time_zone = understood(zone, site.time_zone, "time_zone", id)
  end
  if site.hours then
    over.hours = understood(time.hours_shape, site.hours, "hours", id)
    over.hours_text = over.hours and time.hours_text(over.hours)
  end
  if site.people then
    -- In which country somebody is, is asked when they are dialled: the table of all countries is large.
    local shaped = people_shape(require("ringdown.numbers").never)
    over.people = people_over(def, understood(shaped, somebody(site.people), "people", id))
  end
  over.site = json.copy(site)
  over.site.id, over.site.name = id, site.name or require("ringdown.call").title(def.name)
  return setmetatable(over, { __index = def })
end

---The agent as the site of one of its numbers makes it: for what is done beside a call, or without one.
---@param def table the agent
---@param number string? ours; of none, and of one without a site, the agent is as its file says
---@return table def
function M.of_number(def, number)
  local text = type(number) == "string" and number ~= "" and host.site(def.name, number)
  local site = text and json.decode(text)
  return type(site) == "table" and M.over(def, site) or def
end

return M
