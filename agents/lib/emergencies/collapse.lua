-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: chest pain, fainting, seizures, strokes, severe allergic reactions.
return {
  any = {
    "chest pain", "eyes rolled back", "eyes rolled", "went limp", "gone limp", "isn't answering me", "twitching",
    "cold and clammy", "ojos en blanco", "no contesta", "speech is slurred", "blacking out",
    "shaking uncontrollably", "temblando sin control", "heart attack", "passed out", "unconscious",
    "not responding", "unresponsive", "having a seizure", "seizure", "seizing", "having a stroke", "collapsed",
    "fainted", "anaphylaxis", "anaphylactic", "anaphylactic shock", "allergic reaction", "not waking up",
    "lost consciousness", "no pulse", "cardiac arrest", "convulsing", "overdose", "face is drooping", "slurring",
    "slurring his words", "stroke", "dolor de pecho", "ataque al corazón", "ataque cardíaco", "infarto",
    "se desmayó", "me desmayé", "desmayado", "inconsciente", "está convulsionando", "derrame cerebral",
    "no responde", "no despierta", "no reacciona", "perdió el conocimiento", "perdió la conciencia",
    "reacción alérgica", "anafilaxia", "no tiene pulso", "se desplomó", "out cold", "epipen",
    "choque anafiláctico", "dropped to the floor", "hives and swelling", "can't wake him", "cannot wake him up",
  },
  near = {
    {
      { "chest", "heart" },
      { "pain", "hurt", "tight", "tightness", "pressure", "crushing", "squeezing", "heavy", "heaviness", "pounding",
        "racing", "burning", "ache", "stopped" },
      within = 7,
    },
    {
      { "pecho", "corazón" },
      { "dolor", "presión", "opresión", "aprieta", "apretado", "punzada", "ataque", "oprime" },
      within = 7,
    },
    {
      { "allergic", "allergy", "alergia" },
      { "reaction", "hives", "swelling", "throat", "rash all over", "reacción", "ronchas", "hinchado", "fuerte" },
      within = 8,
    },
    {
      { "face", "mouth", "cara", "boca" },
      { "drooping", "droopy", "sagging", "caída", "torcida", "se le cayó", "chueca" },
      within = 6,
    },
    {
      { "wake", "respond", "despertar", "reaccionar", "responder" },
      { "won't", "not", "can't", "no", "doesn't", "isn't" },
      within = 4,
    },
    {
      { "arm", "brazo" },
      { "numb", "weak", "can't move", "can't lift", "dormido", "adormecido", "no puede mover", "débil" },
      within = 6,
    },
    {
      { "fell", "floor", "dropped", "slumped", "cayó", "suelo" },
      { "not moving", "shaking", "jerking", "no se mueve", "temblando", "eyes rolled", "foam" },
      within = 12,
    },
    {
      { "foaming", "espuma" },
      { "mouth", "boca" },
      within = 5,
    },
  },
  ask = {
    "chest", "having a fit", "some kind of fit", "a fit", "seizure", "stroke", "faint", "pecho", "collapse",
    "about to pass out", "going to faint", "feel faint", "dizzy", "mareado", "voy a desmayar", "hives", "ronchas",
    "clammy", "limp", "not moving", "se cayó al piso",
  },
  unless = {
    "chest x ray", "chest xray", "chest of drawers", "stroke of", "stroke my", "brush stroke", "always faint",
    "usually faint", "tend to faint", "faint at", "faint easily", "heart murmur", "heart medication",
    "heart condition", "corazón de", "allergic to", "allergies to", "alérgico a", "heart set", "treasure chest",
    "breaks my heart", "faint line", "wake up early", "respond to my email", "no despierta interés",
    "stroke recovery", "numb from the filling",
  },
}
