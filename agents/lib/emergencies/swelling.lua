-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: a swollen cheek or gum, an abscess.
return {
  say = {
    en = "I will let the dentist know about the swelling today. If it gets hard to breathe or to "
      .. "swallow, call 911.",
    es = "Avisaré hoy al dentista de la hinchazón. Si le cuesta respirar o tragar, llame al 911.",
  },
  any = {
    "abscess", "swollen", "hinchado", "pus", "gum is swollen", "face is swollen", "cheek is swollen", "swollen jaw",
    "cachete hinchado", "cara hinchada", "encía hinchada", "flemón", "postemilla",
  },
  near = {
    {
      { "swollen", "puffy", "inflamed", "infected", "infection", "lump", "bump", "hinchado", "inflamación",
        "infección", "bulto" },
      { "cheek", "gum", "face", "jaw", "tooth", "mouth", "lip", "wisdom tooth", "cachete", "mejilla", "cara",
        "encía", "mandíbula", "diente", "muela", "boca", "labio", "extraction" },
      within = 7,
    },
    {
      { "fever", "fiebre", "calentura", "temperature" },
      { "tooth", "toothache", "gum", "jaw", "muela", "diente", "encía", "extraction" },
      within = 12,
    },
  },
}
