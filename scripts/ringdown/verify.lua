-- SPDX-License-Identifier: Apache-2.0
-- verify: is the caller who they say? A number on a display is no proof. A tool that tells or changes
-- personal data says `verify = true`; the agent says what to ask and how an answer is checked:
--
--   verify = { ask = { "postcode" }, check = function(call, answers) return answers.postcode == … end }
--
-- Such a tool does nothing until the caller was verified by the built-in tool verify_caller.
local current = require "ringdown.current"
local running = require "ringdown.running"
local sorted = require "ringdown.sorted"

local M = {}

M.ATTEMPTS, M.TOOL = 3, "verify_caller"

local CHECK_MS = 10000 -- as long as the tool may take
local WAIT = "Their answers are still being checked; wait a moment, then call this again."
local GIVE_UP = "The caller could not be verified. Tell and change nothing personal; offer a person or a call back."

---@class ringdown.verify
---@field ask string[]|table<string, string> what the caller is asked; or each with what it means, for the model
---@field check fun(call: ringdown.call, answers: table<string, string>): boolean?, string? true, or why not

-- Nobody guesses with several at once: an answer that is being checked counts as well. One that could not be checked,
-- because that broke or was late, was no wrong one.
local function tried(call)
  local n = call.verify_attempts
  for _, attempt in ipairs(call.verifying or {}) do
    n = n + (running.is(attempt) and 1 or 0)
  end
  return n
end

local function begin_attempt(call)
  local attempt = running.begin(CHECK_MS)
  call.verifying = call.verifying or {}
  table.insert(call.verifying, attempt)
  return attempt
end

---What verify_caller does.
---@param call ringdown.call
---@param answers table<string, string>
function M.run(call, answers)
  if call.verified then
    return { verified = true }
  elseif tried(call) >= M.ATTEMPTS then
    return nil, call.verify_attempts < M.ATTEMPTS and WAIT or GIVE_UP
  end
  local attempt <close> = begin_attempt(call)
  local right, why = current.def.verify.check(call, answers)
  attempt.over = true
  call.verify_attempts = call.verify_attempts + 1
  if right then
    call.verified = true
    return { verified = true }
  elseif call.verify_attempts >= M.ATTEMPTS then
    return nil, GIVE_UP
  end
  return nil, why or "That does not match; ask again, without saying what would be right."
end

---What stands in the way of a tool, nil when nothing does.
---@param t ringdown.tool
---@param def table the agent
---@param call ringdown.call
---@param args table
---@return string? refusal
function M.refusal(t, def, call, args)
  if type(t.verify) == "function" then
    local allowed, why = t.verify(call, args)
    return not allowed and (why or "The caller was not verified for this; offer a person.") or nil
  elseif not t.verify or call.verified or not def.verify then
    return nil
  elseif call.verify_attempts >= M.ATTEMPTS then
    return GIVE_UP
  end
  return ("The caller is not verified yet, and the number they call from proves nothing. Ask for: %s. Then call %s.")
    :format(table.concat(sorted.keys(def.verify.ask), ", "), M.TOOL)
end

return M
