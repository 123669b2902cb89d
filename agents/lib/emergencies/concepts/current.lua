-- SPDX-License-Identifier: Apache-2.0
-- What current does to people and things.
return {
  "shock", "shocked", "zap", "jolt", "tingle", "tingly", "electrocuted", "buzz", "bzz", "hum", "humming",
  "crackle", "sizzle", "pop", "popping", "spark", "sparking", "arc", "flash", "fizz",
  "flicker", "blinking", "short circuit", "shorting", "shorted", "numb", "threw me", "knocked me back",
  "prickly", "stung", "bit me", "static", "burnt", "smoke", "smoking", "power went out",
  "tripped", "tripping", "toque", "toques", "calambre", "calambrazo", "corrientazo", "corriente", "descarga",
  "electrocutó", "patada", "pateó", "dio la luz", "hormigueo", "cosquilleo", "chispa", "chispazo",
  "chisporrotea",
  "zumba", "zumbido", "truena", "tronó", "parpadea", "parpadean", "prende y apaga", "humo", "cortocircuito",
  "corto", "se fue la luz", "sacudió", "sacudón", "agarró", "pasa corriente",
  "bang", "banged", "blue light", "blue flash", "blue spark", "hair stood", "kick", "kicked", "dimming", "dim",
  "went dark", "tickle", "tickles", "vibrate", "vibrating", "arcing", "exploded", "explode", "warm",
  "burning", "fried", "melted", "chicharra", "chicharrazo", "golpe", "pegó", "picó", "quemó",
  "quemado", "explotó", "estalló", "salta", "saltó", "brinca", "brincó", "luz azul", "vibra", "caliente",
  "se muere",
  "belt", "got a belt", "whack", "snap", "snapped", "wallop",
  "flew", "flew back", "backwards", "thrown", "thrown back", "threw", "flung", "pegado", "pegada", "aventó",
  "lanzó",
}
