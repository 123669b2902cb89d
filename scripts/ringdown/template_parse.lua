-- SPDX-License-Identifier: Apache-2.0
-- template_parse: a text with {{…}} becomes plain data that template.lua renders. Calls parse nothing but the texts
-- that they send.
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

local filter_names = { "date", "day_time", "lower", "phone", "spell", "time", "upper" }
local is_filter = {}
for _, name in ipairs(filter_names) do
  is_filter[name] = true
end

-- The paths there are, and whether their values came from outside.
local paths = {
  ["agent.name"] = false, ["site.id"] = false, ["site.name"] = false, ["hours.text"] = false,
  ["now.text"] = false, ["now.date"] = false, ["now.time"] = false, ["now.weekday"] = false,
  ["call.id"] = false, ["caller.number"] = true, ["caller.name"] = true,
  ["caller.known"] = false, ["caller.vip"] = false,
}

-- What a site has besides is only known once its number is called: {{site.parking or "in the street"}}.
local any_site_fact = {
  __index = function(_, path)
    if path:match("^site%.[%l_][%w_.]*$") then
      return false
    end
  end,
}

local function parse_expression(text, known, complain)
  local expression = { filters = {} }
  local head, rest = text:match("^([^|]*)(.*)$")
  local path, literal = head:match('^%s*([%w_.]+)%s+or%s+"([^"]*)"%s*$')
  path = path or head:match("^%s*([%w_.]+)%s*$")
  if not path then
    complain(('{{%s}} is no template; write {{path}}, {{path or "words"}} or {{path | filter}}'):format(text))
    return nil
  end
  if known[path] == nil and not (known["args.*"] and path:match("^args%.[%l_][%w_]*$")) then
    complain(("{{%s}}: unknown path; %s"):format(path, nearest.hint(path, sorted.keys(known))))
  end
  for name in rest:gmatch("|([^|]*)") do
    name = name:gsub("%s", "")
    if not is_filter[name] then
      complain(("{{%s}}: unknown filter '%s'; %s"):format(path, name, nearest.hint(name, filter_names)))
    else
      expression.filters[#expression.filters + 1] = name
    end
  end
  expression.path, expression.literal, expression.outside = path, literal, known[path] ~= false
  return expression
end

---@param text string
---@param vars table<string, any> what the agent declared
---@param has_hours boolean
---@param complain fun(line: integer, text: string)
---@param more table<string, boolean>? other paths there are, and whether their values come from outside; "args.*"
---for whatever arguments there may be
---@return ringdown.template
function M.compile(text, vars, has_hours, complain, more)
  local template, known = { parts = {}, outside = false }, setmetatable({}, any_site_fact)
  for path, outside in pairs(paths) do
    known[path] = outside
  end
  for name in pairs(vars) do
    known["vars." .. name] = true
  end
  for path, outside in pairs(more or {}) do
    known[path] = outside
  end
  if not has_hours then
    known["hours.text"] = nil
  end
  local at, line = 1, 1
  while true do
    local from = text:find("{{", at, true)
    local plain = text:sub(at, from and from - 1)
    template.parts[#template.parts + 1] = plain
    for _ in plain:gmatch("\n") do
      line = line + 1
    end
    if not from then
      return template
    end
    local to = text:find("}}", from, true)
    if not to then
      complain(line, "{{ without }}")
      return template
    end
    local expression = parse_expression(text:sub(from + 2, to - 1), known, function(what)
      complain(line, what)
    end)
    template.parts[#template.parts + 1] = expression
    template.outside = template.outside or expression and expression.outside or false
    at = to + 2
  end
end

return M
