-- SPDX-License-Identifier: Apache-2.0
-- agent_check: everything in `agent { … }` is checked, all mistakes are told at once, and what does nothing yet is
-- refused rather than ignored. Only while an agent loads.
local agents = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local needs = require "ringdown.needs"
local routing = require "ringdown.routing_check"
local shape = require "ringdown.shape"
local sorted = require "ringdown.sorted"
local template = require "ringdown.template"
local time = require "ringdown.time"
local tool = require "ringdown.tool"
local triage = require "ringdown.triage"
local words = require "ringdown.words"

local M = {}

local voices = { "alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse" }
local hooks = { "started", "utterance", "said", "dtmf", "silence", "booked", "sms", "transfer_failed", "ended" }

---Reads the text of `agent.file`.
---@param file ringdown.file
function M.read_file(file)
  local text, why = host.file(file.name)
  if not text then
    local from, line = host.where()
    complaints.add({ file = from or "agents", line = line }, "", ("agent.file %q: %s"):format(file.name, why))
  end
  file.text = text or ""
end

-- ── shapes of single keys ───────────────────────────────────────────────────────────────────────
local function language(value, path, complain)
  if not words.languages[value] then
    complain(path, ("'%s' is no language code known here; %s"):format(tostring(value),
      nearest.hint(value, sorted.keys(words.languages))))
    return "en"
  end
  return value
end

local function zone(value, path, complain)
  if type(value) ~= "string" or not time.zone(value) then
    complain(path, ("'%s' is no time zone; write it like \"America/Chicago\" (package tzdata has them)")
      :format(tostring(value)))
    return "UTC"
  end
  return value
end

local function plain_data(value, path, complain)
  local text, why = json.encode(value)
  if not text then
    complain(path, why .. "; use texts, numbers, true, false and tables of them")
  elseif #text > 16 * 1024 then
    complain(path, "larger than 16 KB")
  end
  return value
end

-- The model takes 16,384 tokens, which is about so much text.
local PROMPT_MAX = 64 * 1024

local function prompt(value, path, complain)
  local file = agents.is_file(value) and value or { text = shape.text(value, path, complain) }
  if #file.text > PROMPT_MAX then
    complain(path, "is longer than 64 KB, more than the model reads; what is seldom needed belongs into a tool")
    return { text = "" }
  elseif not utf8.len(file.text) then
    complain(path, "is not UTF-8")
  end
  return file
end

