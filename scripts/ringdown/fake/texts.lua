-- SPDX-License-Identifier: Apache-2.0
-- fake.texts: as much of the database and of Twilio as texts need, in memory. What PostgreSQL itself answers to
-- the same questions is shown by spec/sql/texts_spec.lua.
local json = require "ringdown.json"

local M = {}

local sent, rows, out, numbers

function M.reset()
  sent, rows, out, numbers = {}, {}, {}, 0
end
M.reset()

---Somebody who answered STOP.
---@param number string
function M.opt_out(number)
  out[require("ringdown.fake.host").number_hash(number)] = true
end

-- The questions whose answer a spec of an agent may depend on; caps by the day and swarms are PostgreSQL's.
local function may(ask)
  for _, row in ipairs(rows) do
    if row.id == ask.id and not ask.due then
      return "asked"
    elseif row.to == ask.to and row.kind == "missed" and ask.kind == "missed" and not ask.due then
      return "recent"
    elseif row.to == ask.to and row.body == ask.body and not ask.due and not ask.person then
      return "repeated"
    end
  end
  if out[ask.hash] then
    return "opted_out"
  end
  rows[#rows + 1] = ask
end

local answers = {
  ["may_text("] = function(params)
    return { { may(json.decode(params[1])) or false } }
  end,
  ["take_text_in("] = function(params)
    local ask = json.decode(params[1])
    for _, row in ipairs(rows) do
      if row.id == ask.id then
        return { { false, out[ask.hash] or false } }
      end
    end
    rows[#rows + 1] = ask
    return { { true, out[ask.hash] or false } }
  end,
  ["put_text_off("] = function()
    return {}
  end,
}

---@return table[]? rows nil when it was no question about texts
function M.answer(sql, params)
  for part, answer in pairs(answers) do
    if sql:find(part, 1, true) then
      local list = answer(params)
      for _, row in ipairs(list) do
        for i, value in ipairs(row) do
          row[i] = value == false and part ~= "may_text(" and "f" or value
        end
      end
      return list
    end
  end
end

local function decoded(form)
  local fields = {}
  for key, value in form:gmatch "([^&=]+)=([^&]*)" do
    fields[key] = value:gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
  end
  return fields
end

---Twilio takes a message.
---@param form string
---@return table reply
function M.post(form)
  local fields = decoded(form)
  numbers = numbers + 1
  sent[#sent + 1] = fields
  local answer = { sid = ("SM%032x"):format(numbers), status = "queued", num_segments = "1", body = fields.Body,
    to = fields.To }
  return { status = 201, body = json.encode(answer) }
end

---What was sent, oldest first: { to = …, body = …, template = … }.
---@param facts table[]
function M.list(facts)
  local list = {}
  for i, fields in ipairs(sent) do
    local id = (fields.StatusCallback or ""):match("text=(.*)$")
    list[i] = { to = fields.To, body = fields.Body }
    for _, fact in ipairs(facts) do
      if fact.type == "text" and fact.id == id and fact.template then
        list[i].template = fact.template
      end
    end
  end
  return list
end

return M
