-- SPDX-License-Identifier: Apache-2.0
-- demo.month: a month of calls that never were, for looking at: made of a seed and today's date, the same each time.
-- Pure. Facts are those that nodes write (docs/records.md), so that all that is made of them is made by the same ways.
--
--   day by day ──▶ callers at plausible hours ──▶ which system, by the rollout of that day ──▶ the facts of a call
--
-- Calls are CAde30…, callers have numbers that are kept for fiction (555-01xx), the node is called "demo".
local json = require "ringdown.json"
local rollout = require "ringdown.rollout"
local time = require "ringdown.time"
local words = require "ringdown.demo.words"

local M = {}

M.zone = "America/Chicago"
M.node = "demo"
local MODEL, LISTENER = "gpt-realtime-2.1", "gpt-transcribe"
local AREAS = { "224", "331", "630", "708", "773", "779", "815", "847", "872" }
local LETTER_MS, PAUSE_MS, THINKING_MS = 66, 700, 5200
local DENTIST_ON_VAPI_DAYS = 21 -- so long ago it went to OpenAI

-- Of a hundred calls of a weekday, how many come in which hour.
local HOURS = { [0] = 0.3, 0.2, 0.2, 0.2, 0.3, 0.6, 1.5, 4, 9, 11, 10.5, 9, 7, 7.5, 8.5, 8.5, 7.5, 5.5, 3.5, 2.2, 1.4,
  0.9, 0.5, 0.4 }

---The rollout of northside-plumbing, by how many days ago a stage began: all on Vapi, a quarter, back, and on.
M.stages = { { days = 30, bp = 0, name = "pilot", what = "start", state = "pilot", who = "ann" },
  { days = 24, bp = 2500, name = "25", what = "advance", state = "running", who = "ann" },
  { days = 22, bp = 0, name = "25", what = "rollback", state = "rolled_back", who = "auto:guards",
    reason = "failed calls: 5 of 61 on OpenAI, 1 of 180 on Vapi" },
  { days = 20, bp = 2500, name = "25", what = "advance", state = "running", who = "ann", reason = "mended: v7" },
  { days = 14, bp = 5000, name = "50", what = "advance", state = "running", who = "ann" },
  { days = 6, bp = 10000, name = "100", what = "advance", state = "running", who = "ann" } }

-- ── chance ──────────────────────────────────────────────────────────────────────────────────────

