-- SPDX-License-Identifier: Apache-2.0
-- fake.boxed: the session of a call whose agent runs in the sandbox of a live call: what `ringdown test` gives to
-- fake.call instead of a session of its own VM.
--
--   spec's VM: fake.call ── tool, event, … ──▶ sandbox: ringdown.runtime ── host.say … ──▶ spec's VM: fake.host
local current = require "ringdown.current"
local fake_host = require "ringdown.fake.host"
local json = require "ringdown.json"

local M = {}

---@class ringdown.fake.boxed
---@field private box ringdown.box
---@field broken string? the fence that the agent broke; from then on nothing of it runs
local session = {}

-- What a session has, as the sandbox tells it now. Plain data: what a spec writes into it stays with the spec.
session.__index = function(self, key)
  local own = session[key]
  if own ~= nil or key == "broken" then
    return own
  end
  return self.box:ask("look")[key]
end

-- A broken fence ends the sandbox, as it would end the call.
local function ask(self, name, ...)
  local answer = table.pack(pcall(self.box.ask, self.box, name, ...))
  if answer[1] then
    return table.unpack(answer, 2, answer.n)
  end
  rawset(self, "broken", self.box:broken())
  error(answer[2], 0)
end

---The agent's sandbox; raises the mistakes in its file.
---@param agent string
---@param version string? of several folders of agents, the one that was offered by this name
---@return ringdown.fake.boxed? session nil: there are sandboxes only inside `ringdown test`
function M.open(agent, version)
  local there, boxes = pcall(require, "ringdown.box")
  return there and setmetatable({ box = boxes.open(agent, fake_host, version) }, session) or nil
end

---As much of the agent's definition as is known without running its file here.
---@param name string
---@param number string?
---@return table
function session:outline(name, number)
  local about = self.box:about()
  return { name = name, version = about.version, needs = about.needs, numbers = { number },
    rules = about.rules, emergencies = about.rules and { true } or {} }
end

---The call comes in.
---@param def table the agent as the spec's own VM sees it: whose the fake host's answers are
---@param form table<string, string>
---@param site table?
---@param seed integer?
---@param routes ringdown.routing.known?
---@return ringdown.fake.boxed
function session:begin(def, form, site, seed, routes)
  current.enter { def = def }
  local system, reason, assistant, brief, _, decision = ask(self, "open", self.box:module(), json.encode(form),
    site and json.encode(site), nil, seed, routes and json.encode(routes))
  rawset(self, "decided", { system, reason, assistant, decision and json.decode(decision) })
  rawset(self, "briefed", brief ~= "" and json.decode(brief) or nil)
  return self
end

function session:route()
  return table.unpack(self.decided)
end

function session:runs_here()
  return self.briefed ~= nil
end

function session:brief()
  return self.briefed
end

-- Who calls was looked up when the sandbox opened the call.
function session:know_caller() end

function session:tool(name, arguments)
  return ask(self, "tool", name, arguments)
end

function session:event(event, text, number)
  ask(self, "event", event, text, number)
end

function session:transfer(to)
  return ask(self, "transfer", to)
end

function session:resume(kind, form, noticed)
  local how, document, brief, whom, why = ask(self, "resume", kind, json.encode(form), noticed)
  return how, document, brief ~= "" and json.decode(brief) or nil, whom, why
end

function session:ended(reason)
  ask(self, "ended", reason)
end

---An emergency begins in the sandbox.
---@param payload table
---@return string? whom of the agent's people the caller is handed over to
function session:emergency(payload)
  return ask(self, "emergency_begins", self.box:module(), json.encode(payload))
end

---Nothing is asked of it any more.
function session:close()
  self.box:close()
end

return M
