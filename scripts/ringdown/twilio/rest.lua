-- SPDX-License-Identifier: Apache-2.0
-- rest: Twilio's REST API as far as calls need it. Address and credentials are added by the host.
-- Everything waits without holding up other calls, and returns nil and why when it did not work.
--
-- Reads are repeated freely. A write is repeated when Twilio did not process it (429, no connection),
-- or when reading back says that it did not happen; Twilio has no idempotency keys.
local host = require "ringdown.host"
local json = require "ringdown.json"
local percent = require "ringdown.percent"
local retry = require "ringdown.retry"
local sorted = require "ringdown.sorted"

local M = {}

local function form(fields)
  local parts = {}
  for i, key in ipairs(sorted.keys(fields)) do
    parts[i] = key .. "=" .. percent.encode(fields[key])
  end
  return table.concat(parts, "&")
end

local function path_of(sid)
  if type(sid) ~= "string" or not sid:match("^CA%x+$") then
    error("not the id of a call", 3)
  end
  return "Calls/" .. sid .. ".json"
end

-- What an answer that is no success means for another attempt.
local function failure_of(reply, code)
  if reply.status == 429 then
    return { again = true, happened = "no", after_ms = reply.retry_after_ms, target = "unknown", code = code }
  elseif reply.status >= 500 then
    return { again = true, happened = "unknown", after_ms = reply.retry_after_ms, target = "failed", code = code }
  end
  return { again = false, happened = "no", target = "worked", code = code }
end

local function attempt(method, path, body)
  local reply, why, sent = host.twilio(method, path, body)
  if not reply then
    return nil, why, { again = true, happened = sent == "not_sent" and "no" or "unknown", target = "failed" }
  end
  local value = json.decode(reply.body)
  value = type(value) == "table" and value or {}
  if reply.status >= 200 and reply.status <= 299 then
    return value
  end
  local message = tostring(value.message or "no reason given")
  return nil, ("Twilio answered %d: %s"):format(reply.status, message), failure_of(reply, value.code)
end

---Are there credentials?
---@return boolean
function M.ready()
  return host.twilio_ready()
end

---@param path string below the account
---@param query (table<string, any>|string)? what to ask for; a text is encoded already
---@return table? resource
---@return string? why
---@return any code Twilio's number of the mistake, or "given_up"
function M.read(path, query)
  local asked = type(query) == "table" and form(query) or query
  return retry.run {
    target = "twilio", idempotent = true,
    attempt = function()
      return attempt("GET", path, asked)
    end,
  }
end

---@class ringdown.twilio.write
---@field path string below the account
---@field form table<string, any>
---@field read_back (fun(): happened: any, why: string?)? what came of it, false: nothing, nil: unknown. Without
---it, a write that may have happened is not repeated.

---A POST that happens once at most, however often it must be sent.
---@param o ringdown.twilio.write
---@return table? resource
---@return string? why
---@return any code Twilio's number of the mistake, "unknown" (it may have happened), or "given_up"
function M.write(o)
  local body = form(o.form)
  return retry.run {
    target = "twilio", read_back = o.read_back,
    attempt = function()
      return attempt("POST", o.path, body)
    end,
  }
end

---@param sid string
---@return table? call with `status` and the rest
---@return string? why
---@return any code
function M.fetch_call(sid)
  return M.read(path_of(sid))
end

local updates = { Twiml = true, Status = true }
local going = { queued = true, ringing = true, ["in-progress"] = true }
local NOT_IN_PROGRESS = 21220

-- The end of a call can be read back. New instructions cannot: Twilio does not show them.
local function end_read_back(sid)
  return function()
    local call, why = M.fetch_call(sid)
    if not call then
      return nil, why
    end
    return not going[call.status] and call
  end
end

---For update_call() with a <Dial>: a call that Twilio places to one of its numbers for the caller shows that it has
---read it. One that it is only about to place is not seen; then they ring anew, which is better than not at all.
---@param sid string the caller's call
---@param numbers string[] whom it dials
---@return fun(): any, string?
function M.dial_read_back(sid, numbers)
  local dialled = {}
  for _, number in ipairs(numbers) do
    dialled[number] = true
  end
  return function()
    local list, why = M.read("Calls.json", { ParentCallSid = sid, PageSize = 50 })
    if not list then
      return nil, why
    end
    for _, call in ipairs(list.calls or {}) do
      if going[call.status] and dialled[call.to] then
        return { sid = sid }
      end
    end
    return false
  end
end

---Changes a call in progress: { Twiml = "<Response>…" } or { Status = "completed" }. A call that is
---over already is no error: the answer then says `over = true`.
---@param sid string
---@param fields { Twiml: string?, Status: "completed"|"canceled"|nil }
---@param read_back (fun(): any, string?)? for Twiml: does the call follow it?
---@return table? call
---@return string? why
---@return any code Twilio's number of the mistake, "unknown" or "given_up"
function M.update_call(sid, fields, read_back)
  for key in pairs(fields) do
    if not updates[key] then
      error(("update_call: unknown field '%s'; allowed: Twiml, Status"):format(tostring(key)), 2)
    end
  end
  if (fields.Twiml == nil) == (fields.Status == nil) then
    error("update_call: either Twiml or Status", 2)
  end
  local call, why, code = M.write {
    path = path_of(sid), form = fields,
    read_back = read_back or (fields.Status and end_read_back(sid)),
  }
  if not call and code == NOT_IN_PROGRESS and fields.Status ~= "canceled" then
    return { sid = sid, over = true }
  end
  return call, why, code
end

return M