local function chance(seed)
  local s = (seed * 2654435761 + 88172645463325252) & 0x7fffffffffffffff
  local self = {}

  function self.unit()
    s = s ~ (s << 13)
    s = s ~ (s >> 7)
    s = s ~ (s << 17)
    return (s >> 11) * 0x1p-53
  end

  function self.whole(from, to)
    return from + math.floor(self.unit() * (to - from + 1))
  end

  function self.one(list)
    return list[self.whole(1, #list)]
  end

  function self.weighed(list)
    local sum = 0
    for _, item in ipairs(list) do
      sum = sum + item.weight
    end
    local at = self.unit() * sum
    for _, item in ipairs(list) do
      at = at - item.weight
      if at < 0 then
        return item
      end
    end
    return list[#list]
  end

  -- Most are near the middle, some are long.
  function self.about(middle, spread)
    return middle * math.exp(spread * (self.unit() + self.unit() + self.unit() - 1.5) * 1.4)
  end

  return self
end

-- ── a call ──────────────────────────────────────────────────────────────────────────────────────

local Call = {}
Call.__index = Call

local function call_of(n, agent, from, unix)
  local stream = ("CAde30%028x"):format(n)
  return setmetatable({ stream = stream, us = unix * 1000000, ms = 0, events = {}, agent = agent, from = from,
    to = words.agents[agent].number, turn = 0 }, Call)
end

function Call:put(type, body, after_ms)
  self.ms = self.ms + math.floor(after_ms or 0)
  body.call, body.agent, body.at_ms = self.stream, self.agent, self.ms
  body.from, body.to = body.from or self.from, body.to or self.to
  self.events[#self.events + 1] = { stream = self.stream, started_us = self.us, epoch = self.us,
    seq = #self.events + 1, at_us = self.us + self.ms * 1000, type = type, body = body }
end

local function moment(us)
  local unix = us // 1000000
  local at = time.at("UTC", unix)
  return ("%sT%s:%02d.%03dZ"):format(at.date, at.time, unix % 60, us // 1000 % 1000)
end

function Call:moment(more_ms)
  return moment(self.us + (self.ms + (more_ms or 0)) * 1000)
end

local function fill(text, with)
  return (text:gsub("{(%w+)}", with))
end

local function spoken_ms(text)
  return PAUSE_MS + #text * LETTER_MS
end

-- What an answer costs: each hears all that was said before, most of it from the cache.
local function usage_of(r, heard_ms, said_ms, text_in)
  local audio_in, audio_out = math.floor(heard_ms / 100), math.floor(said_ms / 50)
  local cached = math.floor((text_in + audio_in) * (0.55 + 0.35 * r.unit()) / 64) * 64
  local cached_audio = math.min(audio_in, cached // 3)
  local text_out = math.floor(said_ms / 160)
  return { total_tokens = text_in + audio_in + text_out + audio_out, input_tokens = text_in + audio_in,
    output_tokens = text_out + audio_out, input_token_details = { text_tokens = text_in, audio_tokens = audio_in,
      image_tokens = 0, cached_tokens = math.min(cached, text_in) + cached_audio, cached_tokens_details = {
        text_tokens = math.min(cached, text_in), audio_tokens = cached_audio, image_tokens = 0 } },
    output_token_details = { text_tokens = text_out, audio_tokens = audio_out } }
end

function Call:say(r, role, text, waited)
  self.turn = self.turn + 1
  local cut = role == "agent" and waited and self.turn > 2 and r.unit() < 0.09
  local heard = cut and text:sub(1, math.max(8, #text // 2)) or text
  local body = { seq = self.turn, role = role, text = heard, said = cut and text or nil, interrupted = cut or false,
    item = ("item_%d"):format(self.turn) }
  if waited then
    body.caller_stopped_ms = self.stopped_ms
    body.first_text_ms, body.first_audio_ms, body.tool_ms = waited.text, waited.audio, waited.tool
  end
  self.heard_ms = (self.heard_ms or 0) + spoken_ms(heard)
  if role == "agent" then
    self:put("usage", { kind = "response", model = MODEL, complete = true, item = body.item,
      raw = usage_of(r, self.heard_ms, spoken_ms(text), 1150 + 40 * self.turn) },
      waited and math.max(0, self.stopped_ms + waited.audio - self.ms) or 300)
  end
  self:put("turn", body, spoken_ms(heard) + (role == "caller" and r.about(THINKING_MS, 1) or 0))
  self.stopped_ms = self.ms
  if cut then
    self.barge_ins = (self.barge_ins or 0) + 1
    self:put("barge_in", { item = body.item, heard_ms = spoken_ms(heard) })
  end
end

function Call:use(r, tool, with)
  local id = ("call_%d"):format(self.turn + 1)
  local ms = math.floor(r.about(tool[1] == "plumber_eta" and 900 or 140, 0.5))
  local failed = r.unit() < (tool[1] == "plumber_eta" and 0.05 or 0.008)
  self.tools = (self.tools or 0) + 1
  self:put("tool", { id = id, name = tool[1], arguments = fill(tool[2], with), done = false }, 250)
  self:put("tool", { id = id, name = tool[1], done = true,
    output = failed and '{"failed":true}' or fill(tool[3], with) }, ms)
  return ms, failed
end

function Call:tell_text(kind, template, body, to, status)
  self.texts = (self.texts or 0) + 1
  self:put("text", { id = ("demo-%s-%d"):format(self.stream:sub(-8), self.texts), kind = kind, template = template,
    body = body, from = self.to, to = to, segments = 1, direction = "out", status = status or "delivered",
    sid = ("SMde30%026x%02x"):format(tonumber(self.stream:sub(-8), 16), self.texts) }, 400)
end

local function begin(c, r, system, reason, o)
  c:put("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = M.node, repeated = false })
  local first = system ~= "fallback" and system or nil
  c:put("decision", { system = system, reason = reason, version = o.version, first = first,
    first_reason = first and reason,
    model = system == "openai" and MODEL or nil,
    rollout = o.rollout, unit = o.rollout and "caller" or nil, bucket = o.bucket, percent_bp = o.percent_bp,
    fix = system == "fallback" and "raise calls.max, or add a node" or nil }, 4 + r.whole(0, 9))
end

local function over(c, reason, more)
  c.first_ms = c.first_ms or 400
  local body = { reason = reason, duration_ms = c.ms, first_audio_ms = c.first_ms, turns = c.turn,
    barge_ins = c.barge_ins or 0, tool_calls = c.tools or 0, errors = c.errors or 0, frames_in = c.ms // 20 }
  for name, value in pairs(more or {}) do
    body[name] = value
  end
  c:put("ended", body, 300)
  c:put("webhook", { kind = "status", status = "completed", duration_s = math.max(1, c.ms // 1000) }, 700)
end

local function emergency(c, r, e, a)
  c:say(r, "caller", "Hello, " .. e.words .. "!")
  c:put("triage", { rule = e.rule, severity = e.severity, source = "rule", state = "open", words = e.words }, 150)
  c:put("triage_step", { rule = e.rule, step = 1, kind = "say", state = "confirmed", detail = e.say }, 100)
  c:say(r, "agent", e.say, { text = 180, audio = 320, tool = 0 })
  c:put("triage_step", { rule = e.rule, step = 2, kind = "text", target = a.on_call, state = "asked" }, 200)
  c:tell_text("emergency", nil, ("EMERGENCY %s: %s"):format(c.from, e.words), a.on_call)
  c:put("triage_step", { rule = e.rule, step = 3, kind = "transfer", target = a.on_call, state = "asked" }, 200)
  if r.unit() < 0.06 then
    c:put("triage_step", { rule = e.rule, step = 3, kind = "transfer", target = a.on_call, state = "no_answer" }, 30000)
    c:put("triage", { rule = e.rule, state = "abandoned" }, 60000)
    over(c, "caller_hangup")
    return
  end
  local took = math.floor(r.about(28000, 0.6))
  c:put("triage_step", { rule = e.rule, step = 3, kind = "transfer", target = a.on_call, state = "confirmed" }, took)
  c:put("triage", { rule = e.rule, state = "handled", by = a.on_call }, 50)
  local talked = r.whole(60, 300)
  over(c, "transferred")
  c:put("webhook", { kind = "resume", status = "in-progress", dial_sid = "CAde31" .. c.stream:sub(-28),
    dial_s = talked })
end

-- A conversation on OpenAI, over our own line.
local function talk(c, r, scene, a, with)
  c.ms = c.ms + 280
  c.first_ms = math.floor(r.about(390, 0.35))
  c:say(r, "agent", a.greeting)
  local hangs_up = r.unit() < 0.04 and r.whole(2, #scene.turns) or nil
  for i, text in ipairs(scene.turns) do
    if i == hangs_up then
      break
    elseif i % 2 == 1 then
      c:say(r, "caller", fill(text, with))
    else
      local waited = { text = math.floor(r.about(310, 0.35)), tool = 0 }
      local tool = scene.tools and scene.tools[i]
      if tool then
        local failed
        waited.tool, failed = c:use(r, tool, with)
        waited.text = waited.text + waited.tool
        c.booked = c.booked or tool[1] == "book_appointment" and not failed
      end
      waited.audio = waited.text + math.floor(r.about(230, 0.4))
      c:say(r, "agent", fill(text, with), waited)
    end
  end
  if r.unit() < 0.9 then
    c:put("usage", { kind = "transcription", model = LISTENER, complete = true,
      raw = { type = "duration", seconds = (c.heard_ms or 0) / 2000 } })
  end
end

local function finish(c, r, scene, a, with)
  if c.booked then
    c:tell_text("tool", "booked", fill(a.text, with), c.from)
  end
  if scene.fails or r.unit() < 0.004 then
    c.errors = 1
    c:put("error", { code = "provider.lost", message = "the connection to OpenAI broke" }, 200)
    over(c, "provider_failed")
  elseif scene.transfer then
    c:put("transfer", { whom = scene.transfer, state = "asked" }, 300)
    if r.unit() < 0.82 then
      c:put("transfer", { whom = scene.transfer, state = "answered" }, r.whole(4000, 14000))
      over(c, "transferred")
      c:put("webhook", { kind = "resume", status = "in-progress", dial_sid = "CAde32" .. c.stream:sub(-28),
        dial_s = r.whole(40, 400) })
    else
      c:put("transfer", { whom = scene.transfer, state = "failed", why = "no answer" }, 20000)
      over(c, "caller_hangup")
    end
  else
    over(c, r.unit() < 0.7 and "caller_hangup" or "agent_hangup")
  end
end

local function told_by_vapi(c, reason, cost, costs)
  return { call = c.stream, vapi_id = ("de300000-0000-4000-8000-%012x"):format(tonumber(c.stream:sub(-10), 16)),
    seen_by = "poll", status = "ended", ended_reason = reason, created_at = moment(c.us + 300000),
    started_at = moment(c.us + 300000), ended_at = c:moment(-200), route = "bypass", cost = cost,
    cost_breakdown = costs, agent = c.agent, from = c.from, to = c.to }
end

-- The same on Vapi, as it tells it afterwards.
local function on_vapi(c, r, scene, a, with)
  local said, ms = json.array { { role = "agent", text = a.greeting, at_ms = 900 } }, 900 + spoken_ms(a.greeting)
  for i, text in ipairs(scene.turns) do
    ms = ms + (i % 2 == 0 and math.floor(r.about(1150, 0.3)) or 300)
    said[#said + 1] = { role = i % 2 == 1 and "caller" or "agent", text = fill(text, with), at_ms = ms }
    ms = ms + spoken_ms(text) + (i % 2 == 1 and math.floor(r.about(THINKING_MS, 1)) or 0)
  end
  local minutes = ms / 60000
  local function dollars(each)
    return math.floor(each * minutes * (0.92 + 0.16 * r.unit()) * 1e6 + 0.5) / 1e6
  end
  local costs = { vapi = dollars(0.05), stt = dollars(0.0118), llm = dollars(0.026), tts = dollars(0.052) }
  c.ms = c.ms + ms
  c.booked = scene.booked ~= nil and r.unit() < 0.93
  c:put("webhook", { kind = "status", status = "completed", duration_s = math.max(1, c.ms // 1000) }, 500)
  if c.booked then
    c:tell_text("tool", "booked", fill(a.text, with), c.from)
  end
  local told = told_by_vapi(c, scene.fails and "call.in-progress.error-vapifault-worker-died"
    or scene.transfer and "assistant-forwarded-call" or "customer-ended-call",
    costs.vapi + costs.stt + costs.llm + costs.tts, costs)
  return { { type = "vapi", body = told },
    { type = "vapi_words", body = { call = c.stream, vapi_id = told.vapi_id, created_at = told.created_at, first = 1,
      words = said } } }
end

-- ── who calls when ──────────────────────────────────────────────────────────────────────────────

local function callers(r)
  local list = {}
  for _, area in ipairs(AREAS) do
    for i = 100, 199 do
      list[#list + 1] = { number = ("+1%s5550%d"):format(area, i),
        name = r.one(words.first) .. " " .. r.one(words.last), weight = r.unit() < 0.15 and 5 or 1 }
    end
  end
  local often = {}
  for _, caller in ipairs(list) do
    for _ = 1, caller.weight do
      often[#often + 1] = caller
    end
  end
  return often
end

local function stage_at(unix, today)
  local found
  for i, stage in ipairs(M.stages) do
    if unix >= today - stage.days * 86400 + 9 * 3600 then
      found = { percent_bp = stage.bp, rollout = i + 1, version = i }
    end
  end
  return found or { percent_bp = 0, rollout = 2, version = 1 }
end

local function version_at(stage)
  return ("de30%012x"):format(stage.version >= 4 and 7 or 6)
end

-- When on a day, in seconds since midnight.
local function second_of(r, is_weekend)
  local sum, hours = 0, {}
  for hour = 0, 23 do
    hours[hour] = is_weekend and HOURS[hour] * 0.5 + 0.7 or HOURS[hour]
    sum = sum + hours[hour]
  end
  local at = r.unit() * sum
  for hour = 0, 23 do
    at = at - hours[hour]
    if at < 0 then
      return hour * 3600 + r.whole(0, 3599)
    end
  end
  return 12 * 3600
end

-- Visits fill the days that come, one after the other.
local function book(state, c, scene, a, day)
  local key, from = c.agent, time.days(day) + 1
  local s = state.slots[key] or { day = from, hour = a.hours[1], who = 1 }
  state.slots[key] = s
  if s.day < from then
    s.day, s.hour, s.who = from, a.hours[1], 1
  end
  local slot = { date = time.date(s.day), hour = s.hour, resource = a.resources[s.who], minutes = a.minutes,
    service = scene.booked }
  s.who = s.who + 1
  if s.who > #a.resources then
    s.who, s.hour = 1, s.hour + 2
  end
  if s.hour >= a.hours[2] then
    s.hour, s.day = a.hours[1], s.day + 1
  end
  return slot
end

local function taken_words(slot)
  return (time.day_text(slot.date) or slot.date), ("%d %s"):format(slot.hour > 12 and slot.hour - 12 or slot.hour,
    slot.hour < 12 and "am" or "pm")
end

-- One call; and what it leaves besides facts.
local function one(state, unix, day, midnight_of_today)
  local r, caller = state.r, state.r.one(state.callers)
  local agent = r.unit() < 0.62 and "northside-plumbing" or "brightsmile-dental"
  local a = words.agents[agent]
  state.n = state.n + 1
  local c = call_of(state.n, agent, r.unit() < 0.03 and "anonymous" or caller.number, unix)
  local stage = stage_at(unix, midnight_of_today)
  local bucket = rollout.bucket(rollout.seed(agent), c.from == "anonymous" and c.stream or c.from)
  local on_openai = unix >= midnight_of_today - DENTIST_ON_VAPI_DAYS * 86400
  if agent == "northside-plumbing" then
    on_openai = bucket < stage.percent_bp
  end
  local o = { version = version_at(stage) }
  if agent == "northside-plumbing" then
    o.rollout, o.bucket, o.percent_bp = stage.rollout, bucket, stage.percent_bp
  end
  local system = on_openai and "openai" or "vapi"
  local reason = o.rollout and "split" or "default"
  local dice, scene = r.unit(), r.weighed(a.scenes)
  if dice < 0.026 then
    begin(c, r, system, reason, o)
    c:put("missed", { why = r.unit() < 0.8 and "gave_up" or "not_answered" }, 2500)
    if c.from ~= "anonymous" then
      c:tell_text("missed", "missed", "Sorry we missed you. Reply with a day that suits you. STOP to opt out.", c.from,
        r.unit() < 0.95 and "delivered" or "undelivered")
    end
    over(c, "gave_up", { first_audio_ms = 0 })
    c.events[#c.events - 1].body.first_audio_ms = nil
    c.rest = not on_openai and { { type = "vapi", body = told_by_vapi(c, "customer-did-not-answer", 0) } } or nil
    return c
  elseif dice < 0.030 then
    begin(c, r, "fallback", "no_capacity", o)
    over(c, "fallback")
    return c
  elseif dice < 0.036 then
    begin(c, r, "openai", "default", { version = o.version })
    c:say(r, "agent", a.greeting)
    emergency(c, r, r.one(a.emergencies), a)
    return c
  end
  local slot = scene.booked and book(state, c, scene, a, day)
  local with = { name = caller.name, zip = "606" .. r.whole(10, 57), service = scene.booked }
  if slot then
    with.day, with.time = taken_words(slot)
  end
  begin(c, r, system, reason, o)
  local rest
  if on_openai then
    talk(c, r, scene, a, with)
    if dice > 0.994 then
      local near = r.one(a.near)
      c:put("near_miss", { rule = near[1], why = near[2], words = near[3] }, 200)
    end
    finish(c, r, scene, a, with)
  else
    rest = on_vapi(c, r, scene, a, with)
  end
  if c.booked and slot and c.from ~= "anonymous" then
    slot.call, slot.agent, slot.number, slot.name, slot.at_us = c.stream, agent, c.from, caller.name, c.us
    c.visit = slot
  end
  c.rest = rest
  return c
end

---Calls of a day, in order, each { stream, events, visit?, rest?: facts of the node }.
---@param state table M.begin's
---@param ago integer how many days before today
---@return table[]
function M.day(state, ago)
  local r, date = state.r, time.date(time.days(state.today) - ago)
  local weekday = time.weekday(time.days(date))
  local is_weekend = weekday == 1 or weekday == 7
  local n = math.floor(state.each_day * (is_weekend and 0.45 or 1.22) * (0.9 + 0.2 * r.unit()) + 0.5)
  local seconds = {}
  for i = 1, n do
    seconds[i] = second_of(r, is_weekend)
  end
  table.sort(seconds)
  local midnight, today = time.unix_of(M.zone, date .. " 00:00"), time.unix_of(M.zone, state.today .. " 00:00")
  local calls = {}
  for _, second in ipairs(seconds) do
    if midnight + second > state.now - 600 then
      break
    end
    calls[#calls + 1] = one(state, midnight + second, date, today)
  end
  return calls
end

---@param o { seed: integer?, calls: integer?, days: integer?, now: integer? }
---@return table state
function M.begin(o)
  local r = chance(o.seed or 1)
  local now = o.now or time.unix()
  local days = o.days or 30
  return { r = r, n = 0, now = now, today = time.at(M.zone, now).date, days = days,
    each_day = (o.calls or 3000) / days, callers = callers(r), slots = {} }
end

return M
