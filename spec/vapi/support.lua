-- SPDX-License-Identifier: Apache-2.0
-- What specs about webhooks of Vapi share: an agent, a call that Vapi has, a database that remembers its writes.
local agent = require "ringdown.agent"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local tool = require "ringdown.tool"

local M = { SID = "CA00000000000000000000000000000001", ID = "8f2c1d7e-1111-4222-8333-444455556666",
  CONTROL = "https://control.vapi.ai/8f2c/control", CALLER = "+13125550142", OURS = "+13125550100" }

---How often the write of the agent ran.
M.booked = 0

local function tools()
  return {
    tool { name = "eta", about = "Minutes.", effect = "read", failed = "Say that we will text the time.",
      args = { zip = { type = "string", about = "ZIP", pattern = "^%d+$" } },
      run = function(_, args)
        if args.zip == "00000" then
          error "the map is down"
        end
        return { minutes = 35, note = "two\nlines" }
      end },
    tool { name = "book", about = "Books.", effect = "write", failed = "Say that it failed.",
      args = { time = { type = "string", about = "When." } },
      run = function(call, args)
        if args.time == "never" then
          return nil, "closed"
        end
        M.booked = M.booked + 1
        call.vars.visits = call.vars.visits + 1
        return { number = M.booked }
      end },
    require "ringdown.tools".transfer_call { to = { "office" } },
    require "ringdown.tools".end_call,
  }
end

---@param more table?
function M.agent(more)
  local def = {
    name = "books", numbers = { M.OURS }, greeting = "Hello.", prompt = "You book.", languages = { "en" },
    people = { office = "+13125550101", on_call = { "+13125550188", "+13125550189" } }, vars = { visits = 0 },
    openai = {}, vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }, tools = tools(),
    emergencies = { { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, unless = { "gas bill" },
      say = { en = "Leave the building now, then call 911." }, transfer = "on_call",
      text = { to = "on_call", body = "GAS LEAK" } } },
  }
  for key, value in pairs(more or {}) do
    def[key] = value
  end
  return agent(def)
end

local originals = {}

---Before each: a host that nobody has taken over, and a database with one call.
function M.begin()
  for name, value in pairs(originals) do
    host[name] = value
  end
  host.reset()
  M.booked, M.writes, M.memory, M.held = 0, {}, { vars = {}, history = {} }, nil
  for name, value in pairs(host) do
    if type(value) == "function" then
      originals[name] = value
    end
  end
  local handlers = host.query_handlers
  local function handle(part, answer)
    handlers[#handlers + 1] = { part = part, answer = answer }
  end
  handle("vapi_call_memory", function()
    return { { json.encode(M.memory) } }
  end)
  handle("vapi_call_open", function(params)
    if M.held and M.held ~= params[2] then
      return { { false } }
    end
    M.held = params[2]
    return { { json.encode { memory = M.memory } } }
  end)
  handle("vapi_call_close", function(params)
    M.held = M.held ~= params[2] and M.held or nil
    return {}
  end)
  handle("vapi_write_begin", function(params)
    local known = M.writes[params[2]]
    M.writes[params[2]] = known or { output = false }
    return { { known and "f" or "t", known and known.output or false } }
  end)
  handle("output from vapi_writes", function(params)
    local known = M.writes[params[2]]
    return known and { { known.output } } or {}
  end)
  handle("vapi_write_end", function(params)
    M.writes[params[2]] = params[3] and { output = params[3] } or nil
    return {}
  end)
  handle("vapi_call_state", function(params)
    M.memory.state = json.decode(params[2])
    return {}
  end)
end

---After each: the same.
M.finish = M.begin

---@param more table?
function M.payload(more)
  local p = { call = M.SID, vapi_id = M.ID, control = M.CONTROL, from = M.CALLER, to = M.OURS }
  for key, value in pairs(more or {}) do
    p[key] = value
  end
  return p
end

return M
