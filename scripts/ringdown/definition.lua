-- SPDX-License-Identifier: Apache-2.0
-- definition: what a call needs of an agent besides its functions. It is made once, when the agent was checked; each
-- call's VM takes it and need not check anything again.
--
-- ringdown.def is a module. What is needed once or seldom stays outside of the VM, as texts in JSON:
--   ringdown.def.opening   brief and template
--   ringdown.def.args      of each tool, by its name
--   ringdown.def.KEY       other keys of the agent, read when they are asked for (agent.lua)
local brief_fixed = require "ringdown.brief_fixed"
local customers = require "ringdown.customers"
local json = require "ringdown.json"
local tool = require "ringdown.tool"

local M = {}

-- What is only read when the agent loads, or is in the brief already.
local left_out = { apology = true, brief = true, budget = true, greeting = true, keep = true, limits = true,
  moment = true, notice = true, place = true, prompt = true, silence = true, tools = true }

-- Few calls look at these.
local apart = { emergencies = true, sms = true }

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then
      return type(a) == "number"
    end
    return a < b
  end)
  return keys
end

-- Equal values give equal text. Functions stay in the agent's file.
local function write(out, value)
  if type(value) ~= "table" then
    out[#out + 1] = ("%q"):format(value)
    return
  end
  local n = #value
  out[#out + 1] = json.is_array(value) and "A{" or "{"
  for i = 1, n do
    write(out, value[i])
    out[#out + 1] = ","
  end
  for _, key in ipairs(sorted_keys(value)) do
    local item = value[key]
    if type(item) ~= "function" and not (math.type(key) == "integer" and key >= 1 and key <= n) then
      out[#out + 1] = ("[%q]="):format(key)
      write(out, item)
      out[#out + 1] = ","
    end
  end
  out[#out + 1] = "}"
end

local function tool_data(t)
  return { name = t.name, effect = t.effect, timeout_ms = t.timeout_ms,
    filler = t.filler, failed = t.failed, verify = t.verify, later = tool.source(t.run) }
end

-- The desk has what the rules hear for.
local function rule_data(rule)
  return { id = rule.id, severity = rule.severity, languages = rule.languages, say = rule.say,
    transfer = rule.transfer, text = rule.text }
end

local function each(list, make)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = make(item)
  end
  return out
end

local function module_of(def)
  local data = { apart = apart, wants_customer = customers.is_wanted(def) }
  for key, value in pairs(def) do
    if not left_out[key] and not apart[key] then
      data[key] = value
    end
  end
  data.routing = type(def.routing) ~= "function" and def.routing or nil
  data.template, data.tools = nil, each(def.tools, tool_data)
  local out = { 'local A = require("ringdown.json").array\nreturn ' }
  write(out, data)
  return table.concat(out)
end

---@param def table the agent, checked
---@return table<string, string> texts
function M.texts(def)
  local args = {}
  for _, t in ipairs(def.tools) do
    args[t.name] = t.args
  end
  return {
    ["ringdown.def"] = module_of(def),
    ["ringdown.def.opening"] = json.encode { brief = brief_fixed.of(def), template = def.template },
    ["ringdown.def.args"] = json.encode(args),
    ["ringdown.def.emergencies"] = json.encode(json.array(each(def.emergencies, rule_data))),
    ["ringdown.def.sms"] = def.sms and json.encode(def.sms),
  }
end

return M
