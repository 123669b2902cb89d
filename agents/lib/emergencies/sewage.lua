-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: sewage coming up.
return {
  say = {
    en = "Please stop using water, do not flush, and keep children and pets away from it.",
    es = "Por favor no use agua, no tire de la cadena, y mantenga alejados a niños y mascotas.",
  },
  any = {
    "sewage", "raw sewage", "sewer backup", "sewer backed up", "aguas negras", "aguas residuales", "agua de cloaca",
    "cloaca",
  },
  near = {
    {
      { "sewer", "septic", "main drain", "drain", "toilet", "shower drain", "floor drain", "drenaje",
        "alcantarillado", "desagüe", "inodoro", "excusado", "coladera", "fosa séptica", "baño" },
      { "coming back up", "coming up", "backing up", "black water", "brown water", "dirty water", "poop", "feces",
        "waste", "overflowing into", "se regresa", "regresando", "sale agua sucia", "devuelve", "se desborda",
        "desbordó", "rebosa", "se devuelve", "sube" },
      within = 8,
    },
    {
      { "poop", "feces", "shit", "crap", "excrement", "human waste", "caca", "mierda", "heces" },
      { "coming", "up", "floor", "tub", "bathtub", "shower", "everywhere", "overflow", "drain", "basement", "sale",
        "piso", "ducha", "coladera", "tina", "regadera", "baño", "drenaje" },
      within = 8,
    },
  },
  unless = {
    "sewage bill", "sewer bill", "sewer line inspection", "septic inspection", "sewage ejector", "sewage tax",
    "sewer tax", "sewage pump",
  },
}
