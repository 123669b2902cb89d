-- SPDX-License-Identifier: Apache-2.0
-- What carries current in a house.
return {
  "outlet", "socket", "electrical", "electric", "electricity", "power", "panel", "breaker", "fuse", "fuse box",
  "circuit", "junction box",
  "ceiling fan", "fan", "ceiling light", "light", "lights", "appliance", "extension cord", "cord", "meter",
  "wiring", "wire", "wires", "power strip",
  "light fixture", "fixture", "light switch", "switch", "cable", "lamp", "plug", "plugged in", "bulb",
  "chandelier", "washer", "washing machine", "dryer",
  "dishwasher", "fridge", "refrigerator", "freezer", "microwave", "tv", "heater", "sump pump", "charger",
  "computer", "current", "live", "electrics", "mains",
  "enchufe", "tomacorriente", "toma", "panel", "fusible", "interruptor", "contacto", "chispa", "lámpara",
  "foco", "bombillo", "bombilla", "apagador",
  "caja de la luz", "breakers", "breaker", "tablero", "cortocircuito", "corriente", "luz", "luces", "cable",
  "cables", "medidor", "extensión", "regleta",
  "nevera", "refri", "refrigerador", "lavadora", "secadora", "ventilador", "plafón", "eléctrico",
  "electricidad", "tacos", "térmica", "llave de luz", "alargue", "triple",
  "energized", "voltage", "volts", "transformer", "conduit", "bus duct", "electrical room", "mechanical room",
  "switchgear", "can lights", "recessed lights", "disconnect", "generator", "elevator motor", "toma corriente",
  "llave térmica", "contador", "cuadro", "caja eléctrica", "trifásico", "voltaje", "transformador", "cableado",
  "cordón", "clavija",
}
