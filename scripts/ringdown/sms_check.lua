-- SPDX-License-Identifier: Apache-2.0
-- sms_check: the key `sms` of an agent, and its tools that send texts, while it loads.
local nearest = require "ringdown.nearest"
local shape = require "ringdown.shape"
local sms = require "ringdown.sms"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local own_names = { missed = true, help = true }

local function span(value, path, complain)
  local from, to = tostring(value):match("^(%d%d:%d%d)%-(%d%d:%d%d)$")
  from, to = from and time.minutes(from), to and time.minutes(to)
  if not from or not to or from == to then
    complain(path, ('%s is no time span; write it like "21:00-08:00"'):format(tostring(value)))
    return nil
  end
  return { from = from, to = to }
end

local function countries(value, path, complain)
  value = shape.list_of(shape.matching("^%u+$", 'a country; write it as two capital letters, like "US"'))(value, path,
    complain)
  require("ringdown.numbers").check_countries(value or {}, path, complain)
  return value
end

local settings = {
  quiet = span,
  window = shape.duration("1m", "7d"),
  caps = shape.fields { call = shape.integer(0, 20), day = shape.integer(0, 100), agent = shape.integer(0, 100000) },
  countries = countries,
  stir = shape.one_of { "A", "B" },
  service = shape.matching("^MG%x+$", "the id of a messaging service, MG…"),
  segments = shape.integer(1, 10),
}

local function words(value, path, complain, languages)
  local out = type(value) == "table" and value or { [languages[1]] = value }
  local any = false
  for language, text in pairs(out) do
    any = true
    shape.text(text, type(value) == "table" and path .. "." .. tostring(language) or path, complain)
  end
  if any and out[languages[1]] == nil then
    complain(path, ("has no text in the agent's first language, '%s'"):format(languages[1]))
  elseif not any then
    complain(path, 'must be a text, or texts by language like { en = "…" }')
  end
  return out
end

---The shape of `sms`.
---@param languages string[]
function M.shape(languages)
  return function(value, path, complain)
    local out = { templates = {}, quiet = { from = 21 * 60, to = 8 * 60 }, window = 4 * 3600 * 1000, segments = 4 }
    if type(value) ~= "table" then
      complain(path, 'must be a table of texts by name, like { booked = "See you tomorrow." }')
      return out
    end
    for name, given in pairs(value) do
      local at = path .. "." .. tostring(name)
      if settings[name] then
        out[name] = settings[name](given, at, complain) or out[name]
      elseif type(name) ~= "string" or not name:match("^[%l_][%l%d_]*$") then
        complain(path, ("'%s' is no name of a text; use lower case letters, digits and _"):format(tostring(name)))
      else
        out.templates[name] = words(given, at, complain, languages)
      end
    end
    local caps = out.caps or {}
    out.caps = { call = caps.call or 3, day = caps.day or 5, agent = caps.agent or 500 }
    return out
  end
end

-- Only what the agent wrote itself: what is put in comes on top.
local function check_length(def, compiled, path, complain)
  local own = {}
  for _, part in ipairs(compiled.parts) do
    own[#own + 1] = type(part) == "string" and part or ""
  end
  local text = table.concat(own)
  local segments = utf8.len(text) and require("ringdown.texts.segments").count(text)
  if not segments then
    complain(path, "is not UTF-8")
  elseif segments > def.sms.segments then
    complain(path, ("takes %d parts, and texts here have at most %d; shorten it, or raise sms.segments")
      :format(segments, def.sms.segments))
  end
end

-- What is sent without a call that was spoken in: what only such a call has, nobody gives.
local never_given = { "^args%.", "^visit%.", "^caller%.name$", "^caller%.known$", "^caller%.vip$" }

local function check_given(name, compiled, path, complain)
  for _, part in ipairs(own_names[name] and compiled.parts or {}) do
    for _, pattern in ipairs(type(part) == "table" and never_given or {}) do
      if part.path:find(pattern) then
        complain(path, ("nobody gives {{%s}}: sms.%s goes out without a conversation; leave it out")
          :format(part.path, name))
      end
    end
  end
end

-- A tool that takes texts by name: those names are there, and the arguments they want are declared.
local function check_tool(def, tool, path, complain)
  local names = sorted.keys(def.sms and def.sms.templates)
  if tool.texts.to and not def.people[tool.texts.to] then
    local people = sorted.keys(def.people)
    complain(path, ("send_sms { to }: nobody is called '%s'; %s"):format(tool.texts.to, #people > 0
      and nearest.hint(tool.texts.to, people) or "this agent has no people"))
  end
  for _, name in ipairs(tool.texts.names or {}) do
    local texts = def.sms and def.sms.templates[name]
    if not texts then
      complain(path, ("there is no text sms.%s; %s"):format(name, #names > 0 and nearest.hint(name, names)
        or "this agent has none: write sms = { " .. name .. " = \"…\" }"))
    end
    for _, text in pairs(texts or {}) do
      for arg in tostring(text):gmatch("{{%s*args%.([%w_]+)") do
        if not tool.args[arg] then
          complain(path, ("sms.%s wants {{args.%s}}, which the tool does not have; declare it in send_sms { args }")
            :format(name, arg))
        end
      end
    end
  end
end

-- Used bare, the tool has all texts that are not for something else and want no arguments.
local function give_names(def, tool, path, complain)
  if tool.texts.names then
    return
  end
  local names = {}
  for name, texts in pairs(def.sms and def.sms.templates or {}) do
    local wants = false
    for _, text in pairs(texts) do
      wants = wants or tostring(text):find("{{%s*args%.") ~= nil
    end
    if not own_names[name] and not wants then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  if #names == 0 then
    complain(path, 'send_sms has no text to send; write sms = { booked = "…" }')
    names = { "none" }
  end
  tool.texts.allow(names)
end

---What `sms` says together with the rest of the agent: templates compile, tools name texts that exist.
---@param def table the agent
---@param complain fun(path: string, text: string)
function M.check(def, complain)
  for i, tool in ipairs(def.tools) do
    if tool.texts then
      give_names(def, tool, "tools." .. i, complain)
    end
  end
  for i, tool in ipairs(def.tools) do
    if tool.texts then
      check_tool(def, tool, "tools." .. i, complain)
    end
  end
  for _, name in ipairs(sorted.keys(def.sms and def.sms.templates)) do
    for _, language in ipairs(sorted.keys(def.sms.templates[name])) do
      local path = "sms." .. name
      local compiled = sms.compile(def, tostring(def.sms.templates[name][language]), function(_, text)
        complain(path, text)
      end)
      check_length(def, compiled, path, complain)
      check_given(name, compiled, path, complain)
    end
  end
end

return M
