-- SPDX-License-Identifier: Apache-2.0
-- Blood and its sight, in both languages.
return {
  "blood", "bleed", "bloody", "hemorrhage", "clot", "clots", "gauze", "red stuff", "gushing", "oozing",
  "spurting", "gushes", "stitches", "socket", "extraction", "hole", "tea bag",
  "sangre", "sangra", "sangrar", "sangrado", "hemorragia", "coágulo", "coágulos", "gasa", "gasas", "cuajos",
  "puntos", "rojo", "colorado", "algodón",
  "pad", "pads", "handkerchief", "handkerchiefs", "tissue", "tissues", "rag", "rags", "napkin", "napkins",
  "cloth", "washcloth", "paper towel", "paper towels", "cotton", "bib", "it is red", "mouth is red", "pañuelo",
  "pañuelos", "servilleta", "servilletas", "trapo", "trapos", "kleenex", "papel", "torunda", "algodones",
  "hoyo", "hueco",
  "bleeder", "drool blood", "saliva with blood", "sanguaza", "morado de sangre", "chorreadero",
}
