-- SPDX-License-Identifier: Apache-2.0
-- agent: an agent's file ends in `return agent { … }`. Everything in it is checked when it loads, all mistakes
-- are told at once, and what does nothing yet is refused rather than ignored. Each call then runs the file again for
-- its functions alone: whatever else it says is what it said when it loaded.
local host = require "ringdown.host"

-- The checks are in agent_check.lua, what they leave for calls is written by definition.lua.

---@alias ringdown.hook
---| "started" # (call): the caller is connected
---| "utterance" # (call, text): what the caller said
---| "said" # (call, text): what the caller heard the agent say
---| "dtmf" # (call, key): a key was pressed
---| "silence" # (call, n): nobody said anything, for the nth time in a row
---| "booked" # (call, visit): book_appointment booked something
---| "sms" # (call, text): a text came, not of one of its people; call:reply("…") answers it, once
---| "transfer_failed" # (call, whom, why): the caller is back, nobody took them
---| "ended" # (call, reason): it is over
---@alias ringdown.words string|table<string, string> a text, or one per language

---@class ringdown.openai
---@field api "realtime"|"live"? which API of OpenAI; "realtime" if left out. "live" is GPT-Live, and experimental:
---  without `audio`, `context` and `vad`
---@field backend string? with api = "live": the model that thinks and calls tools; "gpt-5.5" if left out
---@field model string? a Realtime model; the setting openai.model if left out. With api = "live": "gpt-live-1.1"
---@field voice string? "marin" if left out
---@field audio "pcmu"|"pcm"? what the model hears and speaks: "pcmu", as the telephone, if left out; "pcm", 16 bits at
---  24 kHz, for a model that needs it
---@field context integer? tokens of a long conversation that the model keeps, 4000 to 60000
---@field vad { silence: string?, threshold: number? }? when a caller has finished: "500ms" of silence, 0.5

---@class ringdown.vapi
---@field assistant string its id at Vapi
---@field route "redirect"|"bypass"|"bridge"? how a call gets there; "redirect" if left out
---@field tools "server"|"line"? of a bridged call: at their server, or, where they have none, here
---@field no_triage "accepted"? nobody here searches for emergencies in what is said there, and that is meant

---@class ringdown.agent.spec
---@field name string as the file is called
---@field numbers string[]? the phone numbers it answers, "+13125550100"
---@field time_zone string? "America/Chicago"; "UTC" if left out
---@field languages string[]? ISO 639-1, the first is spoken first; { "en" } if left out
---@field hours table<string, string|string[]>? { mon_fri = "08:00-17:00", closed = { "2026-12-25" } }
---@field people table<string, string|string[]>? name → number or numbers; calls fall back to office, then on_call
---@field needs { hosts: string[]?, secrets: string[]?, tables: table? }? which hosts it asks, with which credentials,
---  and which tables it uses: { tables = { "price_list", visits = "write" } }
---@field vars table<string, any>? what call.vars may hold, with first values
---@field openai ringdown.openai? its model at OpenAI, where that is not the usual one
---@field vapi ringdown.vapi? its assistant at Vapi, if calls may run there; emergencies are recognised there only with
---  its transcripts, or over our own line (docs/vapi.md)
---@field emergencies ringdown.emergency[]? rules that recognise an emergency in what callers say
---@field notice { ai: boolean?, recording: boolean?, text: ringdown.words? }? spoken before the greeting: that it is
---  automated, that it is recorded, or words of your own. Nothing that is said is kept before it was heard
---@field record boolean? keep the sound of its calls; needs notice = { recording = true }
---@field keep { transcripts: string?, recordings: string? }? how long, "90d"; for good if left out
---@field limits { calls: integer? }? how many calls it takes at once
---@field budget { day: number?, call: number? }? dollars that all its calls of a day, and one call, may cost
---@field greeting ringdown.words spoken first
---@field prompt string|ringdown.file what the model is told; may hold {{caller.number}} and so on
---@field tools ringdown.tool[]? what it may do
---@field silence { after: string?, times: integer?, say: ringdown.words?, bye: ringdown.words? }? how long nobody
---  may say anything, how often it asks whether they are there, and its words
---@field max_call string|{ after: string, say: ringdown.words? }? the longest call: "15m"; 30 minutes if left out
---@field moment ringdown.words? spoken when an answer is late; "One moment, please." if left out
---@field apology ringdown.words? spoken when something broke
---@field sms ringdown.sms.spec? the texts it may send, by name
---@field resumed ringdown.words? spoken to a caller whose line was interrupted and who is back
---@field unanswered ringdown.words? spoken to a caller who comes back because nobody took the transfer
---@field countries string[]? where its people may be called, { "US", "CA" }; those of its numbers if left out
---@field on table<ringdown.hook, fun(call: ringdown.call, what: any, more: any)>? what it does when
---  something happens
---@field routing ringdown.routing? which system its calls run on; nil: the only one there is, else openai
---@field failover boolean? may the other system take a call that one cannot take now? true where it has both
---@field verify ringdown.verify? how a caller shows who they are, for tools with `verify`

---@class ringdown.file a text beside the agent's file
---@field name string
---@field text string

local M = {}

-- What few calls look at is read when one does.
local mark = {
  __name = "ringdown.agent",
  __index = function(def, key)
    local apart = rawget(def, "apart")
    local text = apart and apart[key] and host.file("ringdown.def." .. key)
    if text then
      def[key] = require("ringdown.json").decode(text)
    end
    return rawget(def, key)
  end,
}

-- In a call the text is in the definition already; whoever wants it here reads it here.
local file_mark = {
  __name = "ringdown.file",
  __index = function(file, key)
    return key == "text" and host.file(rawget(file, "name")) or nil
  end,
}

---The text of a file in the agents' folder, for `prompt`.
---@param name string "northside-plumbing.md"
---@return ringdown.file
function M.file(name)
  local file = setmetatable({ name = tostring(name) }, file_mark)
  if host.loading then
    require("ringdown.agent_check").read_file(file)
  end
  return file
end

---@return boolean
function M.is_file(value)
  return getmetatable(value) == file_mark
end

---@return boolean
function M.is(value)
  return getmetatable(value) == mark
end

-- A file may look at whatever it likes; but what it declares is the same each time.
local function differs(n)
  error(("agent: tool %d is not the one it was when the file was loaded; declare the same tools each time")
    :format(n), 0)
end

local function take_tools(def, given)
  for i, t in ipairs(def.tools) do
    local own = given and given[i]
    if t.later then
      t.run = require("ringdown.tool").later(t.later.module, t.later.name, t.later.config)
    elseif not own or own.name ~= t.name then
      differs(i)
    else
      t.run, t.verify = own.run, t.verify or own.verify
    end
  end
end

-- What is no plain data comes from the file.
local function define_in_call(spec)
  local def = require "ringdown.def"
  def.on = spec.on or {}
  def.routing = def.routing or spec.routing
  if def.verify then
    def.verify.check = spec.verify.check
  end
  take_tools(def, spec.tools)
  return def
end

---@overload fun(spec: ringdown.agent.spec): table
return setmetatable(M, {
  ---Declares an agent; its file ends in `return agent { … }`. Mistakes are told when it is loaded, all at once.
  ---@param spec ringdown.agent.spec
  ---@return table agent
  __call = function(_, spec)
    local def
    if host.loading then
      def = require("ringdown.agent_check").define(spec) -- not a tail call: its line would be lost
    else
      def = define_in_call(spec)
    end
    return setmetatable(def, mark)
  end,
})
