-- SPDX-License-Identifier: Apache-2.0
-- What catches fire in a house.
return {
  "microwave", "toaster", "curtain", "curtains", "couch", "sofa", "bed", "mattress", "rug", "carpet", "pan",
  "pot", "skillet", "grease", "oil", "tv", "television", "battery", "scooter", "e bike", "bike", "laptop",
  "charger", "phone", "heater", "space heater", "dryer", "washer", "machine", "oven", "stove", "grill", "trash",
  "garbage", "dumpster", "bin", "can", "paper", "cardboard", "tree", "christmas tree", "candle", "blanket",
  "towel", "clothes", "hair", "sleeve", "wood", "roof", "shed", "car", "van", "truck", "fence", "grass", "bush",
  "balcony", "chair", "lamp", "fan", "outlet", "wire", "wires", "plug", "panel", "fuse", "motor", "vent",
  "chimney", "insulation", "attic", "fryer", "air conditioner", "ac", "microondas", "tostadora", "cortina",
  "cortinas", "sofá", "sillón", "cama", "colchón", "alfombra", "sartén", "olla", "aceite", "manteca", "tele",
  "televisor", "batería", "patineta", "patín", "cargador", "celular", "calentador", "secadora", "lavadora",
  "máquina", "horno", "estufa", "basura", "basurero", "bote", "papel", "cartón", "árbol", "arbolito", "vela",
  "veladora", "cobija", "toalla", "ropa", "pelo", "madera", "techo", "carro", "auto", "coche", "camión",
  "pasto", "silla", "lámpara", "ventilador", "enchufe", "cable", "cables", "freidora", "aire acondicionado",
  "depósito", "bodega", "medidor", "contador",
}
