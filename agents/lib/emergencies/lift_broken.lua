-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: a lift that does not work.
return {
  say = {
    en = "Thank you, I will let our technician know about the elevator today.",
    es = "Gracias, hoy mismo avisaré a nuestro técnico del ascensor.",
  },
  any = { "elevator is broken", "elevator is down", "elevator is out" },
  near = {
    {
      { "elevator", "lift", "ascensor", "elevador" },
      { "broken", "out of order", "not working", "doesn't work", "out of service", "not moving", "is down",
        "stopped working", "out again", "won't come", "stuck", "not coming", "won't go", "acting up", "no funciona",
        "descompuesto", "averiado", "no sirve", "dañado", "fuera de servicio", "no anda", "se descompuso",
        "no sube", "no baja", "roto", "parado", "noise", "wrong floor", "skips", "jerks", "shakes", "ruido",
        "no llega" },
      within = 8,
    },
  },
  unless = { "elevator fob", "elevator key", "elevator music", "elevator permit", "elevator inspection" },
}
