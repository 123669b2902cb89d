-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: a smell, a hiss, a leak of gas; a gas pipe that was hit.
local alarms = require "lib.emergencies.concepts.alarms"
local escaping = require "lib.emergencies.concepts.escaping"
local foul = require "lib.emergencies.concepts.foul"
local gas_fittings = require "lib.emergencies.concepts.gas_fittings"
local house = require "lib.emergencies.concepts.house"
local panic = require "lib.emergencies.concepts.panic"
local sick = require "lib.emergencies.concepts.sick"
local smelling = require "lib.emergencies.concepts.smelling"

return {
  say = {
    en = "Please leave the building now. Do not switch anything on or off. As soon as you are outside, "
      .. "call 911.",
    es = "Salga del edificio ahora. No encienda ni apague nada. En cuanto esté fuera, llame al 911.",
  },
  any = {
    "gas leak", "smell gas", "propane leak", "gas everywhere", "full of gas", "fuga de gas", "huele a gas",
    "escape de gas", "llena de gas",
  },
  near = {
    {
      { "smell", "odor", "stink", "stench", "reek", "whiff", "fumes", "sniff", "huele", "apesta", "hedor",
        "peste" },
      { "gas", "propane", "butane" },
      within = 8,
    },
    {
      { "leak", "hiss", "escape", "spew", "rupture", "puncture", "blow out", "coming out", "pouring out",
        "rushing out", "seep", "filling", "blowing", "spraying", "whistling", "flowing", "roaring",
        "won't turn off", "won't shut off", "can't turn off", "can't shut off", "left on", "stuck on", "echando",
        "tirando", "soltando", "goteando", "botando", "brota", "fuga", "silbido", "saliendo" },
      { "gas", "propane", "butane" },
      within = 6,
    },
    {
      { "cut", "hit", "broke", "crack", "snap", "damage", "nick", "struck", "strike", "sever", "burst", "drill",
        "dug", "rompí", "corté", "perforé", "pinchó", "picó", "rajó", "golpeó" },
      { "propane line", "propane tank", "gas tank", "gas cylinder", "tanque de gas", "gas line", "gas pipe",
        "gas main", "gas hose", "gas meter", "gas valve", "gas connector", "tubería de gas", "línea de gas",
        "tubo de gas", "caño de gas", "manguera de gas", "cañería de gas" },
      within = 8,
    },
    {
      { "gas alarm", "gas detector", "gas sensor" },
      { "going off", "beep", "sound", "ring", "scream", "trigger", "blare", "went off", "suena", "sonando",
        "pita" },
      within = 8,
    },
  },
  ask = {
    "rotten eggs", "smell", "odor", "huele", "propane", "gas main", "gas pipe", "turn off the gas",
    "shut off the gas", "smell in the kitchen", "think it is gas", "thought it was gas", "gas fumes", "gas is on",
    "cerrar el gas", "cierro el gas", "es gas", "smell from the stove", "rotten egg", "smells of sulfur",
    "left the gas on", "gas on all night", "hissing", "hissing from the stove", "huevos podridos",
    "dejé el gas abierto", "gas abierto", "strange smell from the stove", "smell from the furnace",
    "smell by the stove", "smell near the water heater",
    "rotten", "egg", "eggs", "sulfur", "sulphur", "azufre", "huevo podrido", "hiss", "whoosh", "propane",
    "propano", "butano", "gaseous", "it is gas", "gas gas",
    "methane", "mercaptan", "taste it in the air", "olor raro", "olor feo", "olor extraño", "apesta", "hedor",
    "peste", "fuga de", "stinks",
    "pong", "gassy", "stinky", "sss", "whistling", "gas fire", "jede", "hiede", "tufo",
    "se está yendo el gas", "gas is go", "tufo a gas", "gas smelly", "huelo",
    "lel", "gas reading", "combustible", "clipped the service", "hit the service", "struck the service",
    "nicked the service", "service line is blowing", "farts", "blowing dirt",
    "bombona", "garrafa", "pierde gas", "se fuga", "gas odor",
  },
  ask_near = {
    { smelling, foul, within = 8 },
    { smelling, house, within = 8 },
    { smelling, gas_fittings, within = 12 },
    { gas_fittings, escaping, within = 9 },
    { { "gas" }, house, within = 10 },
    { { "gas" }, escaping, within = 10 },
    { { "gas" }, panic, within = 12 },
    { { "gas" }, sick, within = 14 },
    { alarms, { "gas", "propane" }, within = 6 },
    { { "hiss", "whoosh", "silbido", "chiflido" }, house, within = 10 },
  },
  unless = {
    "gas bill", "gas station", "gas mileage", "gas prices", "gas pump", "laughing gas", "sewer gas", "tear gas",
    "recibo de gas", "factura del gas", "gasolinera",
    "gas account", "gas company number", "gas included", "gas powered", "gas line moved", "to gas",
    "gas incluido", "natural gas or",
    "musty", "mildew", "mold", "cigarette smell", "cigarette", "olor a humedad", "humedad", "olor del cigarro",
    "cigarro", "trash room", "fridge", "gasolina", "egg salad", "boiled egg", "bath bomb", "dusty", "wet dog",
    "perfume", "paint smell",
    "gas de la risa", "garbage", "basura", "drain smells", "drain smell", "fuga de agua", "water leak",
    "hot water heater install",
  },
}
