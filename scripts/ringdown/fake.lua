-- SPDX-License-Identifier: Apache-2.0
-- fake: a call without a phone, for specs.
--
--   local call = fake.call { agent = "northside-plumbing", from = "+13125550142" }
--   assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "09:00" }).booked)
local fake_host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or fake_host

local agents = require "ringdown.agent"
local boxed = require "ringdown.fake.boxed"
local clock = require "ringdown.fake.clock"
local complaints = require "ringdown.complaints"
local fake_http = require "ringdown.fake.http"
local json = require "ringdown.json"
local sessions = require "ringdown.session"
local time = require "ringdown.time"

local M = {}

local DEFAULT_FROM, CALL_ID = "+13125550142", "CA00000000000000000000000000000001"

local wanted_database = {} -- what the next call finds there, each a function that puts it in
local wanted_now -- "2026-11-24 02:10", in the zone of the next call's agent

---Sets the clock, in the time zone of the agent, or of the site that the call is for.
---@param text string "2026-11-24 02:10"
function M.now(text)
  wanted_now = text
end

---What the database answers, for the next call: `part` is a piece of the library's SQL.
---@param part string
---@param answer table|fun(params: table): table?, string?, string? rows, each a list; or nil, why, SQLSTATE
function M.query(part, answer)
  wanted_database[#wanted_database + 1] = function()
    fake_host.query_handlers[#fake_host.query_handlers + 1] = { part = part, answer = answer }
  end
end

---Somebody has answered STOP to the agent's texts; for the next call.
---@param number string
function M.opted_out(number)
  wanted_database[#wanted_database + 1] = function()
    require("ringdown.fake.texts").opt_out(number)
  end
end

---A customer who is known when the next call begins.
---@param customer { number: string, name: string?, email: string?, facts: table? }
function M.customer(customer)
  wanted_database[#wanted_database + 1] = function()
    require("ringdown.fake.database").add_customer(customer)
  end
end

---Somebody has this time already, when the next call begins; in the agent's zone.
---@param visit { from: string, to: string, resource: string? } from = "2026-11-24 09:00"
function M.booked(visit)
  wanted_database[#wanted_database + 1] = function(zone)
    require("ringdown.fake.database").add_appointment { resource = visit.resource or "default",
      from = time.unix_of(zone, visit.from), to = time.unix_of(zone, visit.to) }
  end
end

---What ringdown.db answers, for the next call: `part` is a piece of the agent's SQL.
---@param part string
---@param rows table[]|fun(params: table): table[]?, string?, string? each row a table by column; or nil, why, SQLSTATE
function M.db(part, rows)
  wanted_database[#wanted_database + 1] = function()
    fake_host.db_handlers[#fake_host.db_handlers + 1] = { part = part, answer = rows }
  end
end

---The database does not answer from now on, until the next call begins.
function M.database_down()
  fake_host.database_down = "the database does not answer"
end

---What the agent's hosts answer: fake.http { ["GET https://api.example.com/eta"] = { json = { minutes = 35 } } }.
---The query is not part of the key. Replaces what was there, and brings every host up again.
---@param answers table<string, ringdown.fake.answer|ringdown.fake.answer[]>
function M.http(answers)
  fake_http.set(answers)
end

---Nobody answers at this host, until fake.http is called again.
---@param host string "api.example.com"
function M.http_down(host)
  fake_http.set_down(host)
end

---Which secrets have a value; all that the agent needs, unless said otherwise: fake.secret { API_KEY = false }.
---@param given table<string, boolean>
function M.secret(given)
  fake_http.set_secrets(given)
end

-- Every call gets the agent anew, as in a VM of its own: nothing leaks from spec to spec.
local function load_agent(name)
  local before = {}
  for module in pairs(package.loaded) do
    before[module] = true
  end
  package.loaded[name] = nil
  complaints.start(name)
  require("ringdown.secret").begin() -- tools of calls before this one have used theirs
  local ok, def = pcall(require, name)
  for module in pairs(package.loaded) do
    if not before[module] and not module:match("^ringdown%.") then
      package.loaded[module] = nil
    end
  end
  package.loaded[name] = nil
  if not ok then
    error(def, 0)
  elseif complaints.any() then
    error(complaints.text(), 0)
  elseif not agents.is(def) then
    error(name .. " does not end in: return agent { … }", 0)
  end
  return def
end
M.load = load_agent

---@class ringdown.fake.call
---@field vars table call.vars
---@field visit ringdown.visit? what was booked
---@field said string[] what call:say said
---@field hung_up string? the reason, once the script hung up
---@field requests table[] what the agent's hosts were asked: method, url, header, body
---@field paused boolean is what the caller says kept from the model, transcript and recording?
---@field broken string? the fence that the agent broke ("time", "memory"…), which ends a live call; in `ringdown test`
---@field system string where routing sent it
---@field reason string why
---@field decision ringdown.routing.decision all about it
---@field brief table what the provider was told
---@field log table[] lines of call:log
---@field emergencies string[] ids of the rules that were acted on
---@field transferred_to string? whom the script had the caller transferred to; nil while the caller is here
---@field texts { to: string, body: string, template: string? }[] what Twilio was asked to send
local call = {}
call.__index = function(self, key)
  if key == "said" then
    return fake_host.said
  elseif key == "log" then
    return fake_host.log_lines
  elseif key == "requests" then
    return fake_http.requests
  elseif key == "texts" then
    return require("ringdown.fake.texts").list(fake_host.facts)
  elseif key == "paused" then
    return fake_host.paused
  elseif key == "visit" then
    return rawget(self, "session").call.visit
  elseif key == "vars" then
    return rawget(self, "session").call.vars
  elseif key == "emergencies" then
    return rawget(self, "desk") and self.desk.emergencies or {}
  elseif key == "transferred_to" then
    local desk = rawget(self, "desk")
    return desk and desk.transferred_to or rawget(self, "tool_transfers_to")
      or fake_host.transfers[#fake_host.transfers]
  elseif key == "broken" then
    return rawget(self, "session").broken
  elseif key == "hung_up" then
    return rawget(self, "tool_hung_up") or fake_host.hung_up
  end
  return call[key]
end

---@class ringdown.fake.call.opts
---@field agent string|table name of a file in agents/, or what `agent { … }` returned
---@field from string? caller's number; "anonymous" for a withheld one
---@field name string? of the caller
---@field form table<string, string>? more of the carrier's form
---@field site table? the site of the number, as `sites import` reads it: { id = "lakeview", name = "…", … }
---@field routes ringdown.routing.known? what the node knows about where calls go: a rollout, the force switch…
---@field recording table? of the library: a recorded call
---@field version string? of the library: where the sandbox finds the agent

---Opens a call: routing is decided and the brief rendered, as at the webhook.
---@param opts ringdown.fake.call.opts
---@return ringdown.fake.call
function M.call(opts)
  fake_host.reset()
  require("ringdown.fake.database").reset()
  fake_host.twilio_replies = {} -- it can be asked
  local def, sandbox = opts.agent, nil
  local recording = opts.recording
  if opts.version then
    sandbox = boxed.open(def, opts.version)
    def = sandbox:outline(def, recording.to)
  elseif type(def) == "string" then
    sandbox = boxed.open(def) -- first: it has fences
    def = load_agent(def)
  end
  fake_http.begin(def.needs)
  fake_host.site_text = opts.site and json.encode(opts.site)
  local theirs = opts.site and opts.site.time_zone
  local zone = theirs and time.zone(theirs) and theirs or def.time_zone
  if wanted_now then
    local unix = time.unix_of(zone, wanted_now)
    if not unix then
      error(('fake.now: "%s" is no time; write it like "2026-11-24 02:10"'):format(wanted_now), 2)
    end
    fake_host.set_unix(unix)
  end
  for _, put in ipairs(wanted_database) do
    put(zone)
  end
  wanted_database = {}
  if recording then
    require("ringdown.replay.play").prepare(recording)
  end
  local form = { CallSid = recording and recording.call or CALL_ID, From = opts.from or DEFAULT_FROM,
    CallerName = opts.name, To = recording and recording.to or def.numbers[1] }
  for key, value in pairs(opts.form or {}) do
    form[key] = value
  end
  local routes = recording and recording.routes or opts.routes
  local session = sandbox and sandbox:begin(def, form, opts.site, recording and recording.seed, routes)
    or sessions.new(def, form, opts.site)
  local self = setmetatable({ def = def, form = form, session = session }, call)
  if #def.emergencies > 0 then
    self.desk = require("ringdown.fake.desk").new(self)
  end
  self.session:know_caller()
  self.system, self.reason, self.assistant, self.decision = self.session:route(routes)
  if self.session:runs_here(self.system) then
    self.brief = self.session:brief()
  end
  return self
end

---The model calls a tool. Returns what it gets back; what the script raised becomes the tool's `failed`
---answer, and `raised` tells the error.
---@param name string
---@param args table|string|nil a table, or the model's own JSON
---@return table output
---@return string? raised
function call:tool(name, args)
  local text = type(args) == "string" and args or json.encode(args or {})
  fake_host.failed_output = nil
  local ok, output, go_on, hang_up, whom = clock.within(self.session.tool, self.session, name, text)
  if not ok then
    local raised = output
    return json.decode(fake_host.failed_output or '{"failed":true}'), raised
  end
  self.goes_on = go_on
  self.tool_hung_up = hang_up or self.tool_hung_up
  self.tool_transfers_to = whom or self.tool_transfers_to
  return json.decode(output)
end

-- What the triage desk does beside the agent. The errand of a match begins, and nobody answers yet.
function call:to_desk(what, ...)
  if rawget(self, "desk") then
    return self.desk[what](self.desk, ...)
  end
end

---The caller says something.
---@param text string
function call:hears(text)
  self:to_desk("hear", text)
  self.session:event("utterance", text, 0)
end

---The caller hears the agent say something.
---@param text string
function call:says(text)
  self.session:event("said", text, 0)
end

---The caller presses keys.
---@param digits string
function call:presses(digits)
  for digit in digits:gmatch(".") do
    self.session:event("dtmf", digit, 0)
  end
end

---Nobody says a word, for the nth time in a row.
---@param times integer?
function call:falls_silent(times)
  self.session:event("silence", "", times or 1)
end

---The caller is connected to the model.
function call:starts()
  self.session:event("started", "", 0)
end

---Somebody wants the caller to be handed over to this person or number.
---@param to string
---@return boolean asked
---@return string? why not
---@return boolean? unknown
function call:transfer(to)
  return self.session:transfer(to)
end

-- The carrier dials, and tells what came of it.
local function dial_ends(self, status)
  local whom = self.transferred_to or error("nobody was asked to take the caller", 3)
  if not self.session.away then
    local replies = fake_host.twilio_replies
    fake_host.twilio_replies = replies and next(replies) and replies or {
      ["POST Calls/" .. self.session.call.id .. ".json"] = {},
    }
    assert(self.session:transfer(whom))
    fake_host.twilio_replies = replies
  end
  local how, document, brief = self.session:resume("resume",
    { DialCallStatus = status, attempt = self.session.away.attempt }, true)
  self.document = document
  return how, brief
end

---Nobody takes the caller: busy, no answer… With numbers that ring in turn the next one rings. Else the
---caller is back: `brief` is the one of the model that takes over, and the agent's hook runs.
---@param status "busy"|"no-answer"|"failed"|"canceled"|nil
---@return "stream"|"twiml" how the call goes on
function call:transfer_fails(status)
  local how, brief = dial_ends(self, status or "no-answer")
  if how == "stream" then
    self.brief, self.tool_transfers_to, fake_host.transfers = brief, nil, {}
    self.session:event("transfer_failed", "", 0)
  end
  return how
end

---Somebody took the caller, and now they have hung up.
---@return "hang_up" how the call goes on
function call:transfer_answered()
  return (dial_ends(self, "completed"))
end

---Nobody took the call: it is answered by a text, or not.
---@param why "gave_up"|"not_answered"|"no_capacity"|"script_failed"|nil
---@param o { ms: integer?, verstat: string? }? how long it was, what the carriers say about the number
function call:is_missed(why, o)
  o = o or {}
  require("ringdown.errand").run(self.def, "missed", json.encode {
    call = self.session.call.id, from = self.form.From, to = self.form.To, why = why or "gave_up", ms = o.ms or 6000,
    verstat = o.verstat, since_us = time.unix() * 1000000,
  })
end

---The caller texts the agent's number.
---@param body string
---@param id string? the same again is the same text
function call:texts_back(body, id)
  self.n_texts = (self.n_texts or 0) + 1
  require("ringdown.errand").run(self.def, "text_in", json.encode {
    id = id or ("SM%032d"):format(self.n_texts), from = self.form.From, to = self.form.To, body = body, media = 0,
  })
end

---What happened then in a call of fake.recorded: the caller's words, keys, the model's tool calls, the end.
function call:goes_on()
  require("ringdown.replay.play").rest(self)
end

---The call is over.
---@param reason string?
function call:ends(reason)
  fake_host.ended = true
  self.session:ended(reason or "caller_hangup")
end

---A call that was recorded, opened as it was then: who called, when, and what hosts and database answered. Then
---call:goes_on() plays the rest. `ringdown replay CALL --to-spec` writes such files.
---@param name string of a file beside the spec: "gas-leak.json"
---@param opts { agent: string|table|nil }? another agent than the one that took the call
---@return ringdown.fake.call
function M.recorded(name, opts)
  local folder = debug.getinfo(2, "S").source:match("^@(.*/)") or ""
  local recording, why = require("ringdown.replay.recording").load(folder .. name)
  if not recording then
    error(("fake.recorded: %s: %s"):format(name, why), 2)
  end
  local self = M.call { agent = opts and opts.agent or recording.agent, from = recording.from, form = recording.form,
    site = recording.site, recording = recording }
  self.recording = recording
  return self
end

return M
