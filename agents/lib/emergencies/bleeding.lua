-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: bleeding from the mouth that is heavy or does not stop.
return {
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
  },
  unless = {
    "bleeding gums when i brush", "bleed when i brush", "bleed when i floss", "blood pressure", "blood thinner",
    "blood test", "blood sugar", "blood work", "bloodwork", "bleed a little", "little blood", "little bit of blood",
    "sangran un poco", "un poco de sangre", "presión de sangre", "análisis de sangre", "bleeding edge",
    "bleeding money", "al cepillarme", "cuando me cepillo",
  },
}
