-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: water that cannot be stopped.
return {
  say = {
    en = "If you can reach it safely, turn off the main water valve now, and stay away from anything "
      .. "electrical.",
    es = "Si puede hacerlo sin peligro, cierre la llave general del agua ahora y no se acerque a nada "
      .. "eléctrico.",
  },
  any = {
    "burst pipe", "geyser", "foot of water", "feet of water", "inches of water", "metro de agua",
    "water everywhere", "cellar is filling up", "basement is filling up", "main broke", "flooding", "flood in the",
    "pipe exploded", "pipe blew", "agua por todos lados", "agua por todas partes", "se inundó", "inundado",
    "se está inundando", "chorro de agua", "toilet is overflowing", "water won't stop", "can't stop the water",
    "water won't turn off", "can't shut off the water", "can't turn off the water",
  },
  near = {
    {
      { "water" },
      { "gushing", "pouring", "spraying", "shooting", "rushing", "spewing", "coming through", "coming down",
        "running down", "rising", "ankle deep", "inches", "everywhere", "cascade", "waterfall", "raining",
        "overflow", "won't stop", "can't stop", "won't shut off", "can't shut off", "can't turn off", "all over",
        "streaming", "flowing", "dripping through", "keeps coming", "filling up", "still coming", "won't quit",
        "sigue saliendo", "blasting" },
      within = 9,
    },
    {
      { "pipe", "hose", "water main", "main line", "valve", "water heater", "tank", "line", "supply line", "faucet",
        "radiator", "sprinkler", "hydrant", "boiler", "tubería", "tubo", "caño", "cañería", "manguera",
        "tanque", "llave", "calentador", "radiador" },
      { "burst", "exploded", "split", "ruptured", "blew", "blown", "broke open", "snapped", "busted", "broke",
        "cracked", "pouring", "gushing", "spraying", "flooding", "reventó", "rompió", "estalló", "tronó" },
      within = 6,
    },
    {
      { "ceiling", "techo" },
      { "collapse", "coming down", "caving", "falling", "fell", "sagging", "bulging", "water", "pouring", "raining",
        "agua", "cae", "cayendo", "gotea", "goteando", "chorrea" },
      within = 7,
    },
    {
      { "overflow", "desbordó", "rebosa" },
      { "toilet", "tub", "bathtub", "sink", "washer", "washing machine", "dishwasher", "inodoro", "excusado",
        "lavabo", "tina", "bañera", "lavadora" },
      within = 6,
    },
    {
      { "agua" },
      { "sale a chorros", "chorros", "no para", "sin parar", "cae del techo", "cayendo", "brota", "todas partes",
        "todos lados", "no se cierra", "no puedo cerrar", "borbotones", "subiendo", "llegando", "no deja de salir" },
      within = 9,
    },
  },
  unless = {
    "flood insurance", "flood light", "floodlight", "flood zone", "seguro de inundación", "pipe organ",
    "water bill", "water pressure", "flooded with calls",
  },
}
