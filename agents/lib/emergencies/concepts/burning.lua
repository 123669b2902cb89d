-- SPDX-License-Identifier: Apache-2.0
-- Fire, smoke and what comes before them.
return {
  "fire", "smoke", "smokey", "smoky", "flame", "flames", "burn", "burning", "burnt", "blaze", "blazing",
  "smolder", "smoulder", "haze", "hazy", "embers", "ash", "ashes", "charred", "singed", "scorched", "melting",
  "melted", "inferno", "glowing", "glow", "sparks", "spark", "explosion", "exploded", "explode", "torched",
  "ablaze", "alight", "lit up", "orange light", "toasty",
  "fuego", "humo", "humareda", "humero", "llama", "llamas", "quema", "quemado", "quemando", "quemó", "quemazón",
  "incendio", "incendia", "incendió", "arde", "ardiendo", "brasas", "ceniza", "chamuscado", "derritiendo",
  "derritió", "explosión", "explotó", "prendió", "prendido", "prendiendo", "chispas", "chispa", "lumbre",
  "candela", "achicharrado", "llamarada", "fogata", "echa humo", "humea", "humeando",
  "gone up", "went up", "going up", "orange", "red glow", "crackle", "crackling", "smells hot", "hot plastic",
  "plastic smell", "fog", "foggy", "smog", "smoggy", "cloud", "clouds", "mist", "black stuff", "soot",
  "matches", "lighter", "set fire", "firework", "fireworks", "pops", "popping", "cloudy", "char", "fume",
  "fumes", "chispea", "cerillos", "fósforos", "encendedor", "cohetes", "neblina", "nube", "nubes", "hollín",
  "tizne", "truena", "tronó", "huele a plástico", "plástico", "hule", "caucho", "se encendió", "encendido",
  "naranja", "chamusca", "tatema", "tatemado",
  "burns", "burnin", "cooking", "toast", "smelling smoke", "smells like smoke", "coughing",
  "prende", "prendieron", "prendida", "encendió", "fogonazo", "chamusquina", "calcinado", "tizón", "ardía",
  "quemándose", "ahumado", "lumbrada",
  "alarming", "fire truck", "scorching", "singe", "roasting", "ember", "humeante", "arden", "quemaron",
  "prendía",
}
