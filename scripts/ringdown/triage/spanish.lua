-- SPDX-License-Identifier: Apache-2.0
-- spanish: what the matcher knows of the language, in the form of english.lua.
local M = {}

M.light = [[
  el la los las un una unos unas de del al en mi mis su sus nuestra nuestro se me le les nos te lo que es son esta
  estan este estos estas eso esa ese esto hay fue era muchisimo hola bueno buenas buenos pues oiga oye mire por
  favor yo ella ellos nosotros tu usted
]]

M.loose = [[
  muy mucho mucha mucha fuerte fuertemente bastante como algo un poco todo toda todos ya y ahora mismo tengo tenemos
  tiene hemos ha he han creo parece estoy estamos raro natural bien mal horrible tan tanto tanta desde
]]

M.particles = [[sobre por con se pued]]

M.fillers = [[em ehm mmm este]]
M.filler_pairs = { "o sea", "a ver" }

M.contractions = { del = "de el", al = "a el", pa = "para", ta = "esta", toy = "estoy" }

M.numbers = {
  cero = 0, uno = 1, dos = 2, tres = 3, cuatro = 4, cinco = 5, seis = 6, siete = 7, ocho = 8, nueve = 9, diez = 10,
  veinte = 20, treinta = 30,
}

M.families = {
  pita = "pita", sangr = "sangr", respir = "respir", inund = "inund", quem = "quem", desmay = "desmay",
  inconsc = "inconsciente", incend = "incendi", hinch = "hinch", ahog = "ahog", atrap = "atrap", atasc = "atasc",
  atora = "atora", encerra = "encerra", escap = "escap", fuga = "fuga", huele = "olor", huelo = "olor",
  oler = "olor", olor = "olor", olia = "olor", oliendo = "olor", monoxid = "monoxide", mareo = "mare",
  mare = "mare", traga = "traga", trague = "traga", convuls = "convuls", asfix = "asfixi", alerg = "alerg",
  chispa = "chisp", chisp = "chisp", enchuf = "enchuf", electric = "electr", electrocut = "electrocut",
  ascensor = "ascensor", elevador = "elevador", explo = "explo", cloaca = "cloaca", desbord = "desbord",
  gote = "gotea", never = "never", nevera = "nevera", humo = "humo", huma = "humo", arde = "arde",
  ardi = "arde", golp = "golpe", dient = "diente", muela = "muela",
  lengua = "lengua", gargant = "garganta", pecho = "pecho", fueg = "fuego", tuber = "tuberia", revent = "revent",
  rompi = "romp", rompe = "romp", roto = "romp", rota = "romp", derram = "derram", pierd = "perd", perd = "perd",
}

M.irregular = {
  dientes = "diente", cayo = "cae", caido = "cae", caida = "cae", caen = "cae", salio = "sal", sale = "sal",
  saliendo = "sal", salen = "sal", sube = "sub", subiendo = "sub", siente = "sent", siento = "sent", puede = "pued",
  puedo = "pued", pueden = "pued", podemos = "pued", corriente = "corriente", calambre = "calambre",
  despierta = "despert", responde = "respond", dolor = "dolor", duele = "dolor", duelen = "dolor",
  doliendo = "dolor", dejar = "deja", para = "para", detiene = "deten", detener = "deten", pared = "pared",
  puso = "pone", pusieron = "pone", prendio = "prend", prendi = "prend",
  encendio = "enciend", encendi = "enciend",
}

