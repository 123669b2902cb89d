-- SPDX-License-Identifier: Apache-2.0
-- recording: a call as its inputs. Either as the database kept it (call_recording() of sql/0013_replay.sql: facts), or
-- as a file that a spec has beside it:
--
--   { "ringdown_recording": 1, "agent": "…", "version": "…", "from": "+1…", "began_ms": …, "seed": "…", "form": {},
--     "inputs": [ { "at_ms": 900, "what": "hears", "text": "I smell gas" }, … ],
--     "answers": [ { "of": "http", "ask": "GET https://…", "value": […] } ] }
--
-- What is missing is said and never guessed: a call of before these facts were kept, of another schema, whose words
-- are gone. Turns that were never kept (before the notice, paused) are inputs `withheld`: the script heard them then.
local inputs = require "ringdown.inputs"
local json = require "ringdown.json"

local M = {}

local SCHEMA = inputs.SCHEMA
local KEY_NEAR_MS = 1500
local INPUTS_MAX = 200 -- as many facts a call may have; one that has them all and no mark was cut without one
local DAYS_MS = 7 * 24 * 3600 * 1000 -- no call is as long

-- Another process had it before; with the others the script stays.
local OTHER_PROCESS = { node_lost = true, node_drained = true, stream_elsewhere = true }

---@class ringdown.recording
---@field call string
---@field agent string
---@field version string
---@field began_ms integer when the call began, since 1970
---@field inputs table[] { at_ms, what, … }
---@field answers table[] { of, ask, value }
---@field cut_ms integer? from when on keys, silences and answers are missing
---@field recorded table what was done then, as far as it is known: system, reason, brief, emergencies, unheard: those
---  found in words that are not kept, opened_ms: when, texts, transfers

local add = {}

function add.state(r, e)
  if e.body.state == "live" and not r.started then
    r.started = true
    return { what = "started" }
  end
end

function add.turn(r, e)
  if e.body.role ~= "agent" then
    r.withheld = e.body.withheld ~= nil
  end
  if e.body.withheld then
    return { what = "withheld", role = e.body.role }
  elseif (e.body.text or "") ~= "" then
    return { what = e.body.role == "agent" and "says" or "hears", text = e.body.text }
  end
end

function add.tool(r, e)
  local id = e.body.id or ""
  if not e.body.done then
    r.tools[id] = { what = "tool", name = e.body.name, arguments = e.body.arguments or "" }
    return r.tools[id]
  elseif r.tools[id] then
    r.tools[id].output = e.body.output
  end
end

function add.dtmf(_, e)
  return { what = "presses", key = e.body.digit or "*" }
end

function add.operator(r, e)
  if e.body.action == "transfer" then
    r.ordered[e.body.detail or ""] = true
  end
end

-- What an operator orders is not the script's.
function add.transfer(r, e)
  local state, whom = e.body.state, e.body.whom or ""
  if state == "asked" and r.ordered[whom] then
    r.ordered[whom] = nil
  elseif state == "asked" or state == "refused" then
    table.insert(r.recorded.transfers, { at_ms = e.at_ms, whom = whom, asked = state == "asked" })
  end
  return e.body.state == "failed" and { what = "transfer_fails", why = e.body.why } or nil
end

-- A key that was told later is the one of a moment before.
local function name_key(r, at_ms, key)
  for _, input in ipairs(r.inputs) do
    if input.what == "presses" and math.abs(input.at_ms - at_ms) <= KEY_NEAR_MS then
      input.key = key
    end
  end
end

-- JSON in a text; what was taken out of it when it was kept may have made it something else.
local function answer_of(value)
  local list = type(value) == "string" and json.decode(value) or value
  return type(list) == "table" and list or nil
end

function add.input(r, e)
  local body = e.body
  r.n_facts = r.n_facts + 1
  if body.kind == "cut" or r.n_facts == INPUTS_MAX then
    r.cut_ms = r.cut_ms or e.at_ms
  end
  if body.kind == "cut" then
    return
  elseif body.kind == "key" then
    name_key(r, e.at_ms - (body.ago_ms or 0), body.key)
  elseif body.kind == "silence" then
    return { what = "silent", n = body.n }
  else
    local value = answer_of(body.value)
    table.insert(r.answers, { of = body.kind, ask = body.ask, value = value, cut = body.cut or value == nil or nil })
  end
end

function add.ended(r, e)
  r.last = { at_ms = e.at_ms, what = "ends", reason = e.body.reason }
end

