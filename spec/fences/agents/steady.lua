-- SPDX-License-Identifier: Apache-2.0
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local steady = tool {
  name = "steady", about = "Adds up a few numbers.", effect = "read",
  run = function()
    local sum = 0
    for i = 1, 1000 do
      sum = sum + i
    end
    return { sum = sum }
  end,
}

-- Two hundred rules, none of which the callers' words concern, however near they come.
local things = { "boiler", "stove", "heater", "fuse box", "cable", "pipe", "ceiling", "roof", "door", "window", "lift",
  "car", "tank", "drain", "chimney", "dryer", "lamp", "socket", "pump", "gate" }
local troubles = {
  { "burns", "is burning", "is on fire" }, { "smells of gas", "leaks gas" }, { "exploded", "blew up" },
  { "fell on somebody", "fell on me" }, { "gave me a shock", "electrocuted him" },
  { "floods the house", "is under water" },
  { "trapped my child", "trapped somebody" }, { "smokes", "is full of smoke" }, { "was broken open", "was forced" },
  { "does not open and somebody is inside", "locked us in" },
}

local rules = {}
for i, thing in ipairs(things) do
  for k, trouble in ipairs(troubles) do
    local any = {}
    for n, words in ipairs(trouble) do
      any[n] = thing .. " " .. words
    end
    rules[#rules + 1] = { id = ("rule-%d-%d"):format(i, k), severity = k <= 4 and "life" or "urgent", any = any,
      unless = { thing .. " bill" }, say = "Please leave the house, now.", transfer = "on_call" }
  end
end

return agent {
  name = "steady", numbers = { "+13125550100" },
  greeting = "Good day.", prompt = "Help.", tools = { steady }, emergencies = rules,
  people = { on_call = "+13125550188" },
  on = { utterance = function(call) call:log "heard" end },
}
