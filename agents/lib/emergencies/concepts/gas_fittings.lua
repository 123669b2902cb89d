-- SPDX-License-Identifier: Apache-2.0
-- What gas runs through or comes out of.
return {
  "stove", "oven", "range", "burner", "knob", "hob", "cooker", "furnace", "boiler", "water heater", "heater",
  "dryer",
  "meter", "tank", "cylinder", "bottle", "canister", "hose", "pipe", "line", "valve", "fitting", "connector",
  "regulator",
  "tube", "propane", "pilot", "pilot light", "main", "stovetop", "cooktop", "yellow line", "yellow hose",
  "flex line",
  "estufa", "horno", "cocina", "hornilla", "perilla", "quemador", "calentador", "calefón", "calefont", "boiler",
  "caldera",
  "medidor", "tanque", "cilindro", "garrafa", "bombona", "balón", "pipa", "manguera", "tubo", "tubería", "caño",
  "llave", "válvula", "conexión", "regulador", "piloto", "secadora", "anafre", "fogón", "calefactor", "flexible",
}
