-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: people who are stuck in a lift.
return {
  any = {
    "stuck in the elevator", "trapped in the elevator", "stuck in the lift", "trapped in the lift",
    "atrapado en el ascensor", "encerrado en el elevador",
  },
  near = {
    {
      { "elevator", "lift", "ascensor", "elevador" },
      { "stuck", "trapped", "help", "yelling", "alone", "with us", "with me", "with people", "with my", "ayuda",
        "no se mueve con", "locked in", "stranded", "caught in", "can't get out", "doors won't open", "won't open",
        "between floors", "get us out", "inside", "someone in", "people in", "somebody in", "banging", "screaming",
        "not let us out", "let us out", "atrapado", "atascado", "atorado", "encerrado", "no podemos salir",
        "no abre", "no abren", "dentro", "adentro", "entre pisos", "varados", "trabado", "sacarnos", "sáquennos",
        "sáqueme", "gente" },
      within = 10,
    },
    {
      { "i am in the elevator", "we are in the elevator", "i am in the lift", "we are in the lift",
        "i am inside the elevator", "estoy en el elevador", "estamos en el elevador", "estoy en el ascensor",
        "estamos en el ascensor" },
      { "not moving", "stopped", "stuck", "help", "doesn't move", "no se mueve", "se paró", "ayuda", "parado",
        "lights went out", "dropped" },
      within = 12,
    },
  },
  ask = {
    "trapped", "stuck inside", "atrapado", "encerrado", "elevator won't move", "elevator stopped",
    "el elevador no se mueve", "el elevador se paró", "el ascensor se paró", "el ascensor no se mueve",
    "lift stopped",
  },
  unless = {
    "nobody inside", "nobody in it", "no one inside", "no one in it", "nobody is in", "is empty", "nobody in there",
    "sin nadie", "nadie adentro", "nadie dentro", "está vacío", "face lift", "couch stuck", "stuck button",
    "inside light", "lift the", "lift up", "no hay nadie", "smells inside", "poster inside", "sign inside",
    "mirror inside", "luz dentro",
  },
}
