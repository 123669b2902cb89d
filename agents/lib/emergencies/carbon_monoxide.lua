-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: the alarm sounds, or people near a burner feel sick.
return {
  any = { "carbon monoxide poisoning", "carbon monoxide leak", "intoxicado con monóxido", "fuga de monóxido" },
  near = {
    {
      { "monoxide", "carbon monoxide", "co", "c o" },
      { "going off", "went off", "beep", "sound", "ring", "scream", "trigger", "blare", "high", "level", "reading",
        "red", "flash", "sick", "dizzy", "headache", "poison", "ppm", "alert", "shriek", "suena", "sonando", "pita",
        "marca", "intoxicado", "mareado", "disparó", "activó", "chillando" },
      within = 10,
    },
    {
      { "dizzy", "headache", "nauseous", "nausea", "lightheaded", "light headed", "woozy", "throwing up", "vomit",
        "drowsy", "sleepy", "passed out", "feel sick", "felt sick", "feel ill", "head hurts", "got sick",
        "confused", "mareado", "dolor de cabeza", "somnoliento", "ganas de vomitar" },
      { "furnace", "boiler", "heater", "heating", "generator", "fireplace", "exhaust", "flue", "chimney",
        "gas stove", "heat on", "heat came on", "caldera", "calentador", "calefacción", "estufa", "generador",
        "chimenea", "calefactor", "calentón" },
      within = 14,
    },
  },
  ask = {
    "carbon monoxide", "dizzy", "headache", "nauseous", "mareados", "dolor de cabeza", "monoxide", "co alarm",
    "co detector", "everyone has a headache", "we all have headaches", "all feel dizzy", "everyone is dizzy",
    "everybody feels sick", "all mareados", "todos mareados", "todos con dolor de cabeza",
  },
  unless = { "low battery", "battery", "chirp", "batería", "pila" },
}
