-- SPDX-License-Identifier: Apache-2.0
-- rest: Twilio's REST API as far as calls need it. Address and credentials are added by the host.
-- Everything waits without holding up other calls, and returns nil and why when it did not work.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local function encode(text)
  return (tostring(text):gsub("[^%w%-._~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

local function form(fields)
  local keys, parts = {}, {}
  for key in pairs(fields) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = key .. "=" .. encode(fields[key])
  end
  return table.concat(parts, "&")
end

local function path_of(sid)
  if type(sid) ~= "string" or not sid:match("^CA%x+$") then
    error("not the id of a call", 3)
  end
  return "Calls/" .. sid .. ".json"
end

local function request(method, path, body)
  local reply, why = host.twilio(method, path, body)
  if not reply then
    return nil, why
  end
  local value = json.decode(reply.body)
  value = type(value) == "table" and value or {}
  if reply.status < 200 or reply.status > 299 then
    local message = tostring(value.message or "no reason given")
    return nil, ("Twilio answered %d: %s"):format(reply.status, message), value.code
  end
  return value
end

---Are there credentials?
---@return boolean
function M.ready()
  return host.twilio_ready()
end

---@param sid string
---@return table? call with `status` and the rest
---@return string? why
function M.fetch_call(sid)
  return request("GET", path_of(sid))
end

local updates = { Twiml = true, Status = true }

---Changes a call in progress: { Twiml = "<Response>…" } or { Status = "completed" }.
---@param sid string
---@param fields { Twiml: string?, Status: "completed"|"canceled"|nil }
---@return table? call
---@return string? why
---@return integer? code Twilio's number of the mistake
function M.update_call(sid, fields)
  for key in pairs(fields) do
    if not updates[key] then
      error(("update_call: unknown field '%s'; allowed: Twiml, Status"):format(tostring(key)), 2)
    end
  end
  if (fields.Twiml == nil) == (fields.Status == nil) then
    error("update_call: either Twiml or Status", 2)
  end
  return request("POST", path_of(sid), form(fields))
end

return M
