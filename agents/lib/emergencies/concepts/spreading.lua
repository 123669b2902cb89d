-- SPDX-License-Identifier: Apache-2.0
-- That a swelling grows, moves, or closes something.
return {
  "swelling", "swollen", "swell", "puffed", "puffy", "blowing up", "blew up", "ballooned", "balloon", "huge",
  "big", "twice the size", "double the size", "fat", "thick", "growing", "spreading", "spread", "going down",
  "moving down", "moved", "into", "up to", "down to", "getting bigger", "hard as", "tight", "closing", "closed",
  "close", "shut", "shutting",
  "swelled", "swole", "bulging", "bigger", "lump", "size of", "golf ball", "tennis ball", "grapefruit", "stiff",
  "red streak", "hot",
  "hinchado", "hinchada", "hincha", "hinchó", "hinchazón", "inflamado", "inflamada", "inflamó", "inflada",
  "infló", "grande", "enorme", "gorda", "crece", "creciendo", "bajó", "bajando", "subió", "subiendo", "corre",
  "cerrado", "cierra", "cerrando", "apretado", "dura", "duro", "pelota", "bola", "bolota", "globo", "deforme",
  "gruesa", "no cabe", "extendiendo",
  "smaller", "pushed up", "pushing", "pushed", "raised", "puff", "mumps", "bullfrog", "double chin",
  "disappearing", "disappeared", "gone", "no neck", "stretched", "bloated", "enlarged", "popping out", "bulge",
  "swelling up", "creeping", "crept", "reached", "traveling", "travelling", "climbing", "ballooning",
  "like a ball", "like a balloon", "like an orange", "like an egg", "abultada", "abultado", "abulta", "sapo",
  "huevo", "naranja", "toronja", "limón", "pelotita", "tapando", "tapado", "tapada", "llegó", "llegando",
  "recorre", "expandió", "expande", "trepó", "cerrándose", "apretando", "hinchadito", "hinchadita",
  "hinchadísimo", "hinchadísima", "monstruo",
  "basketball", "pumpkin", "melon", "watermelon", "baseball", "softball", "apple", "orange", "football",
  "elephant man", "giant", "doubled", "tripled", "firm", "hard", "trismus", "sandía", "melón", "pelota de",
}