local function tool_list(value, path, complain)
  local list, seen = {}, {}
  if type(value) ~= "table" then
    complain(path, "must be a list in { }")
    return list
  end
  for i, item in ipairs(value) do
    local at = path .. "." .. i
    if not tool.is(item) then
      complain(at, "is no tool; make it with tool { … } or take one from ringdown.tools")
    elseif seen[item.name] then
      complain(at, ("two tools are called '%s'"):format(tostring(item.name)))
    else
      seen[item.name or ""] = true
      list[#list + 1] = item
    end
  end
  return list
end

-- Nothing twice.
local function distinct(list_shape)
  return function(value, path, complain)
    local list, first = list_shape(value, path, complain), {}
    for i, item in ipairs(list) do
      if first[item] and item ~= "" then
        complain(path .. "." .. i, ("%s is number %d already"):format(item, first[item]))
      end
      first[item] = first[item] or i
    end
    return list
  end
end

local function hook_shapes()
  local shapes = {}
  for _, name in ipairs(hooks) do
    shapes[name] = shape.func
  end
  return shapes
end

-- Whole days, because that is how often old ones are looked for.
local days_kept = shape.duration("1d", "3650d")
local function kept_for(value, path, complain)
  if type(value) == "string" and not value:match "^%d+d$" and time.duration(value) then
    complain(path, ('"%s" is too exact; write whole days, like "90d"'):format(value))
    return 0
  end
  return days_kept(value, path, complain)
end

local function shapes_of(languages)
  local spoken = shape.spoken(languages)
  local uuid = shape.matching("^%x+%-%x+%-%x+%-%x+%-%x+$", "an assistant's id from Vapi's dashboard")
  local max_call = shape.duration("10s", "4h")
  local long_call = shape.fields({ after = max_call, say = spoken }, { "after" })
  return {
    name = shape.matching("^%l[%l%d-]*$", "a name; use lower case letters, digits and -"),
    numbers = distinct(shape.list_of(shape.phone)),
    time_zone = zone,
    languages = shape.list_of(language),
    hours = time.hours_shape,
    people = shape.map_of(distinct(shape.one_or_list_of(triage.person))),
    needs = shape.fields {
      hosts = needs.hosts, secrets = needs.secrets,
      tables = function(...) return require("ringdown.tables").shape(...) end,
    },
    vars = shape.map_of(plain_data),
    openai = shape.fields {
      api = shape.one_of { "realtime", "live" },
      backend = shape.text,
      model = shape.text,
      voice = shape.one_of(voices),
      audio = shape.one_of { "pcmu", "pcm" },
      context = shape.number(4000, 60000),
      vad = shape.fields { silence = shape.duration("100ms", "5s"), threshold = shape.number(0, 1) },
    },
    vapi = shape.fields({
      assistant = uuid, route = shape.one_of { "redirect", "bypass", "bridge" },
      no_triage = shape.one_of { "accepted" }, tools = shape.one_of { "server", "line" },
    }, { "assistant" }),
    emergencies = function(value) -- triage.shape needs the others first
      return value
    end,
    notice = shape.fields { ai = shape.flag, recording = shape.flag, text = spoken },
    record = shape.flag,
    keep = shape.fields { transcripts = kept_for, recordings = kept_for },
    limits = shape.fields { calls = shape.integer(1, 100000) },
    budget = shape.fields { day = shape.number(0.01, 1000000), call = shape.number(0.01, 10000) },
    greeting = spoken,
    prompt = prompt,
    tools = tool_list,
    silence = shape.fields {
      after = shape.duration("2s", "5m"), times = shape.integer(1, 10), say = spoken, bye = spoken,
    },
    max_call = function(value, path, complain)
      if type(value) == "table" then
        return long_call(value, path, complain)
      end
      return { after = max_call(value, path, complain) }
    end,
    moment = spoken,
    apology = spoken,
    unanswered = spoken,
    resumed = spoken,
    countries = shape.list_of(shape.matching("^%u%u$", 'a country; write it as two capital letters, like "US"')),
    on = shape.fields(hook_shapes()),
    routing = routing.shape,
    failover = shape.flag,
    verify = function(...)
      return require("ringdown.verify_check").shape(...) -- here, because most agents tell nothing personal
    end,
    sms = function(...)
      return require("ringdown.sms_check").shape(languages)(...) -- here, because not every agent sends texts
    end,
  }
end

-- ── what several keys say together ──────────────────────────────────────────────────────────────
local function notice_text(def, complain)
  local notice, first = def.notice, def.languages[1]
  if not notice or not (notice.ai or notice.recording or notice.text) then
    return nil
  end
  if notice.text then
    return notice.text[first]
  end
  local ours = words.notice[first]
  if not ours then
    complain("notice", ("there are no words for it in '%s'; give them as text = { %s = \"…\" }"):format(first, first))
    return nil
  end
  return notice.ai and notice.recording and ours.both or notice.ai and ours.ai or ours.recording
end

local function check_record(def, complain)
  if def.record and not (def.notice and def.notice.recording) then
    complain("record", "callers must be told before they are recorded; add notice = { recording = true }")
  end
end

-- GPT-Live decides by itself when a caller has finished and what it keeps; the rest is not built.
local not_live = {
  vad = "GPT-Live finds out by itself when a caller has finished; leave it out",
  context = "GPT-Live decides by itself what it keeps of a conversation; leave it out",
  audio = 'with api = "live" there is "pcmu" only; leave it out',
}

local function check_live(def, complain, warn)
  local openai = def.openai or {}
  if openai.api ~= "live" then
    if openai.backend then
      complain("openai.backend", 'there is one only with api = "live"')
    end
    return
  end
  for key, why in pairs(not_live) do
    if openai[key] and openai[key] ~= "pcmu" then
      complain("openai." .. key, why)
    end
  end
  if openai.model and not openai.model:find "^gpt%-live" then
    complain("openai.model", ("'%s' is no model of GPT-Live; leave it out, or take one like \"gpt-live-1.1\"")
      :format(openai.model))
  end
  warn("openai.api", '"live" is experimental: its words are asked for, not promised, and callers may hear a notice in '
    .. "other words (docs/gpt-live.md)")
end

-- Tools that depend on the agent: whom they may transfer to, which texts they may send…
local function fit_tools(def)
  for i, t in ipairs(def.tools) do
    def.tools[i] = t.fits and t.fits(def) or t
  end
end

local function languages_of(spec)
  local list = type(spec) == "table" and spec.languages
  local first = type(list) == "table" and list[1]
  return words.languages[first or ""] and list or { "en" }
end

local function fill_in(def)
  def.numbers = def.numbers or {}
  def.time_zone = def.time_zone or "UTC"
  if not def.languages or not def.languages[1] then
    def.languages = { "en" }
  end
  def.vars, def.tools, def.people, def.on = def.vars or {}, def.tools or {}, def.people or {}, def.on or {}
  def.silence = def.silence or {}
  def.needs = def.needs or {}
  def.needs.hosts, def.needs.secrets = def.needs.hosts or {}, def.needs.secrets or {}
  def.record, def.keep, def.limits = def.record or false, def.keep or {}, def.limits or {}
  def.max_call = def.max_call or { after = 1800000 }
  def.says = {
    apology = def.apology,
    still_there = def.silence.say,
    silence_bye = def.silence.bye,
    moment = def.moment,
    time_up = def.max_call.say,
    unanswered = def.unanswered,
    resumed = def.resumed,
  }
end

local function check_words(def, complain)
  local first = def.languages[1]
  if words.spoken[first] then
    return
  end
  local ours = { apology = "apology", still_there = "silence.say", silence_bye = "silence.bye",
    moment = "moment", time_up = "max_call.say", unanswered = "unanswered" }
  for key, path in pairs(ours) do
    if not def.says[key] then
      complain(path, ("there are no words for it in '%s'; give them here"):format(first))
    end
  end
end

local function compile_prompt(def, place)
  local file = def.prompt or { text = "" }
  def.template = template.compile(file.text, def.vars, def.hours ~= nil, function(line, text)
    if file.name then
      local folder = place.file:match("^(.*/)") or ""
      complaints.add({ file = folder .. file.name, line = line }, "", text)
    else
      complaints.add(place, "prompt", text)
    end
  end)
end

local function demands_verified(def)
  for _, t in ipairs(def.tools) do
    if t.verify == true or t.verify == "if_declared" then
      return true
    end
  end
  return false
end

local function has_texts(tools)
  for _, t in ipairs(tools) do
    if t.texts then
      return true
    end
  end
  return false
end

local function add_report_emergency(def, complain)
  local report = require "ringdown.tools.report_emergency"
  for i, t in ipairs(def.tools) do
    if t.name == report.NAME then
      complain("tools." .. i, ("'%s' is the name of a built-in tool"):format(report.NAME))
    end
  end
  table.insert(def.tools, report.make(def.emergencies))
end

---@param spec ringdown.agent.spec
---@return table
function M.define(spec)
  local place = complaints.place("agent")
  local function complain(path, text)
    complaints.add(place, path, text)
  end
  local shapes = shapes_of(languages_of(spec))
  local def = shape.fields(shapes, { "name", "greeting", "prompt" })(spec, "", complain)
  fill_in(def)
  def.hours_text = def.hours and time.hours_text(def.hours)
  def.notice_text = notice_text(def, complain)
  check_record(def, complain)
  check_words(def, complain)
  def.emergencies = triage.shape(def.emergencies, "emergencies", complain, def)
  routing.check(def, complain)
  if demands_verified(def) then
    require("ringdown.verify_check").add(def, complain)
  end
  require("ringdown.secret").check(def.needs.secrets)
  require("ringdown.numbers").check_people(def, complain)
  fit_tools(def)
  if #def.emergencies > 0 then
    add_report_emergency(def, complain)
  end
  compile_prompt(def, place)
  if def.sms or has_texts(def.tools) then
    require("ringdown.sms_check").check(def, complain)
  end
  def.place = place
  local function warn(path, text)
    complaints.warn(place, path, text)
  end
  triage.warn(def, warn)
  check_live(def, complain, warn)
  return def
end

return M
