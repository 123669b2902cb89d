-- SPDX-License-Identifier: Apache-2.0
-- Breathing, swallowing, speaking.
return {
  "breath", "breathe", "breathing", "air", "swallow", "swallowing", "oxygen", "lungs", "gulp", "inhale", "talk",
  "speak", "voice", "spit", "saliva", "drool", "drooling", "cough", "gag", "gagging", "wheeze", "wheezing",
  "whistling", "gasp", "snoring", "gurgling", "choke", "choking", "inhaler",
  "respirar", "respira", "respiro", "respiración", "aire", "tragar", "traga", "trago", "pasar saliva", "saliva",
  "babea", "babeando", "baba", "hablar", "habla", "voz", "tos", "tose", "tosiendo", "pulmones", "oxígeno",
  "pecho cerrado", "silbido", "silba", "ahogo", "ahoga", "atora", "atoró", "resuella", "jala aire", "ronca",
  "arcadas",
  "rattle", "rattles", "panting", "pant", "puffing", "winded", "snore", "gurgle", "croaky", "croak", "smother",
  "smothering", "go down", "goes down", "going down", "food down", "water down", "tea down", "drink", "eat",
  "dribble", "dribbling", "noises", "noise", "lie down", "lay down", "lay flat", "lie flat", "lying down",
  "beber", "tomar agua", "comer", "acostarme", "acostado", "acostarse", "ruidos", "ronquera", "ronco",
  "suspira", "jadea", "jadeando", "resopla", "aliento", "resuello", "respiradero", "gorgoteo", "babas",
  "stridor", "snorting", "hoarse", "kermit", "aspirate",
  "suck air", "catch his breath", "catch her breath", "sleep sitting", "air in", "choked", "chokes", "jala",
  "respirador", "hipo", "asfixiando",
}
