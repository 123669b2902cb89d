-- SPDX-License-Identifier: Apache-2.0
-- alerts.rules: which rules there are: those that are shipped, an operator's changes of them, and an operator's own.
-- A mistake in the operator's file is told with its line and leaves the shipped rules as they are.
local host = require "ringdown.host"
local nearest = require "ringdown.nearest"
local shape = require "ringdown.shape"
local shipped = require "ringdown.alerts.shipped"
local time = require "ringdown.time"

local M = {}

---@class ringdown.alerts.rule
---@field name string
---@field about string what it means that it fires
---@field severity "page"|"ticket"|"info" page: somebody must get up
---@field alarms string[]? kinds of alarms (docs/errors.md); "*": all others that are critical
---@field sql string? what is measured: rows with value, n, call, text, and labels
---@field window string? of the sql, its $1
---@field above number? it fires when the value is above
---@field below number? … or below
---@field back_at number? … until it is back here
---@field min_sample integer? … if n is at least this
---@field for_at_least string? how long it must be true before it fires
---@field keep_firing_for string? how long it must not be true before it is over
---@field repeats string? how often it is told again while nobody acknowledges it
---@field every string? how often it is measured
---@field agents string[]? of these alone
---@field muted_by string[]? rules that explain it while they fire
---@field each_call boolean? `call` is a label: an alert for each
---@field at_once boolean? never held back by the limit of notices
---@field runbook string? where it stands what to do
---@field unit string? of the value: share, s, calls, usd
---@field say (fun(alert: table): string)? what is told instead of `about`

local function sql_text(value, path, complain)
  value = shape.text(value, path, complain)
  if not value:lower():find "%f[%a]value%f[%A]" then
    complain(path, "must have a column named value")
  elseif value:find ";" then
    complain(path, "must be one question without ;")
  elseif #value > 16384 then
    complain(path, "is longer than 16 KiB")
  end
  return value
end

local name = shape.matching("^[a-z][a-z0-9_]*$", "a name; use small letters, digits and _")
local fields = {
  name = name, about = shape.text, severity = shape.one_of { "page", "ticket", "info" },
  alarms = shape.list_of(shape.matching("^[a-z*][a-z0-9_.]*$", 'a kind of alarm like "journal.disk"')), sql = sql_text,
  window = shape.duration("1m", "31d"), above = shape.number(-1e15, 1e15), below = shape.number(-1e15, 1e15),
  back_at = shape.number(-1e15, 1e15), min_sample = shape.integer(1, 1000000),
  for_at_least = shape.duration("0s", "1d"), keep_firing_for = shape.duration("0s", "1d"),
  repeats = shape.duration("1m", "30d"), every = shape.duration("4s", "1d"),
  agents = shape.list_of(shape.text), muted_by = shape.list_of(name), at_once = shape.flag, told_alone = shape.flag,
  each_call = shape.flag,
  runbook = shape.text, unit = shape.one_of { "share", "s", "calls", "usd", "count" }, say = shape.func,
}
local whole = shape.fields(fields, { "name", "about", "severity" })
local changeable = {}
for key, one in pairs(fields) do
  if key ~= "name" and key ~= "told_alone" and key ~= "alarms" then
    changeable[key] = one
  end
end
local change_shape = shape.fields(changeable)

local DEFAULTS = { page = "1h", ticket = "4h", info = "1d" }

-- What must hold between the fields of a rule.
local function check_together(rule, path, complain)
  if (rule.alarms == nil) == (rule.sql == nil) then
    complain(path, "must have either 'alarms' or 'sql'")
  elseif rule.sql and (rule.above == nil) == (rule.below == nil) then
    complain(path, "must have either 'above' or 'below', the value at which it fires")
  elseif rule.alarms and (rule.above or rule.below or rule.min_sample) then
    complain(path, "counts nothing: 'above', 'below' and 'min_sample' belong to 'sql'")
  elseif rule.back_at and (rule.above and rule.back_at > rule.above or rule.below and rule.back_at < rule.below) then
    complain(path .. ".back_at", "must be on the quiet side of the value at which it fires")
  elseif rule.sql and rule.sql:find("$1", 1, true) and not rule.window then
    complain(path, "its sql has $1: 'window' is missing")
  end
end

local function ms_of(value, otherwise)
  return value or time.duration(otherwise)
end

-- As the engine wants it.
local function ready(rule)
  rule.for_ms, rule.keep_ms = ms_of(rule.for_at_least, "0s"), ms_of(rule.keep_firing_for, "0s")
  rule.repeat_ms, rule.every_ms = ms_of(rule.repeats, DEFAULTS[rule.severity]), ms_of(rule.every, "4s")
  rule.runbook = rule.runbook or "docs/troubleshooting.md#" .. rule.name:gsub("_", "-")
  return rule
end

local function copy(rule)
  local out = {}
  for key, value in pairs(rule) do
    out[key] = value
  end
  return out
end

-- The shipped ones: what is wrong with them is a mistake of ours.
local function shipped_rules()
  local list = {}
  for i, rule in ipairs(shipped.rules) do
    local function complain(path, text)
      error(("rule %s: %s: %s"):format(rule.name, path, text))
    end
    list[i] = whole(copy(rule), rule.name, complain)
    check_together(list[i], rule.name, complain)
  end
  return list
