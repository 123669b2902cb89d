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

---@class ringdown.recording
---@field call string
---@field agent string
---@field version string
---@field began_ms integer when the call began, since 1970
---@field inputs table[] { at_ms, what, … }
---@field answers table[] { of, ask, value }

local add = {}

function add.state(r, e)
  if e.body.state == "live" and not r.started then
    r.started = true
    return { what = "started" }
  end
end

function add.turn(_, e)
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

function add.transfer(_, e)
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

function add.input(r, e)
  local body = e.body
  if body.kind == "key" then
    name_key(r, e.at_ms - (body.ago_ms or 0), body.key)
  elseif body.kind == "silence" then
    return { what = "silent", n = body.n }
  else
    table.insert(r.answers, { of = body.kind, ask = body.ask, value = body.value, cut = body.cut })
  end
end

function add.ended(r, e)
  r.last = { at_ms = e.at_ms, what = "ends", reason = e.body.reason }
end

function add.triage(r, e)
  if e.body.state == "open" then
    table.insert(r.recorded.emergencies, e.body.rule)
  end
end

function add.text(r, e)
  local direction, id = e.body.direction, e.body.id or ""
  if direction == "out" and not r.texts[id] then
    r.texts[id] = true
    r.recorded.texts = r.recorded.texts + 1
  end
end

local function opened_of(kept)
  for _, e in ipairs(kept.events) do
    if e.type == "opened" then
      return e.body
    end
  end
end

local function unusable(kept, opened)
  if kept.words_gone then
    return "what was said in it is not kept any more (its time was over, or the caller was erased)"
  elseif not kept.ended then
    return "it has not ended yet; wait for its end"
  elseif not opened then
    return "it holds no 'opened' fact: it was taken before calls kept what a replay needs, or no script answered it"
  elseif opened.schema ~= SCHEMA then
    return ("it was recorded in schema %s, this program reads %d: %s"):format(tostring(opened.schema), SCHEMA,
      (tonumber(opened.schema) or 0) < SCHEMA and "it is too old to be replayed" or "use a newer one")
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
    seed = math.tointeger(tonumber(opened.seed)), form = opened.form or {}, site = opened.site,
    inputs = json.array {}, answers = json.array {}, tools = {}, texts = {},
    recorded = { system = kept.system, reason = kept.reason, brief = opened.brief, emergencies = json.array {},
      texts = 0 } }
  for _, e in ipairs(kept.events) do
    local input = add[e.type] and add[e.type](r, e)
    if input then
      input.at_ms = e.at_ms
      table.insert(r.inputs, input)
    end
  end
  table.insert(r.inputs, r.last)
  r.tools, r.texts, r.started, r.last = nil, nil, nil, nil
  return r
end

-- A file may come from anywhere.
local function check_file(r)
  if r.ringdown_recording ~= SCHEMA then
    return nil, ("it is a recording of schema %s, this program reads %d; record it again with ringdown replay CALL "
      .. "--to-spec"):format(tostring(r.ringdown_recording), SCHEMA)
  elseif type(r.inputs) ~= "table" or type(r.agent) ~= "string" or math.type(r.began_ms) ~= "integer" then
    return nil, "it has no agent, began_ms or inputs; record it again with ringdown replay CALL --to-spec"
  end
  for i, input in ipairs(r.inputs) do
    if type(input) ~= "table" or type(input.what) ~= "string" or math.type(input.at_ms) ~= "integer" then
      return nil, ("its input %d has no what or at_ms"):format(i)
    end
  end
  r.form, r.answers, r.recorded = r.form or {}, r.answers or {}, r.recorded or {}
  r.call, r.version = r.call or "CA00000000000000000000000000000001", r.version or ""
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
    return of_kept(value)
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
