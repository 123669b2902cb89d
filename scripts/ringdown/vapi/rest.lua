-- SPDX-License-Identifier: Apache-2.0
-- vapi.rest: Vapi's REST API as far as we need it. Address and key are added by the host. Everything waits without
-- holding up other calls, and returns nil, why and a code when it did not work.
--
-- Reads are repeated freely. When the answer is lost, nothing says whether a call that was asked for has begun: that is
-- asked for once. What is not there is told as "absent", never as an end: nobody knows then.
local host = require "ringdown.host"
local json = require "ringdown.json"
local percent = require "ringdown.percent"
local retry = require "ringdown.retry"
local sorted = require "ringdown.sorted"

local M = {}

M.PAGE = 100 -- calls in one answer
M.LIST = 1000 -- numbers or assistants in one answer: Vapi's own limit
local WORDS_MAX = 300
local TARGET = "vapi-rest" -- not "vapi": that is for its calls, which may fail while this works, or the other way round
local FULL = "over concurrency limit"

local function with_query(path, fields)
  local parts = {}
  for i, name in ipairs(sorted.keys(fields)) do
    parts[i] = name .. "=" .. percent.encode(fields[name])
  end
  return #parts == 0 and path or path .. "?" .. table.concat(parts, "&")
end

local function checked_id(id)
  if type(id) ~= "string" or #id > 64 or not id:match("^%w[%w%-]*$") then
    error("not an id of Vapi", 3)
  end
  return id
end

---What an error's body says: a text, or a list of them, as `message` or as `error`.
---@param value any
---@return string
function M.message_of(value)
  local said = type(value) == "table" and (value.message or value.error) or nil
  if type(said) == "table" then
    local lines = {}
    for i, line in ipairs(said) do
      lines[i] = tostring(line)
    end
    said = #lines > 0 and table.concat(lines, "; ") or said.message
  end
  said = type(said) == "string" and said ~= "" and said or "no reason given"
  return (said:sub(1, WORDS_MAX):gsub("%c", " "))
end

---What a log may have of why it did not work: words of Vapi and Twilio often have a number of somebody.
---@param why any
---@param code any?
---@return string
function M.plain(why, code)
  local words = tostring(why)
  local answered = words:match "^%a+ answered %d%d%d%f[%D]"
  if answered then
    return answered .. (code and ", " .. tostring(code):match "^[%w_.]*" or "")
  end
  return words:find "%d[%d ()-]*%d%d%d%d" and tostring(code or "it has numbers, so it is in no log") or words
end

-- What an answer that is no success means for another attempt.
local function failure_of(status, after_ms, message)
  if status == 429 then
    return { again = true, happened = "no", after_ms = after_ms, target = "unknown", code = "limited" }
  elseif status >= 500 then
    return { again = true, happened = "unknown", after_ms = after_ms, target = "failed", code = "failed" }
  end
  local code = status == 404 and "absent" or (status == 401 or status == 403) and "refused" or "wrong"
  if status == 400 and message:lower():find(FULL, 1, true) then
    code = "full"
  end
  return { again = false, happened = "no", target = "worked", code = code }
end

local function attempt(method, path, body, timeout_ms)
  local reply, why, sent = host.vapi(method, path, body, timeout_ms)
  if not reply then
    return nil, why, { again = true, happened = sent == "not_sent" and "no" or "unknown", target = "failed",
      code = sent == "not_sent" and "not_sent" or "unknown" }
  end
  local value = json.decode(reply.body)
  if reply.status < 200 or reply.status > 299 then
    local message = M.message_of(value)
    return nil, ("Vapi answered %d: %s"):format(reply.status, message),
      failure_of(reply.status, reply.retry_after_ms, message)
  elseif type(value) ~= "table" then
    return nil, ("Vapi answered %d, and what it said is no JSON"):format(reply.status),
      { again = true, happened = "unknown", target = "failed", code = "unknown" }
  end
  return value
end

---@param path string
---@param policy ringdown.retry.policy?
---@param timeout_ms integer? of one attempt
---@return table? value
---@return string? why
---@return any code "absent", "refused" (the key), "wrong", "limited", "failed", "not_sent", "unknown", "given_up"
function M.read(path, policy, timeout_ms)
  return retry.run {
    target = TARGET, idempotent = true, policy = policy,
    attempt = function()
      return attempt("GET", path, nil, timeout_ms)
    end,
  }
end

---@class ringdown.vapi.calls
---@field assistant string?
---@field number string? id of the phone number at Vapi
---@field before string? created before this time, as Vapi writes it
---@field until_at string? created at this time or before: where the page before ended
---@field since string? created at this time or later
---@field updated_since string?
---@field limit integer?

---One page of calls.
---@param o ringdown.vapi.calls
---@return table[]? calls
---@return string? why
---@return any code
function M.calls(o)
  return M.read(with_query("/call", { assistantId = o.assistant, phoneNumberId = o.number, createdAtLt = o.before,
    createdAtLe = o.until_at, createdAtGe = o.since, updatedAtGe = o.updated_since, limit = o.limit or M.PAGE }))
end

---@param id string
---@param policy ringdown.retry.policy?
---@param timeout_ms integer? of one attempt
---@return table? call
---@return string? why
---@return any code "absent": Vapi does not show it (any more, or yet)
function M.call(id, policy, timeout_ms)
  return M.read("/call/" .. checked_id(id), policy, timeout_ms)
end

---Begins a call. Asked once, whatever comes of it.
---@param body table
---@param timeout_ms integer?
---@return table? call
---@return string? why
---@return any code "full": over the account's concurrency
function M.create_call(body, timeout_ms)
  return retry.run {
    target = TARGET, policy = { first_ms = 1, max_ms = 1, attempts = 1 },
    attempt = function()
      return attempt("POST", "/call", json.encode(body), timeout_ms)
    end,
  }
end

local function page(path, o, policy, timeout_ms)
  return M.read(with_query(path, { createdAtLt = o.before, createdAtLe = o.until_at, limit = o.limit or M.LIST }),
    policy, timeout_ms)
end

---One page of the imported phone numbers; all of them: ringdown.vapi.pages.
---@param o ringdown.vapi.calls
---@param policy ringdown.retry.policy?
---@param timeout_ms integer? of one attempt
---@return table[]? numbers
---@return string? why
---@return any code
function M.phone_numbers(o, policy, timeout_ms)
  return page("/phone-number", o, policy, timeout_ms)
end

---@param id string
---@param policy ringdown.retry.policy?
---@param timeout_ms integer? of one attempt
function M.phone_number(id, policy, timeout_ms)
  return M.read("/phone-number/" .. checked_id(id), policy, timeout_ms)
end

---@param id string
function M.assistant(id)
  return M.read("/assistant/" .. checked_id(id))
end

---One page of the assistants; all of them: ringdown.vapi.pages.
---@param o ringdown.vapi.calls
---@return table[]? assistants
---@return string? why
---@return any code
function M.assistants(o)
  return page("/assistant", o)
end

return M
