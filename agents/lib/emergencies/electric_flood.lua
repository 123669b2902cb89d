-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: water together with electricity.
local current = require "lib.emergencies.concepts.current"
local electric = require "lib.emergencies.concepts.electric"
local wet = require "lib.emergencies.concepts.wet"

return {
  say = {
    en = "Do not touch the water or anything electrical, and keep everybody away from it. If anyone is "
      .. "hurt, or you see sparks or smoke, leave and call 911.",
    es = "No toque el agua ni nada eléctrico, y que nadie se acerque. Si hay alguien herido, chispas o "
      .. "humo, salga y llame al 911.",
  },
  any = {
    "electrocuted", "got a shock", "shocked me", "gave me a shock", "getting shocked", "electric shock",
    "se electrocutó", "me dio un toque", "dio corriente", "da corriente", "descarga eléctrica",
    "me dio un calambre", "da toques", "dio una descarga", "water zapped me",
  },
  near = {
    {
      { "water", "flood", "leak", "drip", "wet", "soak", "pouring", "rain", "puddle", "submerged", "underwater",
        "agua", "inundado", "gotea", "goteando", "mojado", "charco", "fuga", "gotera", "empapado" },
      { "outlet", "socket", "electrical", "electrical panel", "breaker", "breaker box", "fuse box", "fuse",
        "circuit", "junction box", "ceiling fan", "ceiling light", "appliances", "power is on", "power is still on",
        "extension cords", "medidor", "fusebox", "wiring", "power strip", "light fixture", "light switch", "switch",
        "power cord", "cable", "lamp", "lights", "plug", "spark", "chandelier", "enchufe", "tomacorriente", "panel",
        "fusible", "interruptor", "contacto", "chispa", "lámpara", "foco", "apagador", "caja de la luz", "tablero",
        "cortocircuito", "corriente", "luces" },
      within = 12,
    },
    {
      { "spark", "shock", "zap", "buzz", "sizzle", "short circuit", "shorting", "crackle", "tingle", "chispas",
        "zumba", "cortocircuito" },
      { "water", "wet", "leak", "flood", "puddle", "sink", "shower", "faucet", "tap", "basement", "pipe", "drip",
        "tub", "agua", "mojado", "sótano", "regadera", "ducha", "llave", "grifo", "lavabo" },
      within = 10,
    },
  },
  ask = {
    "sparks", "shock", "chispas",
    "zap", "zapped", "zaps", "jolt", "tingle", "tingling", "electrocute", "electricuted", "sparking",
    "short circuit", "corto", "cortocircuito", "toques", "calambre", "corrientazo", "descarga", "chispazo",
    "shorting out", "got shocked", "lights are flickering", "lights flicker", "parpadean las luces", "buzzing",
    "bit me", "went bang", "tickles", "got bit", "jolted", "blue flash", "me pegó la corriente",
    "me agarró la corriente", "pasa corriente", "chispea",
    "electric come", "current in", "corriente", "pateó", "me pateó", "electrocuta", "da la corriente",
    "light box", "caja de luz",
    "energized", "live wire", "live wires", "electrified", "hot ground", "cables pelados", "cable pelado",
  },
  ask_near = {
    { wet, electric, within = 14 },
    { wet, current, within = 12 },
    { current, electric, within = 8 },
    { { "touch", "touched", "touching", "tocar", "toca", "tocó", "toqué", "grab" }, current, within = 10 },
  },
  unless = {
    "electric water heater", "water heater", "calentador de agua", "calentador eléctrico", "electric bill",
    "water bill", "recibo de agua", "recibo de luz", "plug the leak", "drain plug", "plug the hole", "sink plug",
    "spark plug", "water softener",
    "shower head", "power wash", "power washer", "power flush", "wash machine hookup", "shock absorber",
    "shocked at the price", "shocked by the bill", "sticker shock", "light plumbing", "pop in", "pop over",
    "pop by", "soda pop",
    "washer hookup", "dishwasher install", "dishwasher hookup", "toca esperar", "fan of", "new faucet",
    "light drip",
  },
}