M.negators = [[no sin nunca tampoco ni ningun ninguna nada nadie jamas]]
M.not_denials = {
  "no solo", "no para de", "no deja de", "no se que", "no es broma", "sin parar", "sin duda", "no puedo parar",
  "no puedo cerrar", "no puedo apagar", "no me siento bien", "no se si", "no encuentro", "no puedo esperar",
  "no sabemos", "no se",
}
M.after_interjection = [[yo nosotros aqui mi]]
M.breakers = [[pero porque aunque sino]]
M.joiners = [[y o e]]
M.subjects = [[hay yo mi mis el la huele esta estamos tengo se no me nos los las]]
M.hypothetical = {
  "si", "en caso de", "por si", "suponga", "supongamos", "imagine", "cuando haya", "hipoteticamente",
}
M.not_hypothetical = { "si puede", "si pueden", "si si", "como si", "no se si" }
M.questions = {
  "ustedes", "hacen", "cuanto cuesta", "cuanto cobran", "cuanto vale", "pueden venir", "pueden revisar",
  "pueden arreglar", "me puede decir", "me pueden decir", "podrian", "arreglan", "reparan", "atienden", "ofrecen",
  "que es", "que pasa", "como se", "como puedo", "queria saber", "quisiera saber", "quiero saber",
  "me gustaria saber", "pregunta sobre", "informacion sobre", "es normal", "trabajan con", "hay que", "por que",
}
M.offers = {
  "ustedes", "cuanto cuesta", "cuanto cobran", "cuanto vale", "arreglan", "reparan", "atienden", "ofrecen",
  "venden",
  "trabajan con", "informacion sobre", "pregunta sobre", "quisiera saber si", "queria saber si", "quiero saber si",
  "aceptan", "se permite", "a que hora", "instalan", "hacen",
}
M.question_leads = [[saber]]
M.asserts = {
  "hay un", "hay una", "huele", "tengo", "tenemos", "mi", "estoy", "estamos", "se esta", "porque", "me esta",
  "esta saliendo", "hay mucho", "hay mucha", "hay humo", "hay fuego", "hay gas", "hay fuga", "siento",
}
M.business = [[
  inspeccion deteccion certificado instalar instalacion presupuesto curso clase simulacro seguro poliza prevencion
  extintor factura recibo garantia precio cita programar entrenamiento folleto tarifa
]]
M.past = {
  "ano pasado", "mes pasado", "semana pasada", "verano pasado", "invierno pasado", "hace anos", "hace meses",
  "hace semanas", "hace un ano", "hace dos anos", "hace un mes", "cuando era", "antes tenia", "hace tiempo",
  "hace una semana", "hace dos semanas",
}
M.fiction = { "pelicula", "en la tele", "las noticias", "un video", "sone", "novela" }
M.over = {
  "ya no", "arreglado", "arreglaron", "reparado", "repararon", "ya paso", "ya paro", "falsa alarma", "se fue",
  "apagaron", "olvidelo", "solucionado", "ya esta bien", "era broma", "resuelto", "controlado",
}
M.mistaken = {
  olor = "vuela vuele huela hola color ole duele", fuga = "fruta fugaz fuma", humo = "uno zumo",
  fuego = "juego luego", diente = "gente", sangr = "sangria", incendi = "incienso", respir = "retirar",
  gas = "gasto gastos gasa", ascensor = "asesor sensor", pecho = "techo hecho", monoxide = "monosido",
  garganta = "gargantua",
}

M.mistaken_pairs = {
  sangrar = "san grar, sang rar", sangre = "san gre, zan gre", sangrando = "san grando",
  respirar = "res pirar, respi rar, re spirar",
  respira = "res pira, respi ra", ahoga = "a hoga, ao ga", ahogando = "a hogando, a ogando",
  incendio = "en cendio, in cendio, en sendio, un cendio",
  elevador = "el evador, ele vador, eleva dor, elebador",
  ascensor = "as censor, a sensor, acen sor, asen sor, ha censor",
  monoxido = "mon oxido, mono sido, mo noxido, monos ido", garganta = "gar ganta, gargan ta", humo = "hum o, un o",
  desmayo = "desma yo, des mayo", desmayado = "des mayado", fuego = "fue go, jue go", quemado = "que mado",
  quemando = "que mando",
  atrapado = "a trapado, atra pado", atrapados = "a trapados", encerrado = "en serrado, en cerrado",
  encerrada = "en serrada, en cerrada",
  encerrados = "en serrados, en cerrados", despierta = "des pierta", responde = "res ponde",
  reacciona = "re acciona, rea xiona",
  corriente = "co rriente, corri ente", enchufe = "en chufe, en chufle", chispas = "chis pas",
  lengua = "len gua", alarma = "al arma, a larma",
  convulsionando = "con vulsionando, combul sionando", tragar = "tra gar, trai gar",
  hinchado = "in chado, hin chado", mareado = "ma reado, maria do",
  explosion = "ex plosion", inundado = "in undado, y nundado", fuga = "fu ga", huele = "hue le, we le",
  encia = "en cia, en sia",
}
M.common = [[
  cambiar cambio compro comprar taza bano llave llaves poner puso puedo quiero quiere quisiera necesito necesita tengo
  tiene tenemos vive vivo viene venir vino hacer hago hace hacen decir digo dijo dice dicen hablar hablo ver veo vio
  saber sabe pasar pasa paso llamar llamo llama llame llamada favor gracias buenas buenos dias tardes noches manana
  ayer hoy lunes martes miercoles jueves viernes sabado domingo semana mes ano hora horas minutos cuando donde como
  porque quien cual cuanto cuanta cuantos antes despues ahora luego siempre nunca todavia casa calle numero nombre
  telefono direccion dinero precio pagar pago renta contrato cita limpieza dentista doctor plomero vecino dueno
  mejor peor grande chico nuevo nueva viejo vieja bueno buena otro otra mismo misma cosa cosas gente trabajo trabaja
  tarde temprano cerca lejos primero segundo tercero quinto listo lista entonces tambien solo nada todo
]]

return M
