-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: people who are stuck in a lift.
local inside = require "lib.emergencies.concepts.inside"
local lift = require "lib.emergencies.concepts.lift"
local panic = require "lib.emergencies.concepts.panic"

return {
  say = {
    en = "Please stay calm, stay away from the doors, and do not try to climb out. If anyone is hurt or "
      .. "feels ill, call 911 now.",
    es = "Mantengan la calma, aléjense de las puertas y no intenten salir. Si alguien se siente mal, "
      .. "llame al 911 ahora.",
  },
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
    "get me out", "get us out", "let me out", "let us out", "let them out", "can't get out", "stuck in here",
    "stuck in there", "stuck in this", "we are stuck", "i am stuck", "between floors", "in this box",
    "red button", "emergency button", "pushed the alarm", "someone is yelling", "banging on the door",
    "sáquenos", "sáquenme", "sáquenos de aquí", "no podemos salir", "no puedo salir", "no puede salir",
    "no pueden salir", "quedé encerrado", "quedamos encerrados", "quedé atrapada", "entre pisos", "botón rojo",
    "botón de emergencia", "nos quedamos encerrados", "me quedé encerrado", "atorados", "encerrados",
    "atrapados",
    "elevator dropped", "elevator jerked", "elevator went dark",
    "entrapment", "passenger stuck", "stuck passenger", "trapped passenger", "elevator emergency",
    "elevator phone",
  },
  ask_near = {
    {
      { "doors closed", "door closed", "se cerraron las puertas", "se cerró la puerta" },
      { "alone", "crying", "inside", "hear", "kid", "solo", "sola", "llorando", "adentro", "niño", "niña" },
      within = 16,
    },
    {
      { "doors", "door", "puertas", "puerta" },
      { "nobody comes", "bell", "in here", "dark", "pressed", "can't get out", "no air", "squished",
        "us inside", "timbre", "aquí adentro", "a oscuras", "no podemos salir", "no puedo salir", "encerrados",
        "con gente" },
      within = 12,
    },
    { lift, inside, within = 14 },
    { lift, panic, within = 14 },
    {
      { "stuck", "trapped", "locked in", "shut in", "atrapado", "atrapada", "encerrado", "encerrada", "atorado",
        "atorada" },
      { "in here", "in there", "inside", "between", "help", "let us out", "adentro", "aquí", "acá", "entre",
        "dentro", "ayuda" },
      within = 12,
    },
  },
  unless = {
    "nobody inside", "nobody in it", "no one inside", "no one in it", "nobody is in", "is empty", "nobody in there",
    "sin nadie", "nadie adentro", "nadie dentro", "está vacío", "face lift", "couch stuck", "stuck button",
    "inside light", "lift the", "lift up", "no hay nadie", "smells inside", "poster inside", "sign inside",
    "mirror inside", "luz dentro",
    "reserve the elevator", "reserve the service elevator", "service elevator", "elevator reservation",
    "elevator de carga", "elevador de carga", "move in", "moving in", "moving out", "mudanza", "car is trapped",
    "car is stuck", "car is blocked",
    "key stuck", "key is stuck", "package", "door is stuck", "window is stuck", "stuck with the bill", "drawer",
    "garbage disposal", "parking", "my car", "mi carro", "mi coche", "la llave", "stuck on hold",
    "stuck in traffic", "mailbox",
  },
}
