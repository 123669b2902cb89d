-- SPDX-License-Identifier: Apache-2.0
-- An account with numbers, Vapi, the database and a disk, for specs of ringdown.numbers. PostgreSQL is a real one,
-- asked through one psql; Twilio is a table that misbehaves as it is told; and everything may end at any step.
--
--   world.begin{ "+13125550100", … }   fresh; each as Vapi's import leaves it
--   world.fields("+1…")                what Twilio has
--   world.faults["POST +1…"]           a list, one word a request: "429", "500", "lost", "500-after", "ignored",
--                                      "other"
--   world.dies_at, world.dies_after    the step at which the process dies; after it happened
--   world.run(action, payload)      -> result | nil, why; what was told is in world.told
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local twilio = require "ringdown.twilio.numbers"

local M = {}

local real = {} -- what the fake host was
local psql, fifo

local VAPI = "https://api.vapi.ai/twilio/"
M.ours = { public_url = "https://calls.example.com/", vapi_api = "https://api.vapi.ai",
  twilio_api = "https://api.twilio.com" }
M.assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11"

-- ── the database ────────────────────────────────────────────────────────────────────────────────

local function literal(value)
  return (value == false or value == nil) and "null" or pg.literal(tostring(value))
end

-- One psql for all questions: its answer comes out of a pipe that it opens anew each time.
local function open_psql(url)
  fifo = os.tmpname()
  os.remove(fifo)
  assert(os.execute("mkfifo " .. fifo))
  psql = assert(io.popen(("psql -X -q -A -t -d '%s' >/dev/null 2>&1"):format(url), "w"))
end