end

-- ── an operator's file ──────────────────────────────────────────────────────────────────────────

local function library(t)
  return setmetatable({}, { __index = t, __newindex = function() error("libraries cannot be changed", 2) end })
end

-- What a file of rules may use: it computes and formats, and reaches nothing.
local function sandbox()
  return { assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall, select = select,
    tonumber = tonumber, tostring = tostring, type = type, math = library(math), string = library(string),
    table = library(table), utf8 = library(utf8) }
end

local function line_words(text, path)
  return (tostring(text):gsub("^%[?s?t?r?i?n?g? ?\"?load\"?%]?:(%d+):", path .. ":%1:"):gsub("\nstack traceback.*", ""))
end

-- What the file returned; nil and what is wrong.
local function run(path, text)
  local chunk, why = load(text, "load", "t", sandbox())
  if not chunk then
    return nil, line_words(why, path)
  end
  local ok, value = pcall(chunk)
  if not ok then
    return nil, line_words(value, path)
  elseif type(value) ~= "table" then
    return nil, path .. ":1: must return a table, as in return { rules = { … }, change = { … } }"
  end
  return value
end

local function by_name(rules)
  local out, names = {}, {}
  for i, rule in ipairs(rules) do
    out[rule.name], names[i] = i, rule.name
  end
  table.sort(names)
  return out, names
end

local function change(rules, wish, complain)
  local places, names = by_name(rules)
  if type(wish) ~= "table" then
    complain("change", "must be a table of rules' names")
    return
  end
  for _, key in ipairs(require("ringdown.sorted").keys(wish)) do
    local at, what = places[key], wish[key]
    if not at then
      complain("change." .. key, "there is no such rule; " .. nearest.hint(key, names))
    elseif what == false then
      rules[at].off = true
    else
      local new = copy(rules[at])
      for field, value in pairs(change_shape(what, "change." .. key, complain)) do
        new[field] = value
      end
      check_together(new, "change." .. key, complain)
      rules[at] = new
    end
  end
end

local function add(rules, own, complain)
  if type(own) ~= "table" then
    complain("rules", "must be a list of rules")
    return
  end
  for i, item in ipairs(own) do
    local path = "rules." .. i
    local rule = whole(item, path, complain)
    if rule.name then
      check_together(rule, path, complain)
      if by_name(rules)[rule.name] then
        complain(path .. ".name", "there is a rule of this name; give it another, or use change = { " .. rule.name
          .. " = { … } }")
      end
      rules[#rules + 1] = rule
    end
  end
end

local function check_muted_by(rules, complain)
  local known, names = by_name(rules)
  for _, rule in ipairs(rules) do
    for _, other in ipairs(rule.muted_by or {}) do
      if not known[other] then
        complain("rules", ("%s: muted_by: there is no rule '%s'; %s"):format(rule.name, other, nearest.hint(other,
          names)))
      end
    end
  end
end

-- Changes `rules` as the file wants it; what is wrong, a line each.
local function apply(rules, path, text)
  local value, why = run(path, text)
  if not value then
    return { why }
  end
  local lines = require("ringdown.where").fields(text, "return")
  local mistakes = {}
  local function complain(at, words)
    local place = at
    while place ~= "" and not lines[place] do
      place = place:match "^(.*)%.[^.]*$" or ""
    end
    mistakes[#mistakes + 1] = { line = lines[place] or 1, text = ("%s: %s"):format(at:gsub("%.(%d+)", "[%1]"), words) }
  end
  for _, key in ipairs(require("ringdown.sorted").keys(value)) do
    if key ~= "rules" and key ~= "change" then
      complain(key, "unknown key; " .. nearest.hint(key, { "rules", "change" }))
    end
  end
  if value.change ~= nil then
    change(rules, value.change, complain)
  end
  if value.rules ~= nil then
    add(rules, value.rules, complain)
  end
  check_muted_by(rules, complain)
  table.sort(mistakes, function(a, b)
    return a.line < b.line or a.line == b.line and a.text < b.text
  end)
  for i, mistake in ipairs(mistakes) do
    mistakes[i] = ("%s:%d: %s"):format(path, mistake.line, mistake.text)
  end
  return mistakes
end

local function all_ready(rules)
  local list = {}
  for _, rule in ipairs(rules) do
    if not rule.off then
      list[#list + 1] = ready(rule)
    end
  end
  return list
end

---All rules that count, and what is wrong with the operator's file; with mistakes, it counts as if it were not there.
---@return ringdown.alerts.rule[]
---@return string[] mistakes "alerts.lua:12: what is wrong, and what is allowed"
---@return string? path of the operator's file
function M.load()
  local path, text, why = host.alert_rules()
  if not path then
    return all_ready(shipped_rules()), {}
  elseif not text then
    return all_ready(shipped_rules()), { ("%s: cannot be read: %s"):format(path, why) }, path
  end
  local rules = shipped_rules()
  local mistakes = apply(rules, path, text)
  if #mistakes > 0 then
    rules = shipped_rules()
  end
  return all_ready(rules), mistakes, path
end

return M
