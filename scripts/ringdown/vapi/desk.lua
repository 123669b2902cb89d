-- SPDX-License-Identifier: Apache-2.0
-- vapi.desk: what a caller whom Vapi has said, or its model reports, is held against the agent's rules. Each rule is
-- acted on once per call, in whichever process and however often Vapi says the words: this process remembers, and the
-- database for all. When it does not answer in time, somebody acts rather than nobody.
local control = require "ringdown.vapi.control"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"

local M = {}

local CLAIM_MS = 1500
local PART_BYTES, AGAIN_BYTES = 12000, 400 -- searched at once; the end of the part before is searched again

local function fact(type, members)
  host.fact(type, json.encode(members))
end

-- True: nobody did this for the call before.
local function claim(p, what)
  local key = ("%s %s"):format(p.call, what)
  if not host.first(key) then
    return false
  end
  local asked, rows = pcall(host.query, "select mine from vapi_write_begin($1, $2)", { p.call, host.digest(key) },
    CLAIM_MS)
  return not (asked and rows and rows[1] and rows[1][1] == "f")
end

local function last_resort(p, found, why)
  log.fact("error", "errand.not_run", p.call, { kind = log.known "emergency", why = log.known(why),
    fix = log.known "too much is being done at once: add a node, or raise script_threads" })
  host.alarm("critical", "errand.not_run", p.call, "an emergency was not handed to anybody")
  if found.say then
    control.say(p, found.say)
  end
end

local function hand_over(p, found, source)
  local begun, why = host.errand("emergency", json.encode { call = p.call, rule = found.rule, severity = found.severity,
    source = source, words = found.words, language = found.language, from = p.from, to = p.to,
    vapi = { id = p.vapi_id, control = p.control } })
  if not begun then
    last_resort(p, found, why)
  end
end

local function act(p, found, source)
  if not claim(p, "triage " .. found.rule) then
    return false
  end
  log.fact("warn", "triage.match", p.call, { rule = log.known(found.rule), severity = log.known(found.severity),
    source = log.known(source), fix = log.known "`ringdown why` shows what was done about it" })
  fact("triage", { rule = found.rule, severity = found.severity, source = source, state = "open",
    words = found.words })
  hand_over(p, found, source)
  return true
end

local function follow(p, found, source)
  if found.verdict == "match" then
    return act(p, found, source)
  elseif found.verdict == "tell" then -- no rule: a person shall read it, nothing else
    if claim(p, "told " .. found.rule) then
      hand_over(p, found, source)
    end
    return false
  elseif found.verdict == "ask" and host.first(("%s asked %s"):format(p.call, found.rule)) then
    control.instruct(p, found.ask)
  end
  if host.first(("%s miss %s %s"):format(p.call, found.rule, found.why)) then
    fact("near_miss", { rule = found.rule, why = found.why, words = found.words })
  end
  return false
end

local function follow_all(p, text, source)
  local acted = false
  for _, found in ipairs(json.decode(text) or {}) do
    acted = follow(p, found, source) or acted
  end
  return acted
end

-- Where a letter begins, at or before `at`.
local function letter_at(words, at)
  while at > 1 and (words:byte(at) & 0xc0) == 0x80 do
    at = at - 1
  end
  return at
end

---@param words string
---@return string[]
function M.parts(words)
  local list, from = {}, 1
  while #words - from + 1 > PART_BYTES do
    local next_from = letter_at(words, from + PART_BYTES)
    list[#list + 1] = words:sub(from, next_from - 1)
    from = letter_at(words, next_from - AGAIN_BYTES)
  end
  list[#list + 1] = words:sub(from)
  return list
end

---@param p ringdown.vapi.call and `from`, `to`
---@param words string what the caller said, however long
function M.hear(p, words)
  local acted = false
  for _, part in ipairs(M.parts(words)) do
    local text, why = host.find(part)
    if not text then
      error("the caller's words could not be searched for emergencies: " .. tostring(why), 0)
    end
    acted = follow_all(p, text, "rule") or acted
  end
  return acted
end

---As host.emergency() in a call of our own.
---@param p ringdown.vapi.call
---@return fun(kind: string, severity: string, words: string): boolean?, string?
function M.reporter(p)
  return function(kind, severity, words)
    local text, why = host.find_reported(kind, severity, words)
    if not text then
      return nil, why
    end
    return follow_all(p, text, "model")
  end
end

return M
