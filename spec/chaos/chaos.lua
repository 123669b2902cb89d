-- SPDX-License-Identifier: Apache-2.0
-- The command behind scripts/chaos: reads the arguments, runs (spec/chaos/run.lua), prints the table.
package.path = "./?.lua;" .. package.path

local faults = require "spec.chaos.faults"
local pg = require "spec.support.postgres"
local run = require "spec.chaos.run"
local tables = require "spec.chaos.table"

local DEFAULTS = { calls = 10, seconds = 60, seed = 1, every = 5, nodes = 2 }

local function names()
  local list = {}
  for name in pairs(faults) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local function fail(text)
  io.stderr:write("scripts/chaos: ", text, "; see: scripts/chaos --help\n")
  os.exit(2)
end

-- "3 drop, 9.5 kill" as { { 3, "drop" }, { 9.5, "kill" } }
local function script(text)
  local list = {}
  for at, name in text:gmatch "([%d.]+)%s+([^,%s]+)" do
    if not tonumber(at) or not faults[name] then
      fail(('--script wants "3 drop, 9.5 kill", with faults that --list shows, and has "%s %s"'):format(at, name))
    end
    list[#list + 1] = { tonumber(at), name }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return #list > 0 and list or fail '--script wants seconds and names: "3 drop, 9.5 kill"'
end

local function fault_list(text)
  local list = {}
  for name in text:gmatch "[^,%s]+" do
    if not faults[name] then
      fail(("no fault is called %s; there are: %s"):format(name, table.concat(names(), ", ")))
    end
    list[#list + 1] = name
  end
  return #list > 0 and list or fail "--faults wants names, as --list shows them"
end

local function number(text, name)
  local value = tonumber(text)
  if not value or value < (name == "every" and 0.1 or 1) or (name ~= "every" and value % 1 ~= 0) then
    fail(("--%s must be a number above 0, and is %s"):format(name, tostring(text)))
  end
  return name == "every" and value or math.tointeger(value)
end

local readers = { faults = fault_list, script = script, calls = number, seconds = number, seed = number,
  every = number, nodes = number }

local function read(args)
  local o, i = { faults = names() }, 1
  for name, value in pairs(DEFAULTS) do
    o[name] = value
  end
  while args[i] do
    local name, value = args[i]:match "^%-%-(%a+)=?(.*)$"
    if name == "json" or name == "short" then
      o[name] = true
    elseif name == "list" then
      for _, fault in ipairs(names()) do
        print(("%-16s %s"):format(fault, faults[fault].about))
      end
      os.exit(0)
    elseif readers[name or ""] then
      if value == "" then
        i = i + 1
        value = args[i]
      end
      o[name] = readers[name](value or "", name)
    else
      fail(("unknown option %s"):format(args[i]))
    end
    i = i + 1
  end
  if o.calls > 90 then
    fail "--calls must be at most 90"
  end
  return o
end

local o = read(arg)
o.tell = function(line)
  io.stderr:write(line, "\n")
end
pg.start()
local ok, result = pcall(run, o)
pg.stop()
if not ok then
  io.stderr:write("scripts/chaos: ", tostring(result), "\n")
  os.exit(1)
end
if o.json then
  print(tables.json(result))
else
  tables.print(result)
end
os.exit(#run.wrong(result) == 0 and 0 or 1)
