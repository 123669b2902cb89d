-- SPDX-License-Identifier: Apache-2.0
-- fake.host: ringdown.host for specs: no runtime, no network, no clock but the one a spec sets. Here is what every
-- script has; the parts are below.
local M = require "ringdown.fake.host_base"
require "ringdown.fake.host_database"
require "ringdown.fake.host_outside"
require "ringdown.fake.host_errand"
require "ringdown.fake.host_operation"

M.on_reset(function()
  ---What the code under test did, newest last.
  M.said, M.log_lines, M.transfers = {}, {}, {}
  M.hung_up, M.paused, M.ended = nil, false, false
  ---What was told to be kept, newest last: { type = "triage", … }.
  M.facts = {}
  ---Set to a text: the journal takes nothing, for this reason. How often it was waited for.
  M.not_durable, M.barriers = nil, 0
  ---Of a call that is replayed: what "query", "db" or "http" was answered then; nil when that is not known.
  M.recorded = nil ---@type nil|fun(of: string, ...: any): table?
end)

M.on_reset(require("ringdown.fake.texts").reset)

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

function M.file(name)
  if name:find("..", 1, true) or name:sub(1, 1) == "/" then
    return nil, "must be a file below the agents' folder"
  end
  local text = read((os.getenv("RINGDOWN_AGENTS") or "agents") .. "/" .. name)
  return text, not text and "no such file or directory" or nil
end

function M.shown(module)
  local path = package.searchpath(module, package.path)
  return path and path:gsub("^%./", "") or module
end

function M.source(module)
  local path = package.searchpath(module, package.path)
  return path and read(path) or ""
end

function M.zone(name)
  return name:match("^[%w_+/-]+$") and read("/usr/share/zoneinfo/" .. name) or nil
end

function M.where()
  for level = 2, 40 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    end
    local library = info.source:find("scripts/ringdown/", 1, true) or info.source:find("busted", 1, true)
    if info.what ~= "C" and info.source:sub(1, 1) == "@" and not library then
      return info.source:sub(2):gsub("^%./", ""), info.currentline
    end
  end
end

function M.log(level, event, fields)
  M.log_lines[#M.log_lines + 1] = { level = level, event = event, fields = fields }
end

function M.durable()
  M.barriers = (M.barriers or 0) + 1
  if M.not_durable then
    return nil, M.not_durable
  end
  return true
end

---@return boolean
function M.fact(type, text)
  local fact = require("ringdown.json").decode(text)
  fact.type = type
  M.facts[#M.facts + 1] = fact
  return true
end

function M.agent()
  return require("ringdown.current").def.name
end

-- ── the call ────────────────────────────────────────────────────────────────────────────────────────
function M.say(words)
  if M.ended then
    return nil, "the call is over"
  end
  M.said[#M.said + 1] = words
  return true
end

function M.hang_up(reason)
  if M.ended then
    return nil, "the call is over"
  end
  M.hung_up = reason
  return true
end

function M.transfer(to)
  if M.ended then
    return nil, "the call is over"
  end
  M.transfers[#M.transfers + 1] = to
  return true
end

function M.pause(on)
  if M.ended then
    return nil, "the call is over"
  end
  M.paused = on
  return true
end

function M.resume_url()
  return "https://calls.example.com/twilio/resume"
end

-- ── secrets that are none ───────────────────────────────────────────────────────────────────────────
---No real digest; equal for equal texts all the same.
function M.digest(text)
  return ("%08x"):format(require("ringdown.rollout").fnv1a32(text)):rep(8)
end

---No real HMAC; it differs as one does.
function M.hmac(key, text)
  return M.digest(key .. "\0" .. text)
end

---Not the runtime's: that one has a key.
function M.number_hash(number)
  local digits = number:gsub("%D", "")
  return ("0"):rep(64 - #digits) .. digits
end

return M
