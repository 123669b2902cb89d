-- SPDX-License-Identifier: Apache-2.0
-- Where in a house, and that it is here.
return {
  "kitchen", "basement", "house", "home", "apartment", "hallway", "hall", "room", "lobby", "garage", "building",
  "laundry",
  "closet", "bathroom", "bedroom", "downstairs", "upstairs", "cellar", "attic", "yard", "backyard", "outside",
  "inside",
  "stairwell", "stairs", "floor", "flat", "unit", "next door", "neighbor", "neighbour", "trailer", "shop", "store",
  "office", "school", "church", "restaurant", "everywhere", "all over", "in here", "the place", "whole place",
  "corridor", "window",
  "door", "wall", "ceiling", "roof", "porch", "balcony", "parking", "shed", "crawl space", "air", "cocina",
  "sótano", "casa", "hogar",
  "departamento", "apartamento", "depa", "piso", "pasillo", "cuarto", "pieza", "edificio", "garaje", "cochera",
  "lavandería", "baño", "recámara", "dormitorio", "habitación", "abajo", "arriba", "patio", "jardín", "afuera",
  "adentro",
  "escalera", "vecino", "vecina", "local", "tienda", "negocio", "oficina", "escuela", "por todos lados", "aquí",
  "acá",
  "ventana", "puerta", "pared", "techo", "azotea", "balcón", "aire", "sala", "entrada", "zaguán", "bodega",
}
