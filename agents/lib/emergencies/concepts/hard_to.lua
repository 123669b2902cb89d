-- SPDX-License-Identifier: Apache-2.0
-- That something cannot be done, or hardly.
return {
  "trouble", "hard", "harder", "difficult", "difficulty", "struggle", "barely", "labored", "tough", "unable",
  "not able", "can hardly", "hardly", "can't", "could not", "can not", "not", "won't", "hurts", "problem",
  "funny", "weird", "strange", "shallow", "noisy", "fast", "tight", "short", "not enough", "getting worse",
  "no", "stuck", "blocked", "wrong way", "wrong pipe", "muffled", "raspy", "hoarse", "high", "squeaky", "loud",
  "scary", "heavy", "stopped", "gone", "losing", "quick", "rattly", "bad", "not right", "thick",
  "no puede", "no puedo", "no", "cuesta", "costando", "trabajo", "difícil", "dificultad", "problema",
  "problemas", "apenas", "falta", "casi no", "no logra", "no alcanza", "mal", "raro", "rara", "feo", "poquito",
  "poco", "batalla", "batallando", "duele", "atorado", "atorada", "rápido", "ronca", "fuerte", "corto",
  "no pasa", "no entra", "no le entra", "le cuesta", "se queda sin", "sin",
}
