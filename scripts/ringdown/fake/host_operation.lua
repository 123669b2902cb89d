-- SPDX-License-Identifier: Apache-2.0
-- What operations have of ringdown.fake.host: files that are kept, alarms, the agents, whoever asked for them.
local M = require "ringdown.fake.host_base"

---Our own addresses.
M.addresses = { public_url = "https://calls.example.com", twilio_api = "https://api.twilio.com",
  vapi_api = "https://api.vapi.ai" }

M.on_reset(function()
  ---Files that are kept, by name; set keep_fails to a text: none is written any more.
  M.files, M.keep_fails = {}, nil ---@type table<string, string>, string?
  ---What an operation told, decoded, newest last; whether whoever asked wants it to end; who that is.
  M.told_lines, M.is_stopping, M.person = {}, false, "somebody"
  ---The agents of this process and those that do not load, as host.agents() has them.
  M.known_agents, M.broken_agents = {}, {} ---@type table[], table[]
  ---Alarms raised, over, and open; the operator's file of rules and channels.
  M.alarms, M.alarms_over, M.alarms_open = {}, {}, {}
  M.rules_path, M.rules_text, M.channels_text = nil, nil, ""
end)

local function open_alarm(kind, subject)
  for i, alarm in ipairs(M.alarms_open) do
    if alarm.kind == kind and alarm.subject == subject then
      return alarm, i
    end
  end
end

---As runtime/observe/alarm.c: an open one is told again when its severity changes, or its words, once a minute.
function M.alarm(severity, kind, subject, text)
  local open, at_ms = open_alarm(kind, subject or ""), M.unix() * 1000
  if not open then
    open = { kind = kind, subject = subject or "", since_ms = at_ms }
    table.insert(M.alarms_open, open)
  end
  local tell = open.severity ~= severity or open.told ~= text and at_ms - (open.told_ms or 0) >= 60000
  open.severity, open.text = severity, text
  if tell then
    open.told, open.told_ms = text, at_ms
    M.alarms[#M.alarms + 1] = { severity = severity, kind = kind, subject = subject, text = text }
  end
end

function M.alarm_over(kind, subject)
  local _, i = open_alarm(kind, subject or "")
  if i then
    table.remove(M.alarms_open, i)
  end
  M.alarms_over[#M.alarms_over + 1] = { kind = kind, subject = subject }
end

function M.open_alarms()
  return M.alarms_open
end

function M.alert_rules()
  return M.rules_path, M.rules_text, M.rules_path and not M.rules_text and "No such file or directory" or nil
end

function M.alert_channels()
  return M.channels_text
end

local function kept_name(name)
  assert(not name:find("..", 1, true) and name:match("^[%w_][%w._/+-]*$"), "no name of a kept file: " .. name)
  return name
end

---@param text string? nil: the file goes
function M.keep(name, text)
  if M.keep_fails then
    return nil, M.keep_fails
  end
  M.files[kept_name(name)] = text
  return true
end

function M.kept(name)
  return M.files[kept_name(name)]
end

function M.kept_names(prefix)
  local names = {}
  for name in pairs(M.files) do
    if name:sub(1, #prefix) == prefix and not name:find("/", #prefix + 1, true) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

function M.tell(text)
  M.told_lines[#M.told_lines + 1] = require("ringdown.json").decode(text)
end

function M.stopping()
  return M.is_stopping
end

function M.who()
  return M.person
end

function M.acts_for(who)
  assert(#who < 64)
  M.person = who
end

---Never the same twice in a spec, and no secret.
function M.random()
  M.randoms = (M.randoms or 0) + 1
  return M.digest("random " .. M.randoms)
end

function M.ours()
  return M.addresses
end

function M.agents()
  return M.known_agents, M.broken_agents
end

return M