local function ask(sql, params)
  sql = sql:gsub("%$(%d+)", function(n)
    return literal(params[tonumber(n)])
  end)
  psql:write("\\o ", fifo, "\n", sql, ";\n\\qecho :ERROR :SQLSTATE :LAST_ERROR_MESSAGE\n\\o\n")
  psql:flush()
  local pipe = assert(io.open(fifo))
  local text = pipe:read "a"
  pipe:close()
  local rows, last = {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    rows[#rows + 1], last = last and { last ~= "" and last or false }, line
  end
  local failed, state, why = last:match "^(%w+) (%w+) (.*)$"
  if failed == "true" then
    return nil, why, state
  end
  return rows
end
M.sql = ask

-- ── Twilio, Vapi, the disk ──────────────────────────────────────────────────────────────────────

local by_sid

local function as_imported(number, n)
  return { sid = ("PN%032x"):format(n), phone_number = number, friendly_name = number,
    voice_url = VAPI .. "inbound_call", voice_method = "POST", voice_fallback_url = "",
    voice_fallback_method = "POST", voice_application_sid = "",
    status_callback = VAPI .. "status", status_callback_method = "POST", sms_url = VAPI .. "sms", sms_method = "POST",
    sms_fallback_url = "", sms_application_sid = "" } -- trunk_sid: null
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function read_form(form)
  local fields = {}
  for name, value in (form or ""):gmatch "([^&=]+)=([^&]*)" do
    fields[name] = unescape(value)
  end
  return fields
end

local function reply(status, value)
  return { status = status, body = json.encode(value), retry_after_ms = 0 }
end

local function change(one, form)
  for name, known in pairs(twilio.forms) do
    one[name] = form[known] or one[name]
    form[known] = nil
  end
  assert(not next(form), "a field that Twilio does not know: " .. tostring(next(form)))
end

local function as_said(one, form)
  local copy = {}
  for name, value in pairs(one) do
    copy[name] = value
  end
  change(copy, read_form(form))
  return copy
end

local function update(one, form, fault)
  if fault == "ignored" then
    return reply(200, as_said(one, form))
  end
  change(one, read_form(form))
  if fault == "other" then
    one.voice_url = "https://somebody.example/else"
  elseif fault == "lost" then
    return nil, "the answer was lost", "unknown"
  elseif fault == "500-after" then
    return reply(500, { message = "internal" })
  end
  return reply(200, one)
end

local function list(form)
  local fields, all = read_form(form), {}
  for _, one in pairs(by_sid) do
    if not fields.PhoneNumber or fields.PhoneNumber == one.phone_number then
      all[#all + 1] = one
    end
  end
  table.sort(all, function(a, b)
    return a.sid < b.sid
  end)
  local page, size = tonumber(fields.Page or 0), 3 -- so that there are several
  local some = json.array {}
  for i = page * size + 1, math.min(#all, (page + 1) * size) do
    some[#some + 1] = all[i]
  end
  return reply(200, { incoming_phone_numbers = some, next_page_uri = (page + 1) * size < #all
    and ("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?PageSize=3&Page=%d&PageToken=PA%d"):format(page + 1, page)
    or nil })
end

-- With RINGDOWN_REST_LOG, what is sent becomes a line there, for spec/judge/.
local function keep_for_the_judge(method, path, form)
  local name = os.getenv "RINGDOWN_REST_LOG"
  local file = name and form and assert(io.open(name, "a"))
  if file then
    file:write(json.encode { request = method .. " /" .. path, status = 200, form = form }, "\n")
    file:close()
  end
end

local refusals = { ["429"] = 429, ["500"] = 500, ["400"] = 400 }

local function ask_twilio(method, path, form)
  local sid = path:match "^IncomingPhoneNumbers/(PN%x+)%.json$"
  local one = sid and by_sid[sid]
  if path == "IncomingPhoneNumbers.json" then
    return list(form)
  elseif not one then
    return reply(404, { code = 20404, message = "not found" })
  end
  M.requests[#M.requests + 1] = method .. " " .. one.phone_number
  keep_for_the_judge(method, path, form)
  local fault = table.remove(M.faults[method .. " " .. one.phone_number] or {}, 1)
  if fault == "not-sent" then
    return nil, "connection refused", "not_sent"
  elseif refusals[fault] then
    return reply(refusals[fault], { code = 20000 + refusals[fault], message = "no" })
  elseif method == "GET" then
    return reply(200, one)
  end
  return update(one, form, fault)
end

---What Twilio has for a number, the twelve.
function M.fields(number)
  for _, one in pairs(by_sid) do
    if one.phone_number == number then
      return twilio.fields(one), one
    end
  end
end

-- ── a process that may end at any step ──────────────────────────────────────────────────────────

local DEAD = { "killed" }

local function step(act)
  return function(...)
    M.steps = M.steps + 1
    local dies = M.steps == M.dies_at
    if dies and not M.dies_after then
      error(DEAD, 0)
    end
    local a, b, c = act(...)
    if dies then
      error(DEAD, 0)
    end
    return a, b, c
  end
end

local function keep(name, text)
  if M.disk_full then
    return nil, "no space left on device"
  end
  M.kept[name] = text
  return true
end

local stand_ins = {
  query = step(function(sql, params)
    if host.database_down then
      return nil, host.database_down, "down"
    end
    return ask(sql, params)
  end),
  twilio = step(ask_twilio),
  keep = step(keep),
  kept = function(name) return M.kept[name] end,
  kept_names = function(prefix)
    local names = {}
    for name in pairs(M.kept) do
      names[#names + 1] = name:sub(1, #prefix) == prefix and name or nil
    end
    table.sort(names)
    return names
  end,
  agents = function() return M.agents, M.broken end,
  who = function() return "the spec" end,
  stopping = function() return M.stops and #M.told >= M.stops end,
  twilio_ready = function() return true end,
  vapi_ready = function() return M.vapi ~= nil end,
}

---@param numbers string[]
function M.begin(numbers)
  host.reset()
  for name, act in pairs(stand_ins) do
    real[name] = real[name] or host[name] or false
    host[name] = act
  end
  if not psql then
    open_psql(pg.database())
  end
  for _, gone in ipairs { "bulk_runs", "numbers_seen", "number_targets", "number_snapshots", "phone_numbers" } do
    ask("delete from " .. gone, {})
  end
  by_sid, M.kept, M.faults, M.requests, M.told = {}, {}, {}, {}, {}
  M.steps, M.dies_at, M.dies_after, M.disk_full, M.stops = 0, nil, nil, nil, nil
  M.agents = { { name = "plumber", numbers = numbers, shown = json.encode { vapi = { assistant = M.assistant } } } }
  M.broken, M.vapi = {}, {}
  for n, number in ipairs(numbers) do
    by_sid[("PN%032x"):format(n)] = as_imported(number, n)
    M.vapi[n] = { id = "vapi-" .. n, number = number, assistantId = M.assistant }
  end
  package.loaded["ringdown.vapi.rest"] = {}
  package.loaded["ringdown.vapi.pages"] = { phone_numbers = function()
    if type(M.vapi) == "string" then
      return nil, M.vapi
    end
    return M.vapi
  end }
end

function M.finish()
  if psql then
    psql:write "\\q\n"
    psql:close()
    os.remove(fifo)
    psql = nil
  end
  for name, act in pairs(real) do
    host[name] = act or nil
  end
  package.loaded["ringdown.vapi.rest"], package.loaded["ringdown.vapi.pages"] = nil, nil
  host.reset()
end

---What was told, as text.
function M.text()
  local lines = {}
  for _, one in ipairs(M.told) do
    lines[#lines + 1] = one.text or one.note
  end
  return table.concat(lines, "\n")
end

---@return table? result
---@return any why
function M.run(action, payload)
  payload = payload or {}
  payload.action, payload.ours = action, payload.ours or M.ours
  M.told = {}
  local good, result = pcall(require("ringdown.numbers.command").run, payload, function(value)
    assert(json.encode(value))
    M.told[#M.told + 1] = value
  end)
  return good and result or nil, not good and result or nil
end

---The process dies at its nth step, before or after it; false: it ended before that.
function M.run_until(n, after, action, payload)
  M.steps, M.dies_at, M.dies_after = 0, n, after
  local result, why = M.run(action, payload)
  M.dies_at = nil
  if not result and why ~= DEAD then
    error(why, 0)
  end
  return why == DEAD
end

return M
