-- SPDX-License-Identifier: Apache-2.0
-- Whatever burns gas, oil or wood in a house.
return {
  "furnace", "boiler", "heater", "heating", "heat", "generator", "fireplace", "exhaust", "flue", "chimney", "stove",
  "oven", "burner", "pilot", "water heater", "range", "radiator", "cooker", "hob", "wood stove", "grill",
  "barbecue",
  "dryer", "vent pipe", "soot", "car running", "engine running", "tailpipe", "garage", "basement", "caldera",
  "calentador",
  "calefacción", "estufa", "generador", "chimenea", "calefactor", "calentón", "calefón", "calefont", "boiler",
  "brasero",
  "hornilla", "horno", "cocina", "quemador", "piloto", "secadora", "terma", "termo", "anafre", "fogón", "parrilla",
  "planta de luz", "garaje", "cochera", "leña", "carbón",
  "gas geyser", "geyser", "gas heater", "gas fire",
}
