-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: trouble breathing or swallowing, and swelling that may cause it.
local breathing = require "lib.emergencies.concepts.breathing"
local hard_to = require "lib.emergencies.concepts.hard_to"
local spreading = require "lib.emergencies.concepts.spreading"

return {
  say = {
    en = "This can be dangerous, and it cannot wait for us. Hang up and call 911 now, and sit upright "
      .. "until help comes to you.",
    es = "Esto puede ser peligroso y no puede esperar. Cuelgue y llame al 911 ahora, y manténgase "
      .. "sentado y erguido.",
  },
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
    "breath", "air", "choke", "choking", "gag", "gagging", "gasping", "wheeze", "wheezing", "suffocate",
    "turning blue", "going blue", "blue lips", "purple", "drool", "windpipe", "stuck in his throat",
    "stuck in her throat", "stuck in my throat", "respira", "aire", "ahoga", "ahogo", "asfixia", "morado",
    "azul", "moradito", "atora", "atoró", "atragantó", "garganta",
    "pescuezo", "babea", "babeando", "lockjaw", "jaw is locked", "puffed up", "face is huge", "face blew up",
    "eye is swollen", "eye is shut", "no puede hablar", "no puede toser", "se queda sin aire", "resuella",
    "swollen neck", "puffy eye", "purple lips", "saliva",
    "rattle", "dribble", "smother", "panting", "scary noises", "squeaky", "lump in my throat",
    "getting smaller", "can not lie flat", "croaky", "atorada", "atorado", "jadea", "silbido", "le cuesta",
    "no pasa nada por la garganta",
    "cuello hinchado", "bola en el cuello", "voice is change", "voice changed", "no pasa el agua",
    "se está yendo la voz",
    "trismus", "stridor", "floor of mouth", "airway", "ludwig", "obstructed", "tongue is pushed",
    "swelling shut", "swollen shut",
  },
  ask_near = {
    {
      { "hard", "difficult", "can't", "can not", "trouble", "hurts", "won't go", "won't pass", "no good", "not",
        "cuesta", "difícil", "no pasa", "no me pasa", "no puedo", "no puede", "no baja", "trabajo",
        "se regresa" },
      { "drink", "water", "food", "eat", "soup", "tea", "pill", "pass", "gulp", "down", "agua", "comida",
        "comer", "tomar", "sopa", "pastilla", "saliva", "beber", "líquido" },
      within = 5,
    },
    { breathing, hard_to, within = 8 },
    {
      { "tongue", "throat", "neck", "eye", "eyes", "chin", "airway", "lips", "face", "mouth", "lengua",
        "garganta", "cuello", "ojo", "ojos", "párpados", "labios", "cara", "boca", "papada", "pescuezo" },
      spreading,
      within = 10,
    },
    {
      { "swelling", "swollen", "abscess", "infection", "hinchazón", "absceso", "infección", "flemón" },
      { "eye", "neck", "throat", "tongue", "chin", "worse", "bigger", "spreading", "fast", "down", "ojo",
        "cuello", "garganta", "lengua", "peor", "baja", "sube", "rápido", "bajó", "subió" },
      within = 12,
    },
    {
      { "swallowed", "inhaled", "sucked in", "breathed in", "went down", "tragó", "tragué", "aspiró", "se fue",
        "se le fue" },
      { "crown", "tooth", "bridge", "denture", "piece", "bracket", "retainer", "filling", "cap", "wrong",
        "throat", "corona", "diente", "muela", "pedazo", "puente", "aparato", "garganta", "mal lado",
        "otro lado", "algodón" },
      within = 9,
    },
    { { "open", "abrir", "abre" }, { "mouth", "jaw", "eye", "boca", "quijada", "ojo", "mandíbula" }, within = 6 },
  },
  unless = {
    "breathing exercises", "bad breath", "sore throat", "dolor de garganta", "mouth breather", "breath smells",
    "sleep apnea", "breath test", "mal aliento", "hold my breath", "fresh breath", "breath mints",
    "apnea del sueño", "choked up", "air conditioning", "air conditioner", "aire acondicionado",
    "breath of fresh air", "eye doctor", "hard to swallow that price", "tight schedule", "tight budget",
    "cough up", "air tight", "on air", "against my tongue", "rubs my tongue", "tongue tied", "tongue scraper",
    "air bubble", "tongue piercing", "takes my breath", "take my breath", "out of breath climbing",
    "clear my throat", "neck of the woods", "pain in the neck", "lump sum",
    "ahogada de trabajo", "ahogado de trabajo", "ahogado en deudas", "ahogada en deudas", "blue insurance",
    "blue cross", "blue shield", "retainer case", "eye appointment", "eye on", "keep an eye", "close to",
    "big deal", "at what time do you close", "close at", "mouth wash", "mouthwash", "open on", "open at",
    "big smile", "no problem", "fresh air", "air dry", "neckline", "air force",
    "en el aire", "al aire libre", "cruz azul", "sore neck from", "whiten", "purple toothbrush",
  },
}
