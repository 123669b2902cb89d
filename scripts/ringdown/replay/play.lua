-- SPDX-License-Identifier: Apache-2.0
-- play: the inputs of a recorded call, in their order and at their time, into an agent in its sandbox; what it does at
-- each is its behaviour. Time is the recording's; nothing leaves the machine.
--
-- Tools run for real: what they ask of hosts and of the database is answered as it was then. What was not asked then,
-- or not as often, has no answer: the step says `not_recorded`, and the model is given what it was given then. So it is
-- with an answer that could not be kept: `not_kept`.
local fake_host = require "ringdown.fake.host"
local fake_http = require "ringdown.fake.http"
local inputs = require "ringdown.inputs"
local json = require "ringdown.json"

local M = {}

---@class ringdown.replay.step
---@field at_ms integer
---@field input string what happened, for people
---@field did table[] { kind = "say"|"text"|"transfer"|…, text = …, … }

---@class ringdown.replay.about
---@field version string of the agent that played
---@field brief string? digest of what the model was told first
---@field texts { to: string, kind: string, template: string? }[] that were to be sent

local missing = {} -- what was asked in this step, and no answer is left
local playing_ms = 0

-- Each answer is given once: who asks more often than then asks what nobody knows.
local function answers_of(recording)
  local lists, hidden = {}, false
  for _, a in ipairs(recording.answers) do
    hidden = hidden or a.ask:find "%[%l+%]" ~= nil -- a question out of which something was taken
    local key = a.of .. " " .. a.ask
    lists[key] = lists[key] or {}
    table.insert(lists[key], a)
  end
  return function(of, ...)
    local ask = inputs.ask(of, ...)
    local list = lists[of .. " " .. ask]
    local answer = list and table.remove(list, 1)
    if answer and not answer.cut and answer.value then
      return answer.value
    end
    local cut = answer ~= nil or hidden or recording.cut_ms and playing_ms >= recording.cut_ms
    missing[#missing + 1] = { of = of, ask = ask, cut = cut, again = list ~= nil }
  end
end

---Before the call is opened: its clock, and who answers.
---@param recording ringdown.recording
function M.prepare(recording)
  local ms = recording.began_ms % 1000
  fake_host.set_unix(recording.began_ms // 1000)
  fake_host.move_to(ms)
  fake_host.recorded = answers_of(recording)
  missing, playing_ms = {}, 0
end

-- ── one input ───────────────────────────────────────────────────────────────────────────────────
local carrier_word = { busy = "busy", ["the number could not be reached"] = "failed", canceled = "canceled" }

local plays = {
  started = function(call) call:starts() end,
  hears = function(call, input) call:hears(input.text) end,
  says = function(call, input) call:says(input.text) end,
  presses = function(call, input) call:presses(input.key) end,
  silent = function(call, input) call:falls_silent(input.n) end,
  ends = function(call, input) call:ends(input.reason) end,
  withheld = function() end,
  tool = function(call, input) return call:tool(input.name, input.arguments) end,
  transfer_fails = function(call, input)
    if call.transferred_to then
      call:transfer_fails(carrier_word[input.why] or "no-answer")
    end
  end,
}

local function first_line(why)
  return (tostring(why):match("^[^\n]*"):gsub("^[^:%s]+%.lua:%d+: ", ""):gsub("^%[string [^%]]*%]:%d+: ", ""))
end

local shows = {
  started = function() return "the call begins" end,
  hears = function(i) return ('caller: "%s"'):format(i.text) end,
  says = function(i) return ('agent: "%s"'):format(i.text) end,
  presses = function(i) return "key " .. i.key end,
  silent = function(i) return ("silence %d"):format(i.n or 1) end,
  ends = function(i) return "the call ends: " .. (i.reason or "") end,
  withheld = function(i) return (i.role or "caller") .. ": (not kept)" end,
  tool = function(i) return ("model: %s %s"):format(i.name, i.arguments) end,
  transfer_fails = function() return "nobody took the caller" end,
}

local unplayable = { "it holds an input that this program does not know: %s; use a newer one" }

local function run(call, input, did)
  local play = plays[input.what] or error(unplayable[1]:format(input.what), 0)
  local ok, output, raised = pcall(play, call, input)
  if not ok then
    did[#did + 1] = { kind = "error", text = first_line(output) }
  elseif input.what == "tool" then
    if #missing > 0 and input.output then
      did[#did + 1] = { kind = "tool", name = input.name, text = input.output }
      return
    end
    did[#did + 1] = { kind = "tool", name = input.name, text = json.encode(output) }
    if raised then
      did[#did + 1] = { kind = "error", text = first_line(raised) }
    end
  end
end

-- ── what it did ─────────────────────────────────────────────────────────────────────────────────
local function state_of(call)
  local desk = rawget(call, "desk")
  return { said = #fake_host.said, texts = #call.texts, requests = #fake_http.requests,
    emergencies = #call.emergencies, asked = desk and #desk.asked or 0, paused = call.paused,
    transferred_to = call.transferred_to, hung_up = call.hung_up }
end

local function each_new(list, from, did, make)
  for i = from + 1, #list do
    did[#did + 1] = make(list[i])
  end
end

local function observe(call, before, did)
  local desk = rawget(call, "desk")
  each_new(call.emergencies, before.emergencies, did, function(rule)
    return { kind = "emergency", text = rule }
  end)
  each_new(desk and desk.asked or {}, before.asked, did, function(rule)
    return { kind = "asks_about", text = rule }
  end)
  each_new(fake_http.requests, before.requests, did, function(r)
    return { kind = "request", text = r.method .. " " .. r.url }
  end)
  each_new(call.texts, before.texts, did, function(t)
    return { kind = "text", name = t.template, text = ("to %s: %s"):format(t.to, t.body) }
  end)
  each_new(fake_host.said, before.said, did, function(words)
    return { kind = "say", text = words }
  end)
  local after = state_of(call)
  if after.transferred_to and after.transferred_to ~= before.transferred_to then
    did[#did + 1] = { kind = "transfer", text = after.transferred_to }
  end
  if after.hung_up and after.hung_up ~= before.hung_up then
    did[#did + 1] = { kind = "hang_up", text = after.hung_up }
  end
  if after.paused ~= before.paused then
    did[#did + 1] = { kind = "pause", text = after.paused and "on" or "off" }
  end
end

local function note_missing(did)
  for _, m in ipairs(missing) do
    if m.of ~= "query" then -- the library's own questions have stand-ins
      did[#did + 1] = { kind = m.cut and "not_kept" or "not_recorded", name = m.again and not m.cut and "again" or nil,
        text = m.of .. " " .. m.ask:gsub("%s+$", "") }
    end
  end
end

local function step(call, recording, input)
  local did, before = {}, state_of(call)
  missing, playing_ms = {}, input.at_ms
  fake_host.move_to(recording.began_ms % 1000 + input.at_ms)
  run(call, input, did)
  observe(call, before, did)
  note_missing(did)
  if input.what == "ends" and not call.broken then
    did[#did + 1] = { kind = "vars", text = json.encode(call.vars) }
  end
  return { at_ms = input.at_ms, input = shows[input.what](input), did = did }
end

-- ── the whole call ──────────────────────────────────────────────────────────────────────────────
local function opening(call)
  local did = { { kind = "routing", text = call.system .. ", " .. call.reason } }
  local brief = call.brief
  if brief then
    local rest = json.copy(brief)
    rest.instructions, rest.opening, rest.notice, rest.tools_json = nil, nil, nil, nil
    did[2] = { kind = "prompt", text = brief.instructions }
    did[3] = { kind = "opening", text = brief.opening }
    did[4] = { kind = "tools", text = brief.tools_json }
    did[5] = { kind = "settings", text = json.encode(rest) }
  end
  each_new(fake_host.said, 0, did, function(words)
    return { kind = "say", text = words }
  end)
  return { at_ms = 0, input = "the webhook", did = did }
end

---Plays what is left of a call that was opened with its recording.
---@param call ringdown.fake.call
---@return ringdown.replay.step[]
function M.rest(call)
  local steps, recording = {}, call.recording
  while call.brief and not call.broken do
    local at = (rawget(call, "played") or 0) + 1
    local input = recording.inputs[at]
    if not input then
      break
    end
    call.played = at
    steps[#steps + 1] = step(call, recording, input)
  end
  if call.broken then
    local last = steps[#steps]
    steps[#steps + 1] = { at_ms = last and last.at_ms or 0, input = "then",
      did = { { kind = "broken", text = call.broken } } }
  end
  return steps
end

local function brief_of(facts)
  for _, fact in ipairs(facts) do
    if fact.type == "opened" then
      return fact.brief
    end
  end
end

-- Each text has several facts.
local function texts_of(facts)
  local list, known = {}, {}
  for _, fact in ipairs(facts) do
    if fact.type == "text" and fact.direction == "out" and not known[fact.id] then
      known[fact.id] = true
      list[#list + 1] = { to = fact.to, kind = fact.kind, template = fact.template }
    end
  end
  return list
end

---@param recording ringdown.recording
---@param version string where the sandbox finds the agent
---@return ringdown.replay.step[] steps
---@return ringdown.replay.about about
function M.whole(recording, version)
  local call = require("ringdown.fake").call { agent = recording.agent, version = version, from = recording.from,
    form = recording.form, site = recording.site, recording = recording }
  call.recording = recording
  local steps = { opening(call) }
  local rest = M.rest(call)
  table.move(rest, 1, #rest, 2, steps)
  call.session:close()
  return steps, { version = call.def.version, brief = brief_of(fake_host.facts), texts = texts_of(fake_host.facts) }
end

return M
