-- SPDX-License-Identifier: Apache-2.0
-- The command behind scripts/soak: reads the arguments, runs (spec/soak/run.lua), judges, prints.
package.path = "./?.lua;" .. package.path

local events = require "spec.soak.events"
local page = require "spec.soak.page"
local pg = require "spec.support.postgres"
local report = require "spec.soak.report"
local run = require "spec.soak.run"

local function fail(text)
  io.stderr:write("scripts/soak: ", text, "; see: scripts/soak --help\n")
  os.exit(2)
end

local function number(text, name, least)
  local value = tonumber(text)
  return value and value >= least and value or fail(("--%s must be a number from %s on, and is %s"):format(name, least,
    tostring(text)))
end

local function whole(text, name)
  local value = number(text, name, 1)
  return math.tointeger(value) or fail(("--%s must be a whole number, and is %s"):format(name, text))
end

local function names(text)
  local list = {}
  for name in text:gmatch "[^,%s]+" do
    list[#list + 1] = type(events[name]) == "table" and name or fail(("no event is called %s; there are: %s"):format(
      name, table.concat(events.names(), ", ")))
  end
  return list
end

local readers = {
  minutes = function(o, text) o.seconds = 60 * number(text, "minutes", 0.5) end,
  hours = function(o, text) o.seconds = 3600 * number(text, "hours", 0.01) end,
  every = function(o, text) o.every = number(text, "every", 0.1) end,
  calls = function(o, text) o.calls = whole(text, "calls") end,
  nodes = function(o, text) o.nodes = whole(text, "nodes") end,
  seed = function(o, text) o.seed = whole(text, "seed") end,
  events = function(o, text) o.events = names(text) end,
  html = function(o, text) o.html = text ~= "" and text or fail "--html wants the name of a file" end,
}

local function list_events()
  for _, name in ipairs(events.names()) do
    print(("%-16s %s"):format(name, events[name].about))
  end
  os.exit(0)
end

local function read(args)
  local o, i = { seconds = 600, calls = 20, nodes = 1, seed = 1, every = 4, events = events.names() }, 1
  while args[i] do
    local name, value = args[i]:match "^%-%-(%a+)=?(.*)$"
    if name == "json" or name == "list" then
      o[name] = true
    elseif readers[name or ""] then
      if value == "" then
        i = i + 1
        value = args[i]
      end
      readers[name](o, value or "")
    else
      fail(("unknown option %s"):format(args[i]))
    end
    i = i + 1
  end
  return o
end

local o = read(arg)
if o.list then
  list_events()
end
o.tell = function(line)
  io.stderr:write(line, "\n")
end
pg.start()
local ok, result = pcall(run, o)
pg.stop()
if not ok then
  io.stderr:write("scripts/soak: ", tostring(result), "\n")
  os.exit(1)
end
local verdict = report.judge(result)
if o.html then
  page.write(o.html, result, verdict)
end
if o.json then
  print(report.json(result, verdict))
else
  report.print(result, verdict)
end
os.exit(#verdict.wrong == 0 and 0 or 1)
