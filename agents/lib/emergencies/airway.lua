-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: trouble breathing or swallowing, and swelling that may cause it.
return {
  any = {
    "can't breathe", "not breathing", "can't swallow", "choking", "throat is closing", "stopped breathing",
    "short of breath", "shortness of breath", "can't get air", "gasping", "turning blue", "barely breathe",
    "suffocating", "no air", "lips are blue", "can't catch my breath", "no puede respirar", "no respira",
    "me ahogo", "se ahoga", "ahogando", "se está ahogando", "falta el aire", "atragantó", "se asfixia",
    "asfixiando", "no puedo tragar", "se pone azul", "poniendo morado", "no entra aire", "throat is closing up",
    "wheezing", "not getting air", "not getting enough air", "can't talk", "can't stop coughing",
    "no deja de toser", "can barely talk", "can't speak", "can barely speak", "no puede hablar", "going blue",
    "labios azules", "inhaled a tooth", "breathed in a",
  },
  near = {
    {
      { "breath", "swallow", "air" },
      { "trouble", "hard", "difficult", "difficulty", "struggle", "barely", "labored", "problem", "harder", "tough",
        "unable", "not able", "can hardly", "hard time", "can't", "could not", "can barely", "hardly", "wheezing",
        "getting worse", "funny", "weird", "shallow", "noisy", "fast" },
      within = 6,
    },
    {
      { "swollen", "puffed", "blowing up", "ballooned" },
      { "throat", "tongue", "neck", "airway", "eye", "under my jaw", "floor of the mouth", "windpipe", "eye shut" },
      within = 8,
    },
    {
      { "throat", "airway", "windpipe" },
      { "close", "tight", "tightening", "blocked", "stuck", "lodged", "shut" },
      within = 6,
    },
    {
      { "respirar", "tragar", "trago", "pasar saliva", "aire" },
      { "no puede", "trabajo", "cuesta", "cuesta trabajo", "difícil", "dificultad", "problema", "apenas", "falta",
        "casi no", "no logra", "no consigue", "mal" },
      within = 6,
    },
    {
      { "garganta", "lengua", "cuello", "ojo", "vías respiratorias" },
      { "hincha", "cierra", "cerrando", "inflamada", "bloqueada" },
      within = 7,
    },
  },
  ask = {
    "breathe", "swallow", "tragar", "coughing", "neck", "cuello", "voice is gone", "trouble talking",
    "trouble speaking", "respirar", "throat", "tongue", "garganta", "lengua", "swallowed my crown",
    "swallowed a tooth", "tongue feels thick", "can't open my mouth", "drooling", "no puedo abrir la boca",
    "voice sounds muffled", "swelling is spreading", "swelling is getting worse", "la hinchazón está subiendo",
  },
  unless = {
    "breathing exercises", "bad breath", "sore throat", "dolor de garganta", "mouth breather", "breath smells",
    "sleep apnea", "breath test", "mal aliento", "hold my breath", "fresh breath", "breath mints",
    "apnea del sueño", "choked up", "air conditioning", "air conditioner", "aire acondicionado",
    "breath of fresh air", "eye doctor", "hard to swallow that price", "tight schedule", "tight budget",
  },
}