function add.triage(r, e)
  if e.body.state == "open" then
    table.insert(r.recorded.emergencies, e.body.rule)
    table.insert(r.recorded.opened_ms, e.at_ms)
    if r.withheld then
      table.insert(r.recorded.unheard, e.body.rule)
    end
  end
end

function add.text(r, e)
  local direction, id = e.body.direction, e.body.id or ""
  if direction == "out" and not r.texts[id] then
    r.texts[id] = true
    table.insert(r.recorded.texts, { at_ms = e.at_ms, to = e.body.to, kind = e.body.kind, template = e.body.template })
  end
end

local function opened_of(kept)
  for _, e in ipairs(kept.events) do
    if e.type == "opened" then
      return e.body
    end
  end
end

-- Digits, of an older program, or letters: see inputs.lettered.
local function seed_of(opened)
  local digits = tostring(opened.seed):gsub("[a-j]", function(letter)
    return ("%d"):format(letter:byte() - 97)
  end)
  return digits:find "^%d+$" and math.tointeger(tonumber(digits)) or nil
end

-- Each process made a script of its own, with its own seed, and maybe of another version.
local function other_process(kept)
  for _, e in ipairs(kept.events) do
    if e.type == "resumed" and OTHER_PROCESS[e.body.reason] then
      return e.body.reason
    end
  end
end

local function unusable(kept, opened)
  local moved = other_process(kept)
  if kept.words_gone then
    return "what was said in it is not kept any more (its time was over, or the caller was erased)"
  elseif not kept.ended then
    return "it has not ended yet; wait for its end"
  elseif not opened then
    return "it holds no 'opened' fact: it was taken before calls kept what a replay needs, or no script answered it"
  elseif opened.schema ~= SCHEMA then
    return ("it was recorded in schema %s, this program reads %d: %s"):format(tostring(opened.schema), SCHEMA,
      (tonumber(opened.schema) or 0) < SCHEMA and "it is too old to be replayed" or "use a newer one")
  elseif not seed_of(opened) then
    return "the seed of its random numbers is no number"
  elseif moved then
    return ("it went on with another process (%s): that one's script is not kept as this one's is"):format(moved)
  end
end

local function of_kept(kept)
  local opened = opened_of(kept)
  local why = unusable(kept, opened)
  if why then
    return nil, why
  end
  local r = { ringdown_recording = SCHEMA, call = kept.call, agent = kept.agent, version = kept.version,
    from = kept.from or "anonymous", to = kept.to, began_ms = kept.began_ms,
    seed = seed_of(opened), form = opened.form or {}, site = opened.site, routes = opened.routes,
    inputs = json.array {}, answers = json.array {}, tools = {}, texts = {}, ordered = {}, n_facts = 0,
    recorded = { system = kept.system, reason = kept.reason, brief = opened.brief, emergencies = json.array {},
      unheard = json.array {}, opened_ms = json.array {}, texts = json.array {}, transfers = json.array {} } }
  for _, e in ipairs(kept.events) do
    local input = add[e.type] and add[e.type](r, e)
    if input then
      input.at_ms = e.at_ms
      table.insert(r.inputs, input)
    end
  end
  table.insert(r.inputs, r.last)
  r.tools, r.texts, r.started, r.last, r.ordered, r.n_facts, r.withheld = nil, nil, nil, nil, nil, nil, nil
  return r
end

-- What the database keeps has its shape from us; what only looks like it, from whoever wrote the file.
local function kept_or_why(value)
  local good, r, why = pcall(of_kept, value)
  if not good then
    return nil, "its events are not as those of a call are kept; record it again with ringdown replay CALL --to-spec"
  end
  return r, why
end

-- ── a file: it may come from anywhere ───────────────────────────────────────────────────────────
local is = {}

function is.text(value) return type(value) == "string" end
function is.maybe_text(value) return value == nil or type(value) == "string" end
function is.whole(value) return math.type(value) == "integer" end
function is.maybe_whole(value) return value == nil or math.type(value) == "integer" end
function is.maybe_table(value) return value == nil or type(value) == "table" end
function is.key(value) return type(value) == "string" and value:find "^[%dA-D*#]$" ~= nil end
function is.moment(value) return math.type(value) == "integer" and value >= 0 and value <= DAYS_MS end
function is.id(value) return value == nil or type(value) == "string" and value:find "^[%w_-]+$" ~= nil end

function is.maybe_texts(value)
  for key, text in pairs(type(value) == "table" and value or {}) do
    if not is.text(key) and not is.whole(key) or not is.text(text) then
      return false
    end
  end
  return is.maybe_table(value)
