-- SPDX-License-Identifier: Apache-2.0
-- looking_up: what lookup_customer does once it is called.
local customers = require "ringdown.customers"
local host = require "ringdown.host"
local json = require "ringdown.json"
local time = require "ringdown.time"

local M = {}

local function visit_texts(customer, zone)
  local list = json.array {}
  for i, visit in ipairs(customer.visits) do
    list[i] = { when = time.at(zone, visit.start).text, service = visit.service }
  end
  return list
end

local function told(config, customer, zone)
  local answer = { known = true }
  for _, field in ipairs(config.show) do
    if field == "first_name" then
      answer.first_name = customer.name and customer.name:match("^%S+")
    elseif field == "name" or field == "email" then
      answer[field] = customer[field]
    elseif field == "visits" then
      answer.visits = visit_texts(customer, zone)
    elseif field ~= "known" then
      answer[field] = customer.facts[field]
    end
  end
  return answer
end

local function find(call, args)
  local list, why
  if args.name then
    list, why = customers.by_name(host.agent(), args.name)
  elseif call.caller.number then
    list, why = customers.by_number(host.agent(), call.caller.number)
  else
    return nil
  end
  if not list then
    error("customers could not be asked: " .. tostring(why), 0)
  end
  return #list == 1 and list[1] or nil -- two of one name are nobody
end

---@param call ringdown.call
---@param args table name
---@param config { show: string[] }
---@return table answer
function M.run(call, args, config)
  local customer = find(call, args)
  return customer and told(config, customer, call.zone) or { known = false }
end

return M
