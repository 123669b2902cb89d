-- SPDX-License-Identifier: Apache-2.0
-- fake.database: as much of the database as booking, customers and the store need, in memory. Specs of agents
-- run on it; what PostgreSQL itself makes of the same statements is shown by spec/sql/booking_spec.lua.
local json = require "ringdown.json"

local M = {}

local appointments, customers, kept, now

function M.reset()
  appointments, customers, kept = {}, {}, {}
  now = require("ringdown.fake.host").unix
end

---A visit that stands in the calendar already.
---@param visit { resource: string, from: integer, to: integer, key: string?, number: string?, agent: string? }
function M.add_appointment(visit)
  appointments[#appointments + 1] = visit
end

---@param customer { agent: string?, number: string, name: string?, facts: table? }
function M.add_customer(customer)
  customers[customer.number] = customer
end

---@return table[] visits, in the order of booking
function M.appointments()
  return appointments
end

local function free(resource, from, to)
  for _, visit in ipairs(appointments) do
    if visit.resource == resource and visit.from < to and from < visit.to then
      return false
    end
  end
  return true
end

local function list_of(literal)
  local list = {}
  for item in literal:gmatch '"([^"]*)"' do
    list[#list + 1] = item
  end
  return list
end

local answers = {}

answers["from appointments where"] = function(params)
  local rows = {}
  for _, visit in ipairs(appointments) do
    if visit.from < tonumber(params[5]) and visit.to > tonumber(params[4]) then
      rows[#rows + 1] = { visit.resource, visit.from, visit.to }
    end
  end
  return rows
end

answers["book_appointment("] = function(params)
  local from, to, key = tonumber(params[4]), tonumber(params[5]), params[11]
  for _, visit in ipairs(appointments) do
    if visit.key == key then
      return { { json.encode { state = "again", id = 1, resource = visit.resource } } }
    end
  end
  local number = params[6]
  if number and not customers[number] then
    customers[number] = { number = number, name = params[7] or nil }
  end
  for _, resource in ipairs(list_of(params[3])) do
    if free(resource, from, to) then
      M.add_appointment { resource = resource, from = from, to = to, key = key, number = number }
      return { { json.encode { state = "booked", id = #appointments, resource = resource } } }
    end
  end
  return { { json.encode { state = "taken" } } }
end

local function customer_row(customer)
  local visits = json.array {}
  for _, visit in ipairs(appointments) do
    if visit.number == customer.number and visit.to > now() then
      visits[#visits + 1] = { start = visit.from, service = visit.service }
    end
  end
  return { n = 5, customer.number, customer.name or false, customer.email or false,
    json.encode(customer.facts or {}), json.encode(visits) }
end

answers["from customers c where c.agent = $1 and c.number = $2"] = function(params)
  local customer = customers[params[2]]
  return customer and { customer_row(customer) } or {}
end

answers["from customers c where c.agent = $1 and lower(c.name) = lower($2)"] = function(params)
  local rows = {}
  for _, customer in pairs(customers) do
    if (customer.name or ""):lower() == params[2]:lower() then
      rows[#rows + 1] = customer_row(customer)
    end
  end
  return rows
end

local function key_of(params)
  return table.concat({ params[1], params[2], params[3] }, "\0")
end

local function alive(params)
  local entry = kept[key_of(params)]
  return entry and (not entry.until_s or entry.until_s > now()) and entry or nil
end

answers["select value from store where"] = function(params)
  local entry = alive(params)
  return entry and { { entry.value } } or {}
end

local function until_of(ttl)
  return ttl and now() + tonumber(ttl) / 1000 or nil
end

answers["store_set("] = function(params)
  kept[key_of(params)] = { value = params[4], until_s = until_of(params[5]) }
  return { { "" } }
end

answers["store_incr("] = function(params)
  local entry = alive(params) or { value = "0", until_s = until_of(params[5]) }
  if not tonumber(entry.value) then
    return nil, "invalid input syntax for type numeric", "22P02"
  end
  entry.value = tostring(math.tointeger(tonumber(entry.value) + tonumber(params[4])))
  kept[key_of(params)] = entry
  return { { entry.value } }
end

answers["delete from store"] = function(params)
  kept[key_of(params)] = nil
  return {}
end

---@param sql string
---@param params table
---@return table? rows
---@return string? why
---@return string? code
function M.answer(sql, params)
  for part, answer in pairs(answers) do
    if sql:find(part, 1, true) then
      return answer(params)
    end
  end
  return nil, "the fake database knows no such statement; tell it by fake.query: " .. sql, "0A000"
end

M.reset()

return M