end

local WHOLE = { inputs = "maybe_table", agent = "text", began_ms = "whole", seed = "maybe_whole", from = "maybe_text",
  to = "maybe_text", version = "maybe_text", call = "id", form = "maybe_texts", site = "maybe_table",
  routes = "maybe_table", answers = "maybe_table", recorded = "maybe_table", cut_ms = "maybe_whole" }

local INPUTS = { started = {}, hears = { text = "text" }, says = { text = "text" }, presses = { key = "key" },
  silent = { n = "maybe_whole" }, ends = { reason = "maybe_text" }, withheld = { role = "maybe_text" },
  tool = { name = "text", arguments = "text", output = "maybe_text" }, transfer_fails = { why = "maybe_text" } }

local ANSWER = { of = "text", ask = "text", value = "maybe_table" }

local RECORDED = { system = "maybe_text", reason = "maybe_text", brief = "maybe_text", emergencies = "maybe_texts",
  unheard = "maybe_texts", opened_ms = "maybe_table", transfers = "maybe_table" }
local TEXT = { at_ms = "moment", to = "text", kind = "maybe_text", template = "maybe_text" }
local TRANSFER = { at_ms = "moment", whom = "text" }

local SORTS = { text = "a text", maybe_text = "a text", whole = "a whole number", maybe_whole = "a whole number",
  maybe_table = "an object or a list", maybe_texts = "texts", key = "one key", moment = "milliseconds within a week",
  id = "letters and digits" }

local function wrong(value, fields, whose)
  if type(value) ~= "table" then
    return whose .. " is no object"
  end
  local first
  for name, sort in pairs(fields) do
    if not is[sort](value[name]) and (not first or name < first) then
      first = name
    end
  end
  return first and ("%s has a wrong %s: it is to be %s"):format(whose, first, SORTS[fields[first]])
end

local function wrong_in(list, fields, whose)
  for i, item in ipairs(type(list) == "table" and list or {}) do
    local why = wrong(item, fields, ("its %s %d"):format(whose, i))
    if why then
      return why
    end
  end
end

local function wrong_input(r)
  for i, input in ipairs(r.inputs) do
    local whose = ("its input %d"):format(i)
    if type(input) ~= "table" or not is.text(input.what) or not is.moment(input.at_ms) then
      return whose .. " has no what, or no at_ms in milliseconds within a week"
    elseif not INPUTS[input.what] then
      return ("%s is one that this program does not know (%s); use a newer one"):format(whose, input.what)
    end
    local why = wrong(input, INPUTS[input.what], ("%s (%s)"):format(whose, input.what))
    if why then
      return why
    end
  end
end

local function wrong_record(recorded)
  local texts = type(recorded.texts) == "number" and {} or recorded.texts
  return wrong(recorded, RECORDED, "its recorded") or not is.maybe_table(texts) and "its recorded.texts is no list"
    or wrong_in(texts, TEXT, "recorded text") or wrong_in(recorded.transfers, TRANSFER, "recorded transfer")
end

local function check_file(r)
  if r.ringdown_recording ~= SCHEMA then
    return nil, ("it is a recording of schema %s, this program reads %d; record it again with ringdown replay CALL "
      .. "--to-spec"):format(tostring(r.ringdown_recording), SCHEMA)
  elseif type(r.inputs) ~= "table" or type(r.agent) ~= "string" or math.type(r.began_ms) ~= "integer" then
    return nil, "it has no agent, began_ms or inputs; record it again with ringdown replay CALL --to-spec"
  end
  local why = wrong(r, WHOLE, "it") or wrong_input(r) or wrong_in(r.answers, ANSWER, "answer")
    or wrong_record(r.recorded or {})
  if why then
    return nil, why
  end
  r.form, r.answers, r.recorded = r.form or {}, r.answers or {}, r.recorded or {}
  r.call, r.version = r.call or "CA00000000000000000000000000000001", r.version or ""
  r.from = r.from or "anonymous"
  return r
end

---@param text string JSON, of either kind
---@return ringdown.recording?
---@return string? why not
function M.read(text)
  local value, why = json.decode(text)
  if type(value) ~= "table" then
    return nil, why and "it is no JSON: " .. why or "there is no such call; ringdown calls --kept lists them"
  elseif value.events then
    return kept_or_why(value)
  end
  return check_file(value)
end

---@param path string
---@return ringdown.recording?
---@return string? why not
function M.load(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local text = file:read("a")
  file:close()
  return M.read(text)
end

return M
