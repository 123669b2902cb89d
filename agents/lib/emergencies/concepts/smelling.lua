-- SPDX-License-Identifier: Apache-2.0
-- That something smells, or tastes, or stings.
return {
  "smell", "odor", "stink", "stench", "reek", "whiff", "fumes", "sniff", "taste", "scent", "aroma", "stinky",
  "stunk",
  "stank", "pong", "hum", "vapor", "nose", "breathe in", "huele", "apesta", "hedor", "peste", "tufo", "jede",
  "hiede",
  "olfato", "olorcito", "emanación", "vapores", "nariz", "sabor", "sabe", "pestilencia",
  "smelly", "smells", "funk", "funky", "stinking", "smell bad", "odour", "siente", "sentimos", "se siente",
  "arde la nariz", "pica la nariz", "olores", "aliento", "perfume", "hediondo", "hedionda", "hediondez",
}
