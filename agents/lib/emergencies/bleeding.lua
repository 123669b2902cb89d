-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: bleeding from the mouth that is heavy or does not stop.
local blood = require "lib.emergencies.concepts.blood"
local mouth = require "lib.emergencies.concepts.mouth"
local unstoppable = require "lib.emergencies.concepts.unstoppable"

return {
  say = {
    en = "Bite down firmly on a clean folded cloth and stay sitting up, leaning forward. If it is "
      .. "pouring, or anyone feels faint, call 911 now.",
    es = "Muerda con fuerza un paño limpio doblado y quédese sentado, inclinado hacia delante. Si sale a "
      .. "chorros o se marea, llame al 911 ahora.",
  },
  any = {
    "bleeding out", "hemorrhaging", "choking on blood", "coughing up blood", "spitting blood", "blood everywhere",
    "hemorragia", "me desangro", "se está desangrando", "blood clot fell out bleeding", "lots of blood",
    "escupiendo sangre", "tragando sangre", "pool of blood", "mouth full of blood", "boca llena de sangre",
  },
  near = {
    {
      { "bleed", "blood", "hemorrhage", "sangra", "hemorragia" },
      { "won't stop", "doesn't stop", "can't stop", "never stops", "hasn't stopped", "nonstop", "non stop",
        "won't quit", "not clotting", "a lot", "heavily", "heavy", "pouring", "gushing", "everywhere", "keep",
        "soaked", "gauze", "control", "profusely", "hours", "all night", "all day", "since yesterday", "fill",
        "mouthful", "spurting", "uncontrollable", "uncontrollably", "dripping down", "running down", "dripping",
        "swallowing", "bucket", "so much", "too much", "really bad", "badly", "like crazy", "pillow", "towel",
        "tons", "constant", "constantly", "still", "not slowing", "slow down", "bad", "will not let up", "clots",
        "huge clots", "no se quita", "no para", "no deja", "sin parar", "no se detiene", "mucho", "muchísimo",
        "muchísima", "chorro", "a chorros", "borbotones", "horas", "toda la noche", "no se corta", "abundante",
        "gasa", "sigue", "no puedo parar", "demasiada", "no coagula", "toda la boca", "empapado" },
      within = 9,
    },
  },
  ask = {
    "bleeding", "sangrando", "blood clots", "spitting clots", "huge clots", "big clots", "bloody", "blood coming",
    "blood in my mouth", "sale sangre", "coágulos",
    "blood", "bleed", "hemorrhage", "clots", "gushing", "soaked gauze", "gauze", "spurting", "sangre", "sangra",
    "sangrado", "coágulos", "cuajos", "gasa", "gasas", "desangra", "hemorragia", "sangrar", "stitches came out",
    "stitches popped", "se abrieron los puntos", "lip is split", "bit through", "bit his tongue",
    "bit her tongue",
    "won't stop coming", "keeps coming out", "red everywhere", "iron taste", "taste of metal",
    "weeping blood", "hasn't let up", "mouth is red", "mouth is all red", "taste of blood", "bleeder",
    "won't let up", "going on the carpet", "soaked through", "handkerchiefs",
  },
  ask_near = {
    {
      { "lip", "lips", "tongue", "gum", "cheek", "mouth", "labio", "lengua", "encía", "boca" },
      { "two pieces", "in half", "hanging", "flap", "puck", "knife", "sliced", "open", "ripped off", "torn off",
        "dog bit", "en dos", "colgando", "mordió", "se mordió", "cortada", "abierta", "partido", "partida" },
      within = 9,
    },
    { blood, unstoppable, within = 14 },
    { { "blood", "bleed", "bloody", "sangre", "sangra" }, mouth, within = 12 },
    {
      mouth,
      { "pouring", "gushing", "ripped", "tore", "torn", "split", "bit through", "cut", "gash", "hole", "partió",
        "rajó", "cortó", "desgarró", "abrió" },
      within = 10,
    },
    {
      { "pillow", "towel", "shirt", "sink", "sheets", "gauze", "almohada", "toalla", "camisa", "gasa",
        "sábanas" },
      { "red", "soaked", "full", "soaking", "rojo", "roja", "empapado", "empapada", "llena", "lleno" },
      within = 8,
    },
  },
  unless = {
    "bleeding gums when i brush", "bleed when i brush", "bleed when i floss", "blood pressure", "blood thinner",
    "blood test", "blood sugar", "blood work", "bloodwork", "bleed a little", "little blood", "little bit of blood",
    "sangran un poco", "un poco de sangre", "presión de sangre", "análisis de sangre", "bleeding edge",
    "bleeding money", "al cepillarme", "cuando me cepillo",
    "when i floss", "when flossing", "when i brush", "gums bleed a tiny", "bleed a tiny", "bloody expensive",
    "blood type", "blood drive", "blood orange", "family blood", "cepillo", "cepillarme", "hilo dental",
    "sangre azul", "blood pressure medication", "blood pressure pills", "cold blood", "gum graft",
    "stitches removed", "remove the stitches", "quitar los puntos", "gums bleed a little", "gum health",
  },
}
