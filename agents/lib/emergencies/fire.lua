-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: fire, smoke, something burning in the building.
local alarms = require "lib.emergencies.concepts.alarms"
local burning = require "lib.emergencies.concepts.burning"
local electric = require "lib.emergencies.concepts.electric"
local house = require "lib.emergencies.concepts.house"
local panic = require "lib.emergencies.concepts.panic"
local sounding = require "lib.emergencies.concepts.sounding"
local things_that_burn = require "lib.emergencies.concepts.things_that_burn"

return {
  say = {
    en = "Leave the building now, close the doors behind you, and do not use the elevator. As soon as "
      .. "you are outside, call 911.",
    es = "Salga del edificio ahora, cierre las puertas y no use el ascensor. En cuanto esté fuera, llame "
      .. "al 911.",
  },
  any = {
    "on fire", "caught fire", "house fire", "kitchen fire", "electrical fire", "grease fire", "fire broke out",
    "fire started", "flames", "something is burning", "burning smell", "smell smoke", "see smoke", "lots of smoke",
    "full of smoke", "there is smoke coming", "black smoke", "thick smoke", "smoke everywhere", "incendio",
    "hay fuego", "fuego", "en llamas", "hay llamas", "set a fire", "burst into flames", "prendiendo fuego",
    "huele a quemado", "huele a humo", "lleno de humo", "mucho humo", "se está quemando", "se quema",
    "algo se quema", "quemando algo", "humo negro", "prendió fuego", "sale humo",
  },
  near = {
    {
      { "fire" },
      { "kitchen", "apartment", "hallway", "building", "house", "stove", "oven", "balcony", "trash", "dumpster",
        "basement", "roof", "unit", "bedroom", "laundry", "garage", "spreading", "help", "upstairs", "downstairs",
        "next door", "neighbor", "wall", "outlet", "dryer", "curtain", "stairs", "stairwell", "mattress", "attic",
        "burning", "get out", "floor", "couch", "bin", "room", "lobby", "parking", "flat", "corridor", "big",
        "coming from" },
      within = 8,
    },
    {
      { "smoke", "humo" },
      { "coming", "come", "hallway", "room", "apartment", "kitchen", "building", "vent", "outlet", "stairwell",
        "pouring", "under the door", "basement", "unit", "ceiling", "wall", "fill", "electrical", "dryer", "oven",
        "window", "floor", "elevator", "neighbor", "closet", "garage", "smell", "next door", "thick", "pasillo",
        "cocina", "departamento", "apartamento", "edificio", "ventana", "casa", "cuarto", "huele", "techo",
        "puerta", "sótano", "escalera", "vecino", "enchufe", "pared", "ascensor", "elevador" },
      within = 8,
    },
    {
      { "burning" },
      { "smell", "something", "wire", "plastic", "rubber", "building", "apartment", "house", "outlet", "curtain",
        "electrical", "kitchen", "wall", "neighbor", "trash", "hallway", "dryer" },
      within = 6,
    },
    {
      { "quemado", "arde" },
      { "huele", "cocina", "casa", "edificio", "departamento", "apartamento", "cable", "algo", "plástico", "techo",
        "basura", "cuarto", "vecino", "sótano" },
      within = 6,
    },
    {
      { "llamas" },
      { "edificio", "cocina", "ventana", "casa", "cuarto", "techo", "basura", "salen", "departamento", "pasillo" },
      within = 7,
    },
    {
      { "smoke alarm", "smoke detector", "fire alarm", "alarma de incendio", "alarma de humo" },
      { "smoke", "flames", "burning", "everyone is running", "humo" },
      within = 12,
    },
  },
  ask = {
    "fire", "smoke", "fire alarm going off", "smoke alarm going off", "smoke detector going off", "humo",
    "alarma de incendios", "explosion", "quemando",
    "flame", "flames", "burning", "smolder", "smoulder", "haze", "hazy", "sparks", "burnt", "blaze", "embers",
    "ash everywhere", "can't see anything", "firefighters", "fire department", "fire truck", "fire trucks",
    "bomberos", "everyone is running",
    "everybody is running", "fuego", "humo", "lumbre", "candela", "llamas", "llamarada", "humareda", "quema",
    "quemado", "explotó", "exploded", "chispas", "chamuscado", "evacuate", "evacuar", "sprinklers went off",
    "sprinklers are going",
    "smells burnt", "arde", "ardiendo", "prendió fuego", "incendiando", "smokey", "smoky", "sirens",
    "gone up", "went up in", "orange light", "crackling", "soot", "red glow", "smells hot", "melting",
    "fireworks", "blew up", "exploding", "burning up", "hot plastic", "smog", "foggy in", "matches",
    "huele a plástico", "cerillos", "hollín", "neblina", "tronó",
    "torch got away", "lit on fire", "fully involved", "hot spot", "smoldering", "lit the",
  },
  ask_near = {
    { burning, things_that_burn, within = 7 },
    {
      { "on fire", "caught fire", "catch fire", "burning", "lit", "went up", "prendió", "prendieron",
        "encendió", "incendió", "agarró fuego", "prendida", "prendido" },
      things_that_burn,
      within = 6,
    },
    {
      { "fire", "smoke", "fuego", "humo" },
      { "fast", "big", "small", "little", "much", "lot", "here", "come", "grande", "chico", "aquí", "mucho" },
      within = 6,
    },
    { burning, house, within = 10 },
    { burning, electric, within = 10 },
    { burning, panic, within = 12 },
    { alarms, sounding, within = 9 },
    {
      electric,
      { "hot", "warm", "melted", "melting", "glowing", "black", "scorched", "caliente", "negro", "rojo",
        "derretido", "derritiendo" },
      within = 8,
    },
    {
      { "wall", "door", "ceiling", "floor", "pared", "puerta", "techo", "piso" },
      { "hot", "glowing", "caliente", "hirviendo", "quema" },
      within = 6,
    },
  },
  unless = {
    "fire drill", "fire escape", "fire extinguisher", "fire station", "fire alarm test", "fire inspection",
    "fire code", "fire insurance", "fire safety", "fire lane", "fire pit", "fireplace", "fire place", "campfire",
    "fire door", "fire exit", "fire sale", "fire hydrant", "fire sprinkler", "fire marshal", "fire him", "fire her",
    "fire them", "fire my", "fire the", "fire your", "got fired", "was fired", "get fired", "fire stick",
    "cigarette smoke", "cigar smoke", "weed smoke", "marijuana", "cigarette", "secondhand smoke",
    "neighbor smoking", "someone smoking", "somebody smoking", "people smoking", "tenant smoking", "keeps smoking",
    "smoking on the balcony", "second hand smoke", "no smoking sign", "non smoking", "smoking policy", "smoke pot",
    "allowed to smoke", "smoking area", "smoke detector battery", "chirp", "low battery", "battery", "barbecue",
    "grill", "candle", "fuegos artificiales", "cómo te llamas", "cigarro", "cigarrillo", "fumar", "fuego lento",
    "simulacro de incendio", "extintor", "detector de humo nuevo", "pila", "batería", "seguro de incendio",
    "burn out", "burned out bulb", "light bulb", "fire up", "pilot light",
    "smokes on", "neighbor smokes", "smokes on his balcony", "bulb", "burned out", "burnt out",
    "se quemó el foco", "foco quemado", "bombillo quemado", "burn rate", "asado", "asador", "parrilla",
    "barbecue area",
    "new battery", "needs a battery", "chirps", "chirping", "cd burner", "stove burner replaced", "alarm code",
    "alarm clock", "car alarm", "burglar alarm", "fuma", "fumando", "firewood", "calorie", "sunburn",
    "hot water", "heartburn", "fire insurance", "insurance for fire",
  },
}
