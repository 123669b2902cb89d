-- SPDX-License-Identifier: Apache-2.0
-- What the smell of gas is compared to, and how bad it is.
return {
  "egg", "rotten egg", "rotten", "sulfur", "sulphur", "skunk", "cabbage", "dead animal", "garlic", "awful", "funny",
  "weird", "strange", "chemical", "horrible", "nasty", "terrible", "disgusting", "gross", "yucky", "icky", "bad",
  "really strong", "so strong", "strong", "overpowering", "dizzy", "sick", "headache", "sleepy", "eyes burn",
  "eyes water", "burns my nose", "stuffy", "not right", "not normal", "off", "paint thinner", "lighter",
  "burner", "gassy",
  "huevo", "podrido", "podridos", "azufre", "zorrillo", "repollo", "ajo", "muerto", "feo", "fea", "raro",
  "horrible",
  "espantoso", "fuerte", "fuertísimo", "químico", "asqueroso", "marea", "mareado", "dolor de cabeza", "sueño",
  "insoportable", "cochino", "rancio", "encendedor", "arden los ojos", "pican los ojos", "extraño",
}
