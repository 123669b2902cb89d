-- SPDX-License-Identifier: Apache-2.0
-- Two hundred different rules, as somebody might write them who answers for a whole town's houses: twenty things that
-- can go wrong, and ten ways in which each does. For how long the desk takes (runtime/tests/agent/desk_bench.c).
local agent = require "ringdown.agent"

local things = { "boiler", "water heater", "furnace", "stove", "oven", "dryer", "washing machine", "dishwasher",
  "refrigerator", "air conditioner", "fuse box", "outlet", "extension cord", "light fixture", "ceiling fan",
  "garage door", "elevator", "sump pump", "generator", "fireplace" }

-- %s is the thing; `near` are words that, close to it, say the same.
local ways = {
  { "fire", "life", { "%s is on fire", "%s caught fire", "flames from the %s", "%s is burning", "fire in the %s",
    "%s went up in flames" },
    { "flames", "blaze", "burning", "ablaze", "fire" }, { "%s fire sale", "%s fire rating" } },
  { "smoke", "life", { "%s is smoking", "smoke from the %s", "smoke coming out of the %s",
    "%s fills the room with smoke", "black smoke behind the %s" },
    { "smoke", "smoking", "fumes", "soot", "haze" }, { "%s smoke test" } },
  { "sparks", "urgent", { "%s is sparking", "sparks from the %s", "%s throws sparks", "%s crackles and sparks",
    "%s arcs" }, { "sparks", "sparking", "arcing", "crackling", "blue flash" }, { "%s spark plug" } },
  { "gas", "life", { "gas smell at the %s", "%s smells of gas", "smell gas near the %s", "gas hissing behind the %s",
    "rotten eggs around the %s" }, { "gas smell", "smells like gas", "rotten eggs", "hissing" },
    { "gas bill for the %s" } },
  { "leak", "urgent", { "%s is leaking", "water under the %s", "puddle by the %s", "%s drips all over",
    "water runs out of the %s" }, { "leaking", "dripping", "puddle", "water everywhere", "soaked" },
    { "%s leak detector" } },
  { "shock", "life", { "got a shock from the %s", "%s gave me a shock", "%s shocked my son", "electrocuted by the %s",
    "%s is live" }, { "shock", "shocked", "electrocuted", "zapped", "tingles" }, { "%s shock absorber" } },
  { "burst", "urgent", { "%s burst", "%s exploded", "%s blew up", "%s cracked open", "%s came apart" },
    { "burst", "exploded", "explosion", "blew up", "popped" }, { "burst of %s orders" } },
  { "noise", "normal", { "%s makes a terrible noise", "%s is screeching", "%s bangs all night", "%s rattles",
    "%s howls" }, { "banging", "screeching", "grinding", "rattling", "howling" }, { "%s noise rating" } },
  { "stuck", "urgent", { "stuck in the %s", "%s is jammed", "%s will not open", "caught in the %s",
    "trapped behind the %s" }, { "stuck", "trapped", "jammed", "caught", "pinned" }, { "stuck with the %s price" } },
  { "hurt", "life", { "hurt by the %s", "%s fell on him", "hand in the %s", "%s cut her badly", "burned by the %s" },
    { "hurt", "bleeding", "crushed", "unconscious", "injured" }, { "%s hurt my budget" } },
}

local function filled(list, thing)
  local out = {}
  for i, phrase in ipairs(list) do
    out[i] = phrase:format(thing)
  end
  return out
end

local rules = {}
for _, thing in ipairs(things) do
  for _, way in ipairs(ways) do
    local name, severity, any, near, unless = table.unpack(way)
    rules[#rules + 1] = {
      id = thing:gsub(" ", "-") .. "-" .. name, severity = severity, any = filled(any, thing),
      near = { { { thing }, near, within = 6 } }, unless = filled(unless, thing),
      say = severity ~= "normal" and "Keep away from it, and stay on the line." or nil,
      text = { to = "on_call", body = thing .. ": {{match.words}}" },
    }
  end
end

return agent {
  name = "many-rules", greeting = "Hello.", prompt = "Help.",
  people = { on_call = { "+13125550188", "+13125550189" } }, emergencies = rules,
}
