-- SPDX-License-Identifier: Apache-2.0
-- That there is water where it should not be.
return {
  "water", "flood", "leak", "drip", "wet", "soak", "pouring", "rain", "puddle", "submerged", "underwater",
  "damp", "soaking", "drenched", "moisture", "liquid",
  "pipe burst", "burst pipe", "overflow", "splash", "spray", "swimming", "shower", "sink", "faucet", "tap",
  "tub", "bathtub", "pool",
  "agua", "inundado", "inundación", "inundó", "gotea", "goteando", "mojado", "moja", "charco", "fuga", "gotera",
  "empapado", "húmedo", "lluvia", "llueve",
  "chorrea", "escurre", "regadera", "ducha", "grifo", "canilla", "llave", "pileta", "tina", "lavabo",
  "lavaplatos", "fregadero", "encharcado",
  "inches", "filling up", "filled up", "fishbowl", "trickle", "trickling", "seep", "seeping", "coming in",
  "running down", "raining", "sprinkler", "gallons", "condensation", "flowing", "spill", "spilled",
  "standing in", "ankle", "knee deep", "ceiling", "chorro", "cae del techo", "filtra", "filtración",
  "filtrando", "mojada", "mojó", "derramó", "subiendo", "lleno", "llenando",
}
