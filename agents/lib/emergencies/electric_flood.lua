-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: water together with electricity.
return {
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
  ask = { "sparks", "shock", "chispas" },
  unless = {
    "electric water heater", "water heater", "calentador de agua", "calentador eléctrico", "electric bill",
    "water bill", "recibo de agua", "recibo de luz", "plug the leak", "drain plug", "plug the hole", "sink plug",
    "spark plug", "water softener",
  },
}
