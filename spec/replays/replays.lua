-- SPDX-License-Identifier: Apache-2.0
-- Many recorded calls, replayed twice: the results must be the same, byte by byte, and in time.
--
-- usage: lua5.4 spec/replays/replays.lua [PROGRAM [CALLS]]     (build/ringdown, 1000)
--
-- The calls are made up from a seed: who says what, which keys, which tools, what a host answered, when.
local program, calls = arg[1] or "build/ringdown", tonumber(arg[2] or "1000")
local LIMIT_S_PER_HOUR = tonumber(os.getenv "RINGDOWN_REPLAY_S" or "10") -- one hour of calls in so many seconds

math.randomseed(20261127)

local function any(list)
  return list[math.random(#list)]
end

local words = {
  "Hello, I need a plumber", "Tomorrow at nine would be fine", "What does a drain cost?", "I smell gas in the kitchen",
  "My tooth hurts since yesterday", "The gas bill is wrong", "Is anybody there?", "Huele a gas", "No, thank you",
  "Water is running into the fuse box", "My face is swollen and I cannot breathe well", "My zip is 60614",
  "Can I talk to a person?", "Yes please", "I would like to book a cleaning next friday",
}

local tools = {
  ["northside-plumbing"] = {
    { "plumber_eta", { zip = "60614" } }, { "check_availability", { day = "tomorrow" } },
    { "book_appointment", { day = "friday", time = "09:00" } }, { "lookup_customer", {} },
    { "transfer_call", { to = "office" } }, { "send_sms", { template = "booked" } }, { "nonsense", {} },
  },
  ["brightsmile-dental"] = {
    { "check_availability", { day = "tomorrow" } }, { "book_appointment", { day = "friday", time = "10:00" } },
    { "lookup_customer", {} }, { "transfer_call", { to = "office" } }, { "end_call", {} },
  },
}
local numbers = { ["northside-plumbing"] = "+13125550100", ["brightsmile-dental"] = "+13125550120" }

local function quote(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function object(fields)
  local keys, out = {}, {}
  for key in pairs(fields) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    local value = fields[key]
    out[i] = quote(key) .. ":" .. (type(value) == "number" and ("%d"):format(value) or quote(value))
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function input(agent, at_ms)
  local what = any { "hears", "hears", "hears", "says", "tool", "presses", "silent" }
  if what == "tool" then
    local tool = any(tools[agent])
    return object { at_ms = at_ms, what = what, name = tool[1], arguments = object(tool[2]), output = "{}" }
  elseif what == "presses" then
    return object { at_ms = at_ms, what = what, key = any { "1", "2", "*" } }
  elseif what == "silent" then
    return object { at_ms = at_ms, what = what, n = 1 }
  end
  return object { at_ms = at_ms, what = what, text = any(words) }
end

local function recording(i)
  local agent = any { "northside-plumbing", "brightsmile-dental" }
  local list, at_ms = { object { at_ms = 200, what = "started" } }, 200
  for n = 2, math.random(4, 20) do
    at_ms = at_ms + math.random(500, 15000)
    list[n] = input(agent, at_ms)
  end
  list[#list + 1] = object { at_ms = at_ms + 1000, what = "ends", reason = "caller_hangup" }
  return ('{"ringdown_recording":1,"call":"CA%032x","agent":"%s","version":"","from":"+1312555%04d","to":"%s",'
    .. '"began_ms":%d,"seed":%d,"form":{},"inputs":[%s],"answers":[{"of":"http",'
    .. '"ask":"GET https://api.dispatch.example/eta?site=default&zip=60614\\n",'
    .. '"value":[{"status":200,"headers":{},"body":"{\\"minutes\\":35}","retry_after_ms":0},false,false]}]}'):format(
    i, agent, 100 + i % 9000 % 100, numbers[agent], 1795000000000 + i * 977 * 1000, i, table.concat(list, ",")),
    at_ms + 1000
end

local function replay(path, out)
  local began = os.time()
  assert(os.execute(("%s replay --file %s --show --json >%s"):format(program, path, out)))
  local file = assert(io.open(out, "rb"))
  local text = file:read "a"
  file:close()
  return text, os.time() - began
end

local path = os.tmpname()
local file, total_ms = assert(io.open(path, "w")), 0
for i = 1, calls do
  local text, ms = recording(i)
  file:write(text, "\n")
  total_ms = total_ms + ms
end
file:close()
local first, took_s = replay(path, path .. ".1")
local second = replay(path, path .. ".2")
local _, lines = first:gsub("\n", "")
local _, emergencies = first:gsub('"kind":"emergency"', "")
local hours = total_ms / 3600000
print(("%d calls, %.1f hours, replayed in %d s (%.2f s an hour); %d emergencies"):format(calls, hours, took_s,
  took_s / hours, emergencies))
assert(lines == calls + 1, ("%d lines for %d calls"):format(lines, calls))
assert(first:find('"unplayable":0', 1, true), "some could not be replayed")
assert(emergencies > calls // 20, "hardly any emergency was found: this proves nothing")
assert(first == second, "replayed twice, the same calls did not do the same: see " .. path)
assert(took_s <= LIMIT_S_PER_HOUR * math.max(hours, 1), "too slow")
for _, suffix in ipairs { "", ".1", ".2" } do
  os.remove(path .. suffix)
end
